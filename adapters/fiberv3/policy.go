package authgearfiberv3

import (
	"github.com/gofiber/fiber/v3"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Policy makes a policy of a function that gets fiber's context, with path
// parameters, and with the identity in it: nil allows, [authgear.Deny] denies,
// [authgear.Unavailable] and any other error say that nobody can tell now. By
// c.Locals it gives the handler what it has loaded. In a guard of another
// framework the policy denies.
//
// It names no kind, and may run twice for one request (see
// [authgear.RecentAuth]). It panics for nil.
func Policy(check func(fiber.Ctx, *authgear.Identity) error) authgear.Policy {
	return guard.Policy(check, func(_, c fiber.Ctx) fiber.Ctx { return c })
}

// Self allows the user whose id is the value of the route's path parameter, such
// as Self("id") for "/users/:id". It denies where there is no such parameter, and
// panics for "".
func Self(parameter string) authgear.Policy {
	return guard.Self[fiber.Ctx, fiber.Ctx](parameter, func(c fiber.Ctx, name string) string { return c.Params(name) })
}
