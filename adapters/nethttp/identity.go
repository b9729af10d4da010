package authgearhttp

import (
	"net/http"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a machine: nil and false on
// a route without a guard, or when an optional route found none.
func Identity(r *http.Request) (*authgear.Identity, bool) {
	return authgear.FromContext(r.Context())
}

// User returns the user who sent the request: nil and false for a machine too.
func User(r *http.Request) (*authgear.Identity, bool) { return guard.User(r.Context()) }

// MustUser returns the user who sent the request, and panics without one. Use it
// behind [Guard.Require] where no machine can come in, which is the default.
func MustUser(r *http.Request) *authgear.Identity { return guard.MustUser(r.Context()) }

// WithIdentity returns a copy of the request that holds the identity, for tests
// of handlers. It satisfies no guard.
func WithIdentity(r *http.Request, identity *authgear.Identity) *http.Request {
	return r.WithContext(authgear.NewContext(r.Context(), identity))
}
