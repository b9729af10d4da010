package authgearfiber

import (
	"github.com/gofiber/fiber/v2"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Config configures [New]. The zero value is right for most services.
type Config struct {
	authgear.Options
	// Next, when not nil, names requests that the guard leaves alone, with
	// their X-Authgear-* fields removed all the same.
	Next func(*fiber.Ctx) bool
	// ErrorHandler, when not nil, may write another answer to a refused
	// request. Challenge and cache fields are set already. When it writes
	// neither a status nor a body, the default answer stands, whatever it
	// returns.
	ErrorHandler func(*fiber.Ctx, *authgear.Error) error
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard        *guard.Guard
	next         func(*fiber.Ctx) bool
	errorHandler func(*fiber.Ctx, *authgear.Error) error
}

// New returns a guard for the authenticator. It panics when that is nil,
// and for options with a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	return &Guard{guard: guard.New(authenticator, c.Options), next: c.Next, errorHandler: c.ErrorHandler}
}

// Require returns middleware that lets a request go on when its sender is known
// and all policies allow it.
func (g *Guard) Require(policies ...authgear.Policy) fiber.Handler {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route on which no answer about a session may be
// older than the request, such as a payment. It panics when the authenticator
// cannot ask each time: only a [authgear.FreshAuthenticator] can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) fiber.Handler {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that lets a request go on with and without an
// identity. A Bearer token that is not valid is refused all the same, and so is
// every request whose sender cannot be told now; a stale cookie is not, since
// browsers send those unasked.
func (g *Guard) Optional() fiber.Handler {
	return g.middleware(g.guard.Optional())
}

func (g *Guard) middleware(check *guard.Check) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if g.next != nil && g.next(c) {
			return Strip(c)
		}
		ctx, refusal := check.Run(c.UserContext(), newRequest(c), fields{&c.Response().Header})
		if refusal != nil {
			strip(c)
			return g.refuse(c, refusal)
		}
		setContext(c, ctx)
		return Strip(c)
	}
}

func (g *Guard) refuse(c *fiber.Ctx, refusal *guard.Refusal) error {
	c.Locals(errorKey, refusal.Err)
	response := c.Response()
	if g.errorHandler != nil {
		// What other middleware has left there is not an answer to a refusal.
		response.SetStatusCode(fiber.StatusOK)
		response.ResetBody()
		err := g.errorHandler(c, refusal.Err)
		refusal.ReportHandlerError(c.UserContext(), err)
		if response.StatusCode() != fiber.StatusOK || response.IsBodyStream() || len(response.Body()) > 0 {
			return nil
		}
	}
	response.SetStatusCode(refusal.Status)
	response.Header.SetContentType(guard.ContentType)
	response.SetBody(refusal.Body)
	return nil
}

// Strip is middleware for routes without a guard: it removes the X-Authgear-*
// fields that only a reverse proxy may set, as every guard does on its routes.
func Strip(c *fiber.Ctx) error {
	strip(c)
	return c.Next()
}
