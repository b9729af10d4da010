package authgearecho

import (
	"context"

	"github.com/labstack/echo/v4"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a client. It returns nil and
// false on a route without a guard, and on an optional route when there is no
// identity.
func Identity(c echo.Context) (*authgear.Identity, bool) {
	return authgear.FromContext(found(c))
}

// User returns the user who sent the request. It returns nil and false where
// [Identity] does, and when a client sent the request.
func User(c echo.Context) (*authgear.Identity, bool) {
	return authgear.UserFromContext(found(c))
}

// MustUser returns the user who sent the request, and panics if there is none. Use
// it behind [Guard.Require], which allows only users unless a policy names clients.
func MustUser(c echo.Context) *authgear.Identity {
	return authgear.MustUserFromContext(found(c))
}

// Refused returns why a guard has refused the request. It is for custom error
// handlers, and for middleware around the guard.
func Refused(c echo.Context) (*authgear.Error, bool) { return guard.Refused(found(c)) }

// WithIdentity puts the identity into the request, for tests of handlers. No guard
// accepts this identity.
func WithIdentity(c echo.Context, identity *authgear.Identity) {
	c.SetRequest(c.Request().WithContext(authgear.NewContext(c.Request().Context(), identity)))
}

// found returns the context in which accessors look. This is the request's context. If
// middleware has put back an earlier request, it is the context of the refused request.
func found(c echo.Context) context.Context {
	return guard.HandedOn(c.Request().Context(), c.Get(guard.ContextKey))
}
