package guard

import (
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// HTTP returns the view of a net/http request, as gin and echo use it too.
func HTTP(r *http.Request) authgear.Request { return httpRequest{r} }

// httpRequest is one pointer, so that making an interface of it allocates
// nothing.
type httpRequest struct{ r *http.Request }

func (h httpRequest) Method() string          { return h.r.Method }
func (h httpRequest) Host() string            { return h.r.Host }
func (h httpRequest) RemoteAddr() string      { return h.r.RemoteAddr }
func (h httpRequest) Names() iter.Seq[string] { return maps.Keys(h.r.Header) }

// Values goes through all names, since another middleware may have added one
// that is not in canonical form.
func (h httpRequest) Values(name string) []string {
	var lines []string
	for n, values := range h.r.Header {
		if len(n) != len(name) || !strings.EqualFold(n, name) {
			continue
		}
		if lines == nil {
			lines = values
		} else {
			lines = append(slices.Clip(lines), values...)
		}
	}
	return trimmed(lines)
}

// trimmed returns the lines without surrounding spaces and tabs, which HTTP/2
// can bring (RFC 9113 §8.2.1 forbids them, servers let them through).
func trimmed(lines []string) []string {
	for i, line := range lines {
		if strings.Trim(line, " \t") != line {
			lines = slices.Clone(lines)
			for j := range lines[i:] {
				lines[i+j] = strings.Trim(lines[i+j], " \t")
			}
			return lines
		}
	}
	return lines
}
