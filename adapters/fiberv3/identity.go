package authgearfiberv3

import (
	"github.com/gofiber/fiber/v3"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a client: nil and false on
// a route without a guard, or when an optional route found none. It stays valid
// after the handler has returned.
func Identity(c fiber.Ctx) (*authgear.Identity, bool) { return authgear.FromContext(c) }

// User returns the user who sent the request: nil and false for a client too.
func User(c fiber.Ctx) (*authgear.Identity, bool) { return authgear.UserFromContext(c) }

// MustUser returns the user who sent the request, and panics without one. Use it
// behind [Guard.Require], which admits users only unless a policy names clients.
func MustUser(c fiber.Ctx) *authgear.Identity { return authgear.MustUserFromContext(c) }

// WithIdentity puts the identity into the context, for tests of handlers. It
// satisfies no guard.
func WithIdentity(c fiber.Ctx, identity *authgear.Identity) {
	view(c).HandOn(authgear.NewContext(contextOf(c), identity))
}

// Refused returns why a guard has refused the request, in a custom error handler
// or in middleware around the guard.
func Refused(c fiber.Ctx) (*authgear.Error, bool) { return guard.Refused(c) }
