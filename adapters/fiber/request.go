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
//
// Its strings are parts of one copy, since fasthttp uses its buffers again. The
// arrays save an allocation each for a request of usual size.
type request struct {
	c             *fiber.Ctx
	lines         []guard.Line
	authorization []string

	lineSpace  [24]guard.Line
	valueSpace [2]string // of authorization, and of the first call of Values
	valueUsed  bool
}

func newRequest(c *fiber.Ctx) *request {
	r := &request{c: c}
	r.lines = r.lineSpace[:0]
	if raw := c.Request().Header.RawHeaders(); len(raw) > 0 {
		r.parse(string(raw))
	} else { // a request that did not come over a connection
		c.Request().Header.VisitAll(func(name, value []byte) { r.add(string(name), string(value)) })
	}
	if stripped, _ := c.Locals(strippedKey).(bool); stripped {
		r.strip()
	}
	r.readAuthorization()
	return r
}

// parse splits a header block up to the empty line: VisitAllInOrder, should
// other middleware have called it, joins continued lines in place and leaves
// the rest of the block behind that line. A line that continues the one before
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

// strip leaves the identity fields out that an earlier middleware removed.
func (r *request) strip() {
	kept := r.lines[:0]
	for _, line := range r.lines {
		if !guard.IsIdentityField(line.Name) {
			kept = append(kept, line)
		}
	}
	r.lines = kept
}

// readAuthorization takes that field from the store, which keeps each of its
// lines, lets no trailer in, and shows what middleware has set.
func (r *request) readAuthorization() {
	came := r.Values(fiber.HeaderAuthorization)
	r.valueUsed = false // came goes no further
	r.authorization = r.valueSpace[:0:1]
	r.c.Request().Header.VisitAll(func(name, value []byte) {
		if len(name) != len(fiber.HeaderAuthorization) || !strings.EqualFold(string(name), fiber.HeaderAuthorization) {
			return
		}
		if i := len(r.authorization); i < len(came) && came[i] == string(value) {
			r.authorization = append(r.authorization, came[i]) // no copy of what is one
		} else {
			r.authorization = append(r.authorization, strings.Trim(string(value), " \t"))
		}
	})
}

func (r *request) Method() string      { return strings.Clone(r.c.Method()) }
func (r *request) Host() string        { return string(r.c.Request().URI().Host()) }
func (r *request) RemoteAddr() string  { return r.c.Context().RemoteAddr().String() }
func (r *request) Lines() []guard.Line { return r.lines }

func (r *request) Values(name string) []string {
	if r.authorization != nil && strings.EqualFold(name, fiber.HeaderAuthorization) {
		return r.authorization
	}
	var values []string
	for _, line := range r.lines {
		if len(line.Name) != len(name) || !strings.EqualFold(line.Name, name) {
			continue
		}
		if values == nil && !r.valueUsed {
			values, r.valueUsed = r.valueSpace[1:1], true
		}
		values = append(values, line.Value)
	}
	return values
}

func (r *request) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range r.lines {
			if !yield(line.Name) {
				return
			}
		}
	}
}

// strip removes identity fields from the store, trailers among them, and from
// every later view of the request, whose raw block may have what the store has
// not.
func strip(c *fiber.Ctx) {
	c.Locals(strippedKey, true)
	var names []string
	c.Request().Header.VisitAll(func(name, _ []byte) {
		if guard.IsIdentityField(string(name)) {
			names = append(names, string(name))
		}
	})
	for _, name := range names {
		c.Request().Header.Del(name)
	}
}
