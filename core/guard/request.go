package guard

import (
	"context"
	"unsafe"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

// Request is an adapter's view of a request of its framework. T is what the
// framework's handler gets, such as *http.Request.
type Request[T any] interface {
	view
	// Without returns a view of the request without the headers and trailers
	// whose names remove reports, in whatever spelling. It writes into no header
	// or trailer that another goroutine may read: it makes a copy, but only when
	// there is something to remove.
	Without(remove func(name string) bool) Request[T]
	// HandOn returns the request for the handler, with ctx as its context.
	HandOn(ctx context.Context) T
}

// view is the part of a Request that decisions are made from.
type view interface {
	authgear.Request
	// Lines returns all header lines as received; nil where the server itself
	// refuses control bytes and a second Host, as net/http does.
	Lines() []Line
	// Path returns the path of the request's URL, without query.
	Path() string
	// Store is the address of the headers, or of something else that no other
	// request has. It tells whether two views are of the very same request.
	Store() unsafe.Pointer
}

// Line is one header line of a request.
type Line struct{ Name, Value string }

// IsIdentityHeader reports whether a header of that name, in any spelling, is one
// by which a reverse proxy states an identity. A guard removes all of them
// before the handler, so that it never takes a client's word for an identity.
func IsIdentityHeader(name string) bool { return session.IsHeader(name) }

// Strip returns the request for a handler without a guard: with no identity
// header.
func Strip[T any](ctx context.Context, r Request[T]) T {
	return r.Without(IsIdentityHeader).HandOn(ctx)
}
