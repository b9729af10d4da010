package authgearhttp

import (
	"net/http"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a client. It returns nil and
// false on a route without a guard, and on an optional route when there is no
// identity.
func Identity(r *http.Request) (*authgear.Identity, bool) {
	return authgear.FromContext(r.Context())
}

// User returns the user who sent the request. It returns nil and false where
// [Identity] does, and when a client sent the request.
func User(r *http.Request) (*authgear.Identity, bool) { return authgear.UserFromContext(r.Context()) }

// MustUser returns the user who sent the request, and panics if there is none. Use
// it behind [Guard.Require], which allows only users unless a policy names clients.
func MustUser(r *http.Request) *authgear.Identity { return authgear.MustUserFromContext(r.Context()) }

// Refused returns why a guard has refused the request. It is for custom error
// handlers. Middleware around the guard has another copy of the request, so it uses
// [Watch].
func Refused(r *http.Request) (*authgear.Error, bool) { return guard.Refused(r.Context()) }

// Watch is for middleware around the guard, such as an access log. It returns the
// request to serve, and a [guard.Found]. There the outermost guard notes who sent
// the request and, if it was refused, why:
//
//	r, found := authgearhttp.Watch(r)
//	next.ServeHTTP(w, r)
//	identity, ok := found.Identity()
func Watch(r *http.Request) (*http.Request, *guard.Found) {
	ctx, found := guard.Watch(r.Context())
	return r.WithContext(ctx), found
}

// WithIdentity returns a copy of the request that holds the identity, for tests of
// handlers. No guard accepts this identity.
func WithIdentity(r *http.Request, identity *authgear.Identity) *http.Request {
	return r.WithContext(authgear.NewContext(r.Context(), identity))
}
