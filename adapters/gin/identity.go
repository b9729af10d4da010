package authgeargin

import (
	"context"

	"github.com/gin-gonic/gin"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a machine: nil and false on
// a route without a guard, or when an optional route found none.
func Identity(c *gin.Context) (*authgear.Identity, bool) { return authgear.FromContext(c) }

// User returns the user who sent the request: nil and false for a machine too.
func User(c *gin.Context) (*authgear.Identity, bool) { return guard.User(c) }

// MustUser returns the user who sent the request, and panics without one. Use it
// behind [Guard.Require] where no machine can come in, which is the default.
func MustUser(c *gin.Context) *authgear.Identity { return guard.MustUser(c) }

// WithIdentity puts the identity into the context, for tests of handlers. It
// satisfies no guard.
func WithIdentity(c *gin.Context, identity *authgear.Identity) {
	var ctx context.Context = c
	if c.Request != nil {
		ctx = c.Request.Context()
	}
	setContext(c, authgear.NewContext(ctx, identity))
}

// setContext keeps the context in the request, and under a key of gin's own,
// where it is found when c is passed on as a context.Context.
func setContext(c *gin.Context, ctx context.Context) {
	if c.Request != nil {
		c.Request = c.Request.WithContext(ctx)
	}
	c.Set(guard.ContextKey, ctx)
}
