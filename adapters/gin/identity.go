package authgeargin

import (
	"net/http"

	"github.com/gin-gonic/gin"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a client. It returns nil and
// false on a route without a guard, and on an optional route when there is no
// identity.
func Identity(c *gin.Context) (*authgear.Identity, bool) { return authgear.FromContext(c) }

// User returns the user who sent the request. It returns nil and false where
// [Identity] does, and when a client sent the request.
func User(c *gin.Context) (*authgear.Identity, bool) { return authgear.UserFromContext(c) }

// MustUser returns the user who sent the request, and panics if there is none. Use
// it behind [Guard.Require], which allows only users unless a policy names clients.
func MustUser(c *gin.Context) *authgear.Identity { return authgear.MustUserFromContext(c) }

// Refused returns why a guard has refused the request. It is for custom error
// handlers, and for middleware around the guard.
func Refused(c *gin.Context) (*authgear.Error, bool) { return guard.Refused(c) }

// WithIdentity puts the identity into the context, for tests of handlers. No guard
// accepts this identity.
func WithIdentity(c *gin.Context, identity *authgear.Identity) {
	if c.Request == nil {
		c.Set(guard.ContextKey, authgear.NewContext(c, identity))
		return
	}
	setRequest(c, c.Request.WithContext(authgear.NewContext(c.Request.Context(), identity)))
}

// setRequest keeps the request. It also keeps the request's context under a key of c,
// so that it is found when c is passed on as a context.Context.
func setRequest(c *gin.Context, r *http.Request) {
	c.Request = r
	c.Set(guard.ContextKey, r.Context())
}
