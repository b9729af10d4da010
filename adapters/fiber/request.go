package authgearfiber

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
	"unsafe"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// request is the view of a request over its raw header block, as it came. The
// store that fasthttp parses it into is not safe to judge by: trailers are
// merged into it, values of Connection get lost, of two Host headers it keeps the
// last, and names are not found when normalizing is off. But a header that
// earlier middleware has removed from the store does not count.
//
// Its strings are parts of one copy, since fasthttp uses its buffers again. The
// arrays save an allocation each for a request of usual size.
type request struct {
	c             *fiber.Ctx
	method, path  string
	lines         []guard.Line
	authorization []string

	stored []uint64 // hashes of what the store holds, sorted; nil: not looked at

	lineSpace  [24]guard.Line
	hashSpace  [32]uint64
	valueSpace [2]string // of authorization, and of the first call of Values
	valueUsed  bool
}

func newRequest(c *fiber.Ctx) *request {
	r := &request{c: c}
	r.lines = r.lineSpace[:0]
	header := &c.Request().Header
	method, path, raw := header.Method(), c.Request().URI().Path(), header.RawHeaders()
	var b strings.Builder // one copy of all
	b.Grow(len(method) + len(path) + len(raw))
	_, _ = b.Write(method)
	_, _ = b.Write(path)
	_, _ = b.Write(raw)
	copied := b.String()
	r.method, copied = copied[:len(method)], copied[len(method):]
	r.path, copied = copied[:len(path)], copied[len(path):]
	if len(raw) > 0 {
		r.parse(copied)
	} else { // a request that did not come over a connection
		for name, value := range header.All() {
			r.add(string(name), string(value))
		}
	}
	if stripped, _ := c.Locals(strippedKey{}).(bool); stripped {
		r.dropLines(guard.IsIdentityHeader)
	}
	r.readAuthorization()
	return r
}

// parse splits a header block up to the empty line. A line that continues the one before
// (obs-fold, RFC 9112 §5.2) becomes a value with its line break, which the guard
// refuses like any control byte.
func (r *request) parse(raw string) {
	for raw != "" {
		var line string
		line, raw, _ = strings.Cut(raw, "\n")
		line = strings.TrimSuffix(line, "\r")
		switch {
		case line == "":
			return
		case line[0] == ' ' || line[0] == '\t':
			r.lines = append(r.lines, guard.Line{Value: "\n" + line})
		default:
			name, value, _ := strings.Cut(line, ":")
			r.add(name, value)
		}
	}
}

func (r *request) add(name, value string) {
	r.lines = append(r.lines, guard.Line{Name: name, Value: strings.Trim(value, " \t")})
}

func (r *request) dropLines(remove func(name string) bool) {
	kept := r.lines[:0]
	for _, line := range r.lines {
		if !remove(line.Name) {
			kept = append(kept, line)
		}
	}
	r.lines = kept
}

// readAuthorization takes that header from the store, which keeps each of its
// lines, lets no trailer in, and shows what middleware has set.
func (r *request) readAuthorization() {
	came := r.Values(fiber.HeaderAuthorization)
	r.valueUsed = false // came goes no further
	r.authorization = r.valueSpace[:0:1]
	for name, value := range r.c.Request().Header.All() {
		if len(name) != len(fiber.HeaderAuthorization) || !strings.EqualFold(string(name), fiber.HeaderAuthorization) {
			continue
		}
		if i := len(r.authorization); i < len(came) && came[i] == string(value) {
			r.authorization = append(r.authorization, came[i]) // no copy of what is one
		} else {
			r.authorization = append(r.authorization, strings.Trim(string(value), " \t"))
		}
	}
}

func (r *request) Method() string        { return r.method }
func (r *request) Path() string          { return r.path }
func (r *request) Host() string          { return string(r.c.Request().URI().Host()) }
func (r *request) RemoteAddr() string    { return r.c.Context().RemoteAddr().String() }
func (r *request) Lines() []guard.Line   { return r.lines }
func (r *request) Store() unsafe.Pointer { return unsafe.Pointer(r.c.Context()) }

func (r *request) Values(name string) []string {
	if r.authorization != nil && strings.EqualFold(name, fiber.HeaderAuthorization) {
		return r.authorization
	}
	var values []string
	for _, line := range r.lines {
		if len(line.Name) != len(name) || !strings.EqualFold(line.Name, name) {
			continue
		}
		value, ok := r.kept(line)
		if !ok {
			continue
		}
		if values == nil && !r.valueUsed {
			values, r.valueUsed = r.valueSpace[1:1], true
		}
		values = append(values, value)
	}
	return values
}

func (r *request) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range r.lines {
			if _, ok := r.kept(line); ok && !yield(line.Name) {
				return
			}
		}
	}
}

// kept returns the value of a line as far as the store still has it: middleware
// may have removed the header, or one of the cookies.
func (r *request) kept(line guard.Line) (value string, ok bool) {
	switch {
	case isSpecial(line.Name):
		return line.Value, true
	case !strings.EqualFold(line.Name, fiber.HeaderCookie):
		return line.Value, r.inStore(line.Name, line.Value)
	}
	var removed bool
	for pair := range strings.SplitSeq(line.Value, ";") {
		removed = removed || !r.hasCookie(pair)
	}
	if !removed {
		return line.Value, true
	}
	var cookies []string
	for pair := range strings.SplitSeq(line.Value, ";") {
		if r.hasCookie(pair) {
			cookies = append(cookies, pair)
		}
	}
	return strings.Join(cookies, ";"), cookies != nil
}

// hasCookie compares with the store, which takes spaces and quotes off, keeps a
// pair without "=" as a value, and leaves empty ones out.
func (r *request) hasCookie(pair string) bool {
	if strings.Trim(pair, " \t") == "" {
		return true
	}
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		name, value = "", name
	}
	name, value = strings.Trim(name, " "), strings.Trim(value, " ")
	if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return r.inStore("="+name, value)
}

// inStore reports whether the store has a header, or a cookie by its name with
// "=" before it. It goes through the store once, since a request can have
// thousands of both, and keeps hashes, which cost no copies.
func (r *request) inStore(name, value string) bool {
	if r.stored == nil {
		header := &r.c.Request().Header
		r.stored = r.hashSpace[:0]
		for n, v := range header.All() {
			r.stored = append(r.stored, hash("", utils.UnsafeString(n), utils.UnsafeString(v)))
		}
		for n, v := range header.Cookies() {
			r.stored = append(r.stored, hash("=", utils.UnsafeString(n), utils.UnsafeString(v)))
		}
		slices.Sort(r.stored)
	}
	_, ok := slices.BinarySearch(r.stored, hash("", name, value))
	return ok
}

var seed = maphash.MakeSeed()

// hash is of a header, whose name is matched case-insensitively, or of a cookie,
// whose name is not.
func hash(prefix, name, value string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_, _ = h.WriteString(prefix)
	if prefix == "" && !strings.HasPrefix(name, "=") {
		for i := range len(name) {
			_ = h.WriteByte(lower(name[i]))
		}
	} else {
		_, _ = h.WriteString(name)
	}
	_ = h.WriteByte(0) // which is in no name and no value that the guard accepts
	_, _ = h.WriteString(value)
	return h.Sum64()
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isSpecial reports the headers that the store keeps in another form than they
// came. None of them says who sent the request.
func isSpecial(name string) bool {
	switch len(name) {
	case len(fiber.HeaderHost):
		return strings.EqualFold(name, fiber.HeaderHost)
	case len(fiber.HeaderTrailer):
		return strings.EqualFold(name, fiber.HeaderTrailer)
	case len(fiber.HeaderConnection): // and User-Agent
		return strings.EqualFold(name, fiber.HeaderConnection) || strings.EqualFold(name, fiber.HeaderUserAgent)
	default:
		return strings.EqualFold(name, fiber.HeaderContentType) || strings.EqualFold(name, fiber.HeaderContentLength) ||
			strings.EqualFold(name, fiber.HeaderTransferEncoding)
	}
}

// strippedKey is a local that is true when later views leave identity headers
// out: a trailer may bring one into the store again.
type strippedKey struct{}

// Without removes from the store, which belongs to the one goroutine of the
// request.
func (r *request) Without(remove func(name string) bool) guard.Request[*fiber.Ctx] {
	header := &r.c.Request().Header
	var names []string
	for name := range header.All() {
		if remove(utils.UnsafeString(name)) { // which keeps nothing
			names = append(names, string(name))
		}
	}
	for _, name := range names {
		header.Del(name)
	}
	r.c.Locals(strippedKey{}, true)
	r.dropLines(remove)
	r.stored = nil
	return r
}

// HandOn implements guard.Request.
func (r *request) HandOn(ctx context.Context) *fiber.Ctx {
	setContext(r.c, ctx)
	return r.c
}
