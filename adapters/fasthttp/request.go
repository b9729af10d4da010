package authgearfasthttp

import (
	"context"
	"iter"
	"slices"
	"strings"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Request is a request and the answer to it. T is what the framework's handlers
// get, such as *fiber.Ctx. It implements [guard.Request] and serves one guard: each
// guard makes its own.
type Request[T any] struct {
	view
	framework  T
	setContext func(T, context.Context)
	handedOn   context.Context
}

var _ guard.Request[*fasthttp.RequestCtx] = (*Request[*fasthttp.RequestCtx])(nil)

// NewRequest returns the view of the request that c serves. framework is what the
// framework gives its handlers. method is the method by which the framework serves
// the request, since middleware may have changed it; "" if there is only the
// request's own. setContext sets the context of framework; nil if there is no
// context but c.
//
// The view shows the header block as it was received. If middleware sets a header,
// the new value counts only for Authorization; of any other header the received
// value counts. A header that middleware removes does not count, and trailers never
// do.
func NewRequest[T any](c *fasthttp.RequestCtx, method string, framework T, setContext func(T, context.Context)) *Request[T] {
	r := &Request[T]{view: view{c: c}, framework: framework, setContext: setContext}
	r.read(method)
	r.store = unsafe.Pointer(r)
	if first, ok := c.UserValue(storeKey{}).(unsafe.Pointer); ok {
		r.store = first
	} else {
		c.SetUserValue(storeKey{}, r.store)
	}
	return r
}

// storeKey is the key of a user value that tells requests apart, since fasthttp serves
// the next request by the same RequestCtx. The value is the first view of the request.
type storeKey struct{}

// HandOn implements [guard.Request]. It also keeps what the context says about the
// sender under [guard.ContextKey]. It is found there when RequestCtx, or what is
// built on it, is passed on as a context itself.
func (r *Request[T]) HandOn(ctx context.Context) T {
	r.handedOn = ctx
	if r.setContext != nil {
		r.setContext(r.framework, ctx)
	}
	r.c.SetUserValue(guard.ContextKey, ctx.Value(guard.ContextKey))
	return r.framework
}

// view shows a request by its raw header block, as it was received. fasthttp parses
// this block into a store, which is not safe to decide by: trailers are merged into it,
// values of Connection get lost, only the last of two Host headers is kept, and names
// are not found when normalizing is off. But a header that earlier middleware has
// removed from the store does not count.
//
// Its strings are parts of one copy, since fasthttp reuses its buffers. Each array
// saves an allocation for a request of usual size.
type view struct {
	c             *fasthttp.RequestCtx
	method, path  string
	lines         []guard.Line
	authorization []string
	store         unsafe.Pointer

	stored []uint64 // sorted hashes of what the store holds; nil: not computed yet

	lineSpace  [16]guard.Line
	valueSpace [2]string // of authorization, and of the first call of Values
	valueUsed  bool
}

func (v *view) read(method string) {
	v.lines = v.lineSpace[:0]
	header := &v.c.Request.Header
	method = guard.MethodOf(method, unsafeString(header.Method()))
	path, raw := v.c.URI().Path(), header.RawHeaders()
	var b strings.Builder // one copy of all
	b.Grow(len(method) + len(path) + len(raw))
	_, _ = b.WriteString(method)
	_, _ = b.Write(path)
	_, _ = b.Write(raw)
	copied := b.String()
	v.method, copied = copied[:len(method)], copied[len(method):]
	v.path, copied = copied[:len(path)], copied[len(path):]
	if len(raw) > 0 {
		v.parse(copied)
	} else { // a request that did not come over a connection
		for name, value := range header.All() {
			v.add(string(name), string(value))
		}
	}
	if stripped, _ := v.c.UserValue(strippedKey{}).(bool); stripped {
		v.dropLines(guard.IsIdentityHeader)
	}
	v.readAuthorization()
}

// parse splits a header block up to the empty line. A line that continues the one before
// (obs-fold, RFC 9112 §5.2) becomes a value with its line break, which the guard
// refuses like any control byte.
func (v *view) parse(raw string) {
	for raw != "" {
		var line string
		line, raw, _ = strings.Cut(raw, "\n")
		line = strings.TrimSuffix(line, "\r")
		switch {
		case line == "":
			return
		case line[0] == ' ' || line[0] == '\t':
			v.lines = append(v.lines, guard.Line{Value: "\n" + line})
		default:
			name, value, _ := strings.Cut(line, ":")
			v.add(name, value)
		}
	}
}

func (v *view) add(name, value string) {
	v.lines = append(v.lines, guard.Line{Name: name, Value: strings.Trim(value, " \t")})
}

func (v *view) dropLines(remove func(name string) bool) {
	v.lines = slices.DeleteFunc(v.lines, func(line guard.Line) bool { return remove(line.Name) })
}

// readAuthorization takes the Authorization header from the store. For this header the
// store keeps every line, lets no trailer in, and shows what middleware has set.
func (v *view) readAuthorization() {
	came := v.came(fasthttp.HeaderAuthorization)
	v.authorization = v.valueSpace[:0:1]
	for name, value := range v.c.Request.Header.All() {
		if len(name) != len(fasthttp.HeaderAuthorization) || !strings.EqualFold(unsafeString(name), fasthttp.HeaderAuthorization) {
			continue
		}
		if came == string(value) { // already a copy
			v.authorization = append(v.authorization, came)
		} else {
			v.authorization = append(v.authorization, strings.Trim(string(value), " \t"))
		}
	}
}

// came returns the first value of a header as it was received.
func (v *view) came(name string) string {
	for _, line := range v.lines {
		if len(line.Name) == len(name) && strings.EqualFold(line.Name, name) {
			return line.Value
		}
	}
	return ""
}

// Method implements authgear.Request.
func (v *view) Method() string { return v.method }

// Path implements [guard.Request].
func (v *view) Path() string { return v.path }

// Host implements authgear.Request.
func (v *view) Host() string { return string(v.c.URI().Host()) }

// RemoteAddr implements authgear.Request.
func (v *view) RemoteAddr() string { return v.c.RemoteAddr().String() }

// Lines implements [guard.Request].
func (v *view) Lines() []guard.Line { return v.lines }

// Store implements [guard.Request].
func (v *view) Store() unsafe.Pointer { return v.store }

// Values implements authgear.Request.
func (v *view) Values(name string) []string {
	if v.authorization != nil && strings.EqualFold(name, fasthttp.HeaderAuthorization) {
		return v.authorization
	}
	var values []string
	for _, line := range v.lines {
		if len(line.Name) != len(name) || !strings.EqualFold(line.Name, name) {
			continue
		}
		value, ok := v.kept(line)
		if !ok {
			continue
		}
		if values == nil && !v.valueUsed {
			values, v.valueUsed = v.valueSpace[1:1], true
		}
		values = append(values, value)
	}
	return values
}

// Names implements authgear.Request.
func (v *view) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range v.lines {
			if _, ok := v.kept(line); ok && !yield(line.Name) {
				return
			}
		}
	}
}
