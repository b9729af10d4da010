package authgearecho

import (
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

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
	// Skipper, when not nil, selects requests that the guard does not check. It
	// removes their X-Authgear-* headers all the same.
	Skipper middleware.Skipper
	// ErrorHandler, when not nil, may write another answer to a refused request.
	// Challenge and cache headers are set already. If the handler writes nothing, the
	// guard writes the default answer, whatever the handler returns.
	ErrorHandler func(echo.Context, *authgear.Error) error
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard        *guard.Guard
	skipper      middleware.Skipper
	errorHandler func(echo.Context, *authgear.Error) error
}

// New returns a guard for the authenticator. It panics if the authenticator is nil,
// or if the configuration has a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	if c.Skipper == nil {
		c.Skipper = middleware.DefaultSkipper
	}
	return &Guard{guard: guard.New(authenticator, guard.Config{TrustedOrigins: c.TrustedOrigins, Observer: c.Observer}), skipper: c.Skipper, errorHandler: c.ErrorHandler}
}

// Require returns middleware that allows a request when its sender is known and all
// policies allow the sender. The sender must be a user, unless a policy names other
// kinds. Require panics if the policies have a mistake.
func (g *Guard) Require(policies ...authgear.Policy) echo.MiddlewareFunc {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route, such as a payment, on which no
// answer about a session may be older than the request. It panics if the
// authenticator cannot ask for each request: only a [authgear.FreshAuthenticator]
// can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) echo.MiddlewareFunc {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that allows requests with and without an identity. It
// still refuses an invalid Bearer token, and every request whose sender cannot be
// determined now. It does not refuse a stale cookie, since browsers send cookies
// unasked.
func (g *Guard) Optional() echo.MiddlewareFunc {
	return g.middleware(g.guard.Optional())
}

func (g *Guard) middleware(check *guard.Check) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		stripped := Strip(next)
		return func(c echo.Context) error {
			if g.skipper(c) {
				return stripped(c)
			}
			r, refusal := guard.Run(c.Request().Context(), check, guard.HTTP(c.Request()), c.Response().Header(), c)
			c.SetRequest(r)
			if refusal != nil {
				return g.refuse(c, refusal)
			}
			return next(c)
		}
	}
}

// Refuse refuses a request from within a handler, as the guard itself does. An
// [*authgear.Error] decides the answer; any other error is answered as unavailable.
// The handler returns what Refuse returns.
func (g *Guard) Refuse(c echo.Context, err error) error {
	r, refusal := guard.Refuse(c.Request().Context(), g.guard, guard.HTTP(c.Request()), c.Response().Header(), err)
	c.SetRequest(r)
	return g.refuse(c, refusal)
}

// refuse writes the answer itself and returns nil. If it returned an error, echo's
// error handler would write a second answer, and echo's Timeout would drop the answer
// that was written.
func (g *Guard) refuse(c echo.Context, refusal *guard.Refusal) error {
	// Middleware around the guard, such as for tracing, may put back the request that
	// it got, so the context is kept here too. This is done only for refusals, since
	// c.Set allocates.
	c.Set(guard.ContextKey, c.Request().Context())
	if g.errorHandler != nil {
		err := g.errorHandler(c, refusal.Err)
		refusal.ReportHandlerError(c.Request().Context(), err)
	}
	if !c.Response().Committed {
		refusal.Write(c.Response())
	}
	return nil
}

// Strip is middleware for routes without a guard: it removes the X-Authgear-*
// headers that only a reverse proxy may set, as every guard does on its routes.
func Strip(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.SetRequest(guard.Strip(c.Request().Context(), guard.HTTP(c.Request())))
		return next(c)
	}
}
