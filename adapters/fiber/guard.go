package authgearfiber

import (
	"github.com/gofiber/fiber/v2"

	authgearfasthttp "github.com/authgear/authgear-sdk-go/adapters/fasthttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Config configures [New]. The zero value is right for most services.
type Config struct {
	// TrustedOrigins are the origins of other websites, such as
	// "https://app.example.com". Their pages may send unsafe requests and Upgrades
	// with the user's cookies. A sibling subdomain is another website, and so is
	// another port. A request with a Bearer token needs no trusted origin.
	// (http.CrossOriginProtection decides.)
	TrustedOrigins []string
	// Observer is told of each decision. nil: the authenticator's Observer.
	Observer *authgear.Observer
	// Next, when not nil, selects requests that the guard does not check. It removes
	// their X-Authgear-* headers all the same.
	Next func(*fiber.Ctx) bool
	// ErrorHandler, when not nil, may write another answer to a refused request.
	// Challenge and cache headers are set already. If the handler sets no status and
	// writes no body, the guard writes the default answer, whatever the handler
	// returns.
	ErrorHandler func(*fiber.Ctx, *authgear.Error) error
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard  *guard.Guard
	config Config
	buffer authgearfasthttp.HeaderBuffer
}

// New returns a guard for the authenticator. It panics if the authenticator is nil,
// or if the configuration has a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	return &Guard{guard: guard.New(authenticator, guard.Config{TrustedOrigins: c.TrustedOrigins, Observer: c.Observer}), config: c}
}

// Require returns middleware that allows a request when its sender is known and all
// policies allow the sender. The sender must be a user, unless a policy names other
// kinds. Require panics if the policies have a mistake.
func (g *Guard) Require(policies ...authgear.Policy) fiber.Handler {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route, such as a payment, on which no
// answer about a session may be older than the request. It panics if the
// authenticator cannot ask for each request: only a [authgear.FreshAuthenticator]
// can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) fiber.Handler {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that allows requests with and without an identity. It
// still refuses an invalid Bearer token, and every request whose sender cannot be
// determined now. It does not refuse a stale cookie, since browsers send cookies
// unasked.
func (g *Guard) Optional() fiber.Handler {
	return g.middleware(g.guard.Optional())
}

func (g *Guard) middleware(check *guard.Check) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if g.config.Next != nil && g.config.Next(c) {
			return Strip(c)
		}
		ctx, r := c.UserContext(), view(c)
		g.buffer.Look(ctx, g.guard, c.App().Server())
		if _, refusal := guard.Run(ctx, check, r, r.ResponseHeader(), c); refusal != nil {
			r.Refuse(refusal, c.App().Server(), g.config.ErrorHandler)
			return nil // fiber's error handler would write another answer
		}
		return c.Next()
	}
}

// Refuse refuses a request from within a handler, as the guard itself does. An
// [*authgear.Error] decides the answer; any other error is answered as unavailable.
// The handler returns what Refuse returns.
func (g *Guard) Refuse(c *fiber.Ctx, err error) error {
	r := view(c)
	_, refusal := guard.Refuse(c.UserContext(), g.guard, r, r.ResponseHeader(), err)
	r.Refuse(refusal, c.App().Server(), g.config.ErrorHandler)
	return nil
}

// Strip is middleware for routes without a guard: it removes the X-Authgear-*
// headers that only a reverse proxy may set, as every guard does on its routes.
func Strip(c *fiber.Ctx) error {
	return guard.Strip(c.UserContext(), view(c)).Next()
}

// CloseUnread makes the application close a connection on which a part of the last
// request's body may be left. fasthttp would run this part as the next request.
// With StreamRequestBody the part is a body that nobody has read, or that is
// broken. Without DisablePreParseMultipartForm the part is what follows the end of
// a multipart form. Guards do so for requests that they refuse, but other answers
// have the same fault: 404, those of middleware before the guard, and the 400 to an
// unknown method, which no middleware sees. Call CloseUnread right after fiber.New,
// also for an application whose handlers pass requests to another application.
func CloseUnread(app *fiber.App) { authgearfasthttp.CloseUnread(app.Server()) }

func view(c *fiber.Ctx) *authgearfasthttp.Request[*fiber.Ctx] {
	return authgearfasthttp.NewRequest(c.Context(), c.Method(), c, (*fiber.Ctx).SetUserContext)
}
