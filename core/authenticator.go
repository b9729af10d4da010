package authgear

import (
	"context"
	"iter"
)

// An Authenticator finds out who sent a request. It is safe for concurrent
// use, and has nothing to start or to close.
type Authenticator interface {
	// Authenticate returns the identity of the sender, or an error that is always
	// an [*Error]. The identity belongs to the caller. It never returns nil and
	// nil: a request without credentials is an error with [ReasonNoCredentials].
	Authenticate(context.Context, Request) (*Identity, error)
}

// A FreshAuthenticator can also authenticate without using answers to earlier
// requests.
type FreshAuthenticator interface {
	Authenticator
	// AuthenticateFresh is like Authenticate, but takes no answer that is older
	// than the call.
	AuthenticateFresh(context.Context, Request) (*Identity, error)
}

// Request is the view of an HTTP request that an authenticator needs. Adapters
// implement it over their framework's own request; it may grow.
//
// An authenticator reads the request in one goroutine, and only before it
// returns. The guard keeps the values that were read. A later request with the
// same values counts as sent by the same sender.
//
// All strings stay valid after the handler has returned.
type Request interface {
	// Method returns the request's method, such as "GET".
	Method() string
	// Host returns the host by which the server routes the request.
	Host() string
	// RemoteAddr returns the address of the socket's peer. It never comes from
	// a header such as X-Forwarded-For.
	RemoteAddr() string
	// Values returns all values of the header with that name, matched
	// case-insensitively, in order and without surrounding spaces and tabs.
	// The caller does not change them.
	Values(name string) []string
	// Names yields the name of each header once or more, in the server's
	// spelling and in any order.
	Names() iter.Seq[string]
}
