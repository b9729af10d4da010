package authgearfasthttp

import "github.com/authgear/authgear-sdk-go/core/guard"

// strippedKey is a user value that is true when later views leave identity headers
// out: a trailer may bring one into the store again.
type strippedKey struct{}

// Without implements [guard.Request]. It removes the headers from the store, which
// belongs to the one goroutine of the request, and so from what the handler gets.
func (r *Request[T]) Without(remove func(name string) bool) guard.Request[T] {
	r.without(remove)
	return r
}

// without removes trailers as well. fasthttp 1.69 has those that were read among the
// headers, 1.78 where All does not find them, but Peek does.
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
