package authgearfasthttp

import "github.com/authgear/authgear-sdk-go/core/guard"

// strippedKey is the key of a user value. If the value is true, later views leave out
// identity headers, since a trailer may bring one into the store again.
type strippedKey struct{}

// Without implements [guard.Request]. It removes the headers from the store, which
// belongs to the one goroutine of the request, and so from what the handler gets.
func (r *Request[T]) Without(remove func(name string) bool) guard.Request[T] {
	r.without(remove)
	return r
}

// without removes trailers as well. Once trailers are read, fasthttp 1.69 keeps them
// among the headers. fasthttp 1.78 keeps them where Peek finds them but All does not.
func (v *view) without(remove func(name string) bool) {
	header := &v.c.Request.Header
	var names []string
	for name := range header.All() {
		if remove(unsafeString(name)) {
			names = append(names, string(name))
		}
	}
	for _, name := range header.PeekTrailerKeys() {
		if remove(unsafeString(name)) {
			names = append(names, string(name))
		}
	}
	for _, name := range names {
		header.Del(name)
	}
	v.c.SetUserValue(strippedKey{}, true)
	v.dropLines(remove)
	v.stored = nil
}
