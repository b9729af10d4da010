package authgearecho

import (
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Config configures [New]. The zero value is right for most services.
type Config struct {
	authgear.Options
	// Skipper, when not nil, names requests that the guard leaves alone, with
	// their X-Authgear-* fields removed all the same.
	Skipper middleware.Skipper
	// ErrorHandler, when not nil, may write another answer to a refused
	// request. Challenge and cache fields are set already. When it writes
	// nothing, the default answer stands, whatever it returns.
	ErrorHandler func(echo.Context, *authgear.Error) error
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard        *guard.Guard
	skipper      middleware.Skipper
	errorHandler func(echo.Context, *authgear.Error) error
}

// New returns a guard for the authenticator. It panics when that is nil,
// and for options with a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	if c.Skipper == nil {
		c.Skipper = middleware.DefaultSkipper
	}
	return &Guard{guard: guard.New(authenticator, c.Options), skipper: c.Skipper, errorHandler: c.ErrorHandler}
}

// Require returns middleware that lets a request go on when its sender is known
// and all policies allow it.
func (g *Guard) Require(policies ...authgear.Policy) echo.MiddlewareFunc {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route on which no answer about a session may be
// older than the request, such as a payment. It panics when the authenticator
// cannot ask each time: only a [authgear.FreshAuthenticator] can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) echo.MiddlewareFunc {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that lets a request go on with and without an
// identity. A Bearer token that is not valid is refused all the same, and so is
// every request whose sender cannot be told now; a stale cookie is not, since
// browsers send those unasked.
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
			r := c.Request()
			ctx, refusal := check.Run(r.Context(), guard.HTTP(r), c.Response().Header())
			if refusal != nil {
				guard.StripHTTP(r.Header)
				return g.refuse(c, refusal)
			}
			c.SetRequest(r.WithContext(ctx))
			return stripped(c)
		}
	}
}

// refuse writes the answer itself: echo's error handler would write another.
func (g *Guard) refuse(c echo.Context, refusal *guard.Refusal) error {
	if g.errorHandler != nil {
		err := g.errorHandler(c, refusal.Err)
		refusal.ReportHandlerError(c.Request().Context(), err)
	}
	if !c.Response().Committed {
		refusal.Write(c.Response())
	}
	return &echo.HTTPError{Code: c.Response().Status, Message: refusal.Err.Reason.Description(), Internal: refusal.Err}
}

// Strip is middleware for routes without a guard: it removes the X-Authgear-*
// fields that only a reverse proxy may set, as every guard does on its routes.
func Strip(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		guard.StripHTTP(c.Request().Header)
		return next(c)
	}
}
