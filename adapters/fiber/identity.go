package authgearfiber

import (
	"context"

	"github.com/gofiber/fiber/v2"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a machine: nil and false on
// a route without a guard, or when an optional route found none. It stays valid
// after the handler has returned.
func Identity(c *fiber.Ctx) (*authgear.Identity, bool) { return authgear.FromContext(c.Context()) }

// User returns the user who sent the request: nil and false for a machine too.
func User(c *fiber.Ctx) (*authgear.Identity, bool) { return guard.User(c.Context()) }

// MustUser returns the user who sent the request, and panics without one. Use it
// behind [Guard.Require] where no machine can come in, which is the default.
func MustUser(c *fiber.Ctx) *authgear.Identity { return guard.MustUser(c.Context()) }

// WithIdentity puts the identity into the context, for tests of handlers. It
// satisfies no guard.
func WithIdentity(c *fiber.Ctx, identity *authgear.Identity) {
	setContext(c, authgear.NewContext(c.UserContext(), identity))
}

// Error returns why a guard refused the request, for middleware that logs
// answers.
func Error(c *fiber.Ctx) (*authgear.Error, bool) {
	err, ok := c.Locals(errorKey).(*authgear.Error)
	return err, ok
}

type localKey int

const (
	errorKey    localKey = iota // the error of a refused request
	strippedKey                 // true when later views leave identity fields out
)

// setContext keeps the context as the user context, and under a key at which it
// is found when c.Context() is passed on.
func setContext(c *fiber.Ctx, ctx context.Context) {
	c.SetUserContext(ctx)
	c.Context().SetUserValue(guard.ContextKey, ctx)
}
