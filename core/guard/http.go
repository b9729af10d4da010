package guard

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// HTTP returns the view of a net/http request, as gin and echo use it too.
func HTTP(r *http.Request) Request[*http.Request] { return httpRequest{r} }

// httpRequest is one pointer, so that making an interface of it allocates
// nothing.
type httpRequest struct{ r *http.Request }

func (h httpRequest) Method() string          { return h.r.Method }
func (h httpRequest) Path() string            { return h.r.URL.Path }
func (h httpRequest) Host() string            { return h.r.Host }
func (h httpRequest) RemoteAddr() string      { return h.r.RemoteAddr }
func (h httpRequest) Names() iter.Seq[string] { return maps.Keys(h.r.Header) }
func (h httpRequest) Lines() []Line           { return nil }
func (h httpRequest) Store() unsafe.Pointer   { return reflect.ValueOf(h.r.Header).UnsafePointer() }

// Values goes through all names, since another middleware may have added one
// that is not in canonical form.
func (h httpRequest) Values(name string) []string {
	var all []string
	for n, values := range h.r.Header {
		if len(n) != len(name) || !strings.EqualFold(n, name) {
			continue
		}
		if all == nil {
			all = values
		} else {
			all = append(slices.Clip(all), values...)
		}
	}
	return trimmed(all)
}

// trimmed returns the values without surrounding spaces and tabs, which HTTP/2
// can bring (RFC 9113 §8.2.1 forbids them, servers let them through).
func trimmed(values []string) []string {
	for i, value := range values {
		if n := len(value); n > 0 && (isBlank(value[0]) || isBlank(value[n-1])) {
			values = slices.Clone(values)
			for j := range values[i:] {
				values[i+j] = strings.Trim(values[i+j], " \t")
			}
			return values
		}
	}
	return values
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// HandOn implements [Request].
func (h httpRequest) HandOn(ctx context.Context) *http.Request {
	if ctx == h.r.Context() {
		return h.r
	}
	return h.r.WithContext(ctx)
}

// Without implements [Request]. It changes a copy: a handler that time-out
// middleware has left behind may still read the header that came in.
func (h httpRequest) Without(remove func(name string) bool) Request[*http.Request] {
	header := without(h.r.Header, remove)
	_, filtered := h.r.Body.(*trailerFilter)
	filter := h.r.Trailer != nil && !filtered
	undeclared := h.r.Trailer == nil && h.r.ContentLength < 0 // which the server adds to its own request, not to a copy
	if header == nil && !filter && !undeclared {
		return h
	}
	r := *h.r
	if header != nil {
		r.Header = header
	}
	if filter {
		r.Trailer = maps.Clone(h.r.Trailer)
		maps.DeleteFunc(r.Trailer, func(name string, _ []string) bool { return remove(name) })
		r.Body = &trailerFilter{h.r.Body, h.r, r.Trailer, remove}
	}
	return httpRequest{&r}
}

// without returns a copy of the header without what remove reports, nil when
// there is nothing to remove.
func without(header http.Header, remove func(name string) bool) http.Header {
	for name := range header {
		if remove(name) {
			kept := maps.Clone(header)
			maps.DeleteFunc(kept, func(name string, _ []string) bool { return remove(name) })
			return kept
		}
	}
	return nil
}

// trailerFilter is a body. At its end the server knows the trailer (RFC 9110
// §6.5). The handler gets those fields of the trailer that are not removed.
type trailerFilter struct {
	io.ReadCloser
	received *http.Request // the server sets its trailer
	kept     http.Header
	remove   func(name string) bool
}

func (f *trailerFilter) Read(b []byte) (int, error) {
	n, err := f.ReadCloser.Read(b)
	if errors.Is(err, io.EOF) {
		for name, values := range f.received.Trailer {
			if !f.remove(name) {
				f.kept[name] = values
			}
		}
	}
	return n, err
}
