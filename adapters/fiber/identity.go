package authgearfiber

import (
	"github.com/gofiber/fiber/v2"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Identity returns who sent the request, a user or a client. It returns nil and
// false on a route without a guard, and on an optional route when there is no
// identity. It stays valid after the handler has returned.
func Identity(c *fiber.Ctx) (*authgear.Identity, bool) { return authgear.FromContext(c.Context()) }

// User returns the user who sent the request. It returns nil and false where
// [Identity] does, and when a client sent the request.
func User(c *fiber.Ctx) (*authgear.Identity, bool) { return authgear.UserFromContext(c.Context()) }

// MustUser returns the user who sent the request, and panics if there is none. Use
// it behind [Guard.Require], which allows only users unless a policy names clients.
func MustUser(c *fiber.Ctx) *authgear.Identity { return authgear.MustUserFromContext(c.Context()) }

// WithIdentity puts the identity into the context, for tests of handlers. No guard
// accepts this identity.
func WithIdentity(c *fiber.Ctx, identity *authgear.Identity) {
	view(c).HandOn(authgear.NewContext(c.UserContext(), identity))
}

// Refused returns why a guard has refused the request. It is for custom error
// handlers, and for middleware around the guard.
func Refused(c *fiber.Ctx) (*authgear.Error, bool) { return guard.Refused(c.Context()) }
