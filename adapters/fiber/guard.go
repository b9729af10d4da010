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
	// "https://app.example.com", whose pages may send unsafe requests and
	// Upgrades with the user's cookies. A sibling subdomain is another website,
	// and so is another port. A request with a Bearer token needs none of this.
	// (See http.CrossOriginProtection, which decides.)
	TrustedOrigins []string
	// Observer is told of each decision. nil: the authenticator's.
	Observer *authgear.Observer
	// Next, when not nil, names requests that the guard leaves alone, with
	// their X-Authgear-* headers removed all the same.
	Next func(*fiber.Ctx) bool
	// ErrorHandler, when not nil, may write another answer to a refused
	// request. Challenge and cache headers are set already. When it writes
	// neither a status nor a body, the default answer stands, whatever it
	// returns.
	ErrorHandler func(*fiber.Ctx, *authgear.Error) error
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard  *guard.Guard
	config Config
	buffer authgearfasthttp.HeaderBuffer
}

// New returns a guard for the authenticator. It panics when that is nil, and for
// a configuration with a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	return &Guard{guard: guard.New(authenticator, guard.Config{TrustedOrigins: c.TrustedOrigins, Observer: c.Observer}), config: c}
}

// Require returns middleware that allows a request whose sender is known and
// whom all policies allow: a user, unless a policy names other kinds. It panics
// for policies with a mistake.
func (g *Guard) Require(policies ...authgear.Policy) fiber.Handler {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route on which no answer about a session
// may be older than the request, such as a payment. It panics when the
// authenticator cannot ask each time: only a [authgear.FreshAuthenticator] can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) fiber.Handler {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that allows a request with and without an
// identity. A Bearer token that is not valid is refused all the same, and so is
// every request whose sender cannot be told now; a stale cookie is not, since
// browsers send those unasked.
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

// Refuse refuses a request from within a handler, as the guard itself does: by
// an [*authgear.Error], or by any other error as unavailable. The handler
// returns what it returns.
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

// CloseUnread lets the application close a connection whose last request may have
// left a part of its body there, which fasthttp would run as the next request.
// That is a body that nobody has read, or that is broken, with StreamRequestBody,
// and what follows the end of a multipart form without DisablePreParseMultipartForm.
// Guards do so for what they refuse, but other answers have the same fault: 404,
// those of middleware before the guard, and the 400 to an unknown method, which no
// middleware sees. Call it right after fiber.New, also for an application whose
// handlers serve another one.
func CloseUnread(app *fiber.App) { authgearfasthttp.CloseUnread(app.Server()) }

func view(c *fiber.Ctx) *authgearfasthttp.Request[*fiber.Ctx] {
	return authgearfasthttp.NewRequest(c.Context(), c.Method(), c, (*fiber.Ctx).SetUserContext)
}
