package authgearfiber

import (
	"iter"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// request is the view of a request over its raw header block, as it came. The
// store that fasthttp parses it into is not safe to judge by: trailers are
// merged into it, values of Connection get lost, cookies are written anew once
// anybody has read them, of two Host fields it keeps the last, and names are not
// found when normalizing is off.
type request struct {
	c        *fiber.Ctx
	raw      string // a copy: fasthttp uses its buffers again
	stripped bool
}

func newRequest(c *fiber.Ctx) *request {
	r := &request{c: c, raw: string(c.Request().Header.RawHeaders())}
	r.stripped, _ = c.Locals(strippedKey).(bool)
	if r.raw == "" { // a request that did not come over a connection
		var raw strings.Builder
		c.Request().Header.VisitAll(func(name, value []byte) {
			raw.Write(name)
			raw.WriteString(": ")
			raw.Write(value)
			raw.WriteString("\r\n")
		})
		r.raw = raw.String()
	}
	return r
}

func (r *request) Method() string     { return strings.Clone(r.c.Method()) }
func (r *request) Host() string       { return string(r.c.Request().URI().Host()) }
func (r *request) RemoteAddr() string { return r.c.Context().RemoteAddr().String() }

// Values implements authgear.Request. Authorization comes from the store: that
// keeps each of its lines, no trailer gets there, and middleware may change it.
func (r *request) Values(name string) []string {
	var lines []string
	if strings.EqualFold(name, fiber.HeaderAuthorization) {
		r.c.Request().Header.VisitAll(func(n, value []byte) {
			if strings.EqualFold(string(n), name) {
				lines = append(lines, strings.Trim(string(value), " \t"))
			}
		})
		return lines
	}
	for n, value := range r.Lines() {
		if strings.EqualFold(n, name) {
			lines = append(lines, value)
		}
	}
	return lines
}

// Names implements authgear.Request.
func (r *request) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range r.Lines() {
			if !yield(name) {
				return
			}
		}
	}
}

// Lines implements guard.RawRequest. A line that continues the one before
// (obs-fold, RFC 9112 §5.2) shows as a value with its line break, which the
// guard refuses like any control byte.
func (r *request) Lines() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for line := range strings.SplitSeq(r.raw, "\n") {
			line = strings.TrimSuffix(line, "\r")
			if line == "" {
				continue
			}
			name, value, _ := strings.Cut(line, ":")
			switch {
			case line[0] == ' ' || line[0] == '\t':
				name, value = "", "\n"+line
			case r.stripped && guard.IsIdentityField(name):
				continue
			}
			if !yield(name, strings.Trim(value, " \t")) {
				return
			}
		}
	}
}

// strip removes identity fields from the store, trailers among them, and from
// every later view of the request.
func strip(c *fiber.Ctx) {
	var names []string
	c.Request().Header.VisitAll(func(name, _ []byte) {
		if guard.IsIdentityField(string(name)) {
			names = append(names, string(name))
		}
	})
	for _, name := range names {
		c.Request().Header.Del(name)
		c.Locals(strippedKey, true)
	}
}
