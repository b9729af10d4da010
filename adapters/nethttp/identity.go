package authgearhttp

import (
	"net/http"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a client: nil and false on
// a route without a guard, or when an optional route found none.
func Identity(r *http.Request) (*authgear.Identity, bool) {
	return authgear.FromContext(r.Context())
}

// User returns the user who sent the request: nil and false for a client too.
func User(r *http.Request) (*authgear.Identity, bool) { return authgear.UserFromContext(r.Context()) }

// MustUser returns the user who sent the request, and panics without one. Use it
// behind [Guard.Require], which admits users only unless a policy names clients.
func MustUser(r *http.Request) *authgear.Identity { return authgear.MustUserFromContext(r.Context()) }

// Refused returns why a guard has refused the request, in a custom error handler.
// Middleware around the guard has another request: see [Watch].
func Refused(r *http.Request) (*authgear.Error, bool) { return guard.Refused(r.Context()) }

// Watch is for middleware around the guard, such as an access log. It returns
// the request to serve, and where the outermost guard notes who sent it, and why
// it was refused, if it was:
//
//	r, found := authgearhttp.Watch(r)
//	next.ServeHTTP(w, r)
//	identity, ok := found.Identity()
func Watch(r *http.Request) (*http.Request, *guard.Found) {
	ctx, found := guard.Watch(r.Context())
	return r.WithContext(ctx), found
}

// WithIdentity returns a copy of the request that holds the identity, for tests
// of handlers. It satisfies no guard.
func WithIdentity(r *http.Request, identity *authgear.Identity) *http.Request {
	return r.WithContext(authgear.NewContext(r.Context(), identity))
}
