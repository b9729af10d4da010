package authgearechov5

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v5"

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
	// Skipper, when not nil, names requests that the guard leaves alone, with
	// their X-Authgear-* headers removed all the same.
	Skipper func(*echo.Context) bool
	// ErrorHandler, when not nil, may write another answer to a refused
	// request. Challenge and cache headers are set already. When it writes
	// nothing, the default answer stands, whatever it returns.
	ErrorHandler func(*echo.Context, *authgear.Error) error
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard  *guard.Guard
	config Config
}

// New returns a guard for the authenticator. It panics when that is nil, and for
// a configuration with a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	return &Guard{guard.New(authenticator, guard.Config{TrustedOrigins: c.TrustedOrigins, Observer: c.Observer}), c}
}

// Require returns middleware that allows a request whose sender is known and
// whom all policies allow: a user, unless a policy names other kinds. It panics
// for policies with a mistake.
func (g *Guard) Require(policies ...authgear.Policy) echo.MiddlewareFunc {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route on which no answer about a session
// may be older than the request, such as a payment. It panics when the
// authenticator cannot ask each time: only a [authgear.FreshAuthenticator] can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) echo.MiddlewareFunc {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that allows a request with and without an
// identity. A Bearer token that is not valid is refused all the same, and so is
// every request whose sender cannot be told now; a stale cookie is not, since
// browsers send those unasked.
func (g *Guard) Optional() echo.MiddlewareFunc { return g.middleware(g.guard.Optional()) }

// middleware returns the middleware of a check; for nil, that of [Strip].
func (g *Guard) middleware(check *guard.Check) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			if check == nil || g.config.Skipper != nil && g.config.Skipper(c) {
				c.SetRequest(guard.Strip(c.Request().Context(), guard.HTTP(c.Request())))
				return next(c)
			}
			r, refusal := guard.Run(c.Request().Context(), check, guard.HTTP(c.Request()), c.Response().Header(), c)
			if handOn(c, r); refusal != nil {
				return g.refuse(c, refusal)
			}
			return next(c)
		}
	}
}

// Refuse refuses a request from within a handler, as the guard itself does: by
// an [*authgear.Error], or by any other error as unavailable. The handler
// returns what it returns.
func (g *Guard) Refuse(c *echo.Context, err error) error {
	r, refusal := guard.Refuse(c.Request().Context(), g.guard, guard.HTTP(c.Request()), c.Response().Header(), err)
	return g.refuse(handOn(c, r), refusal)
}

// refuse writes the answer itself, and returns nil. Were the error returned as well,
// the application's error handler might write a second answer.
func (g *Guard) refuse(c *echo.Context, refusal *guard.Refusal) error {
	// Middleware's writers may hold an answer back, as Gzip's does, or not tell whether
	// one was written. A writer of our own, around theirs, does tell.
	w := echo.NewResponse(c.Response(), c.Logger())
	if g.config.ErrorHandler != nil {
		c.SetResponse(w)
		refusal.ReportHandlerError(c.Request().Context(), g.config.ErrorHandler(c, refusal.Err))
		c.SetResponse(w.Unwrap())
	}
	// A handler may have begun an answer of its own before it refuses.
	if earlier, _ := echo.UnwrapResponse(w.Unwrap()); !w.Committed && (earlier == nil || !earlier.Committed) {
		refusal.Write(w)
	}
	return nil
}

// Strip is middleware for routes without a guard: it removes the X-Authgear-*
// headers that only a reverse proxy may set, as every guard does on its routes.
func Strip(next echo.HandlerFunc) echo.HandlerFunc { return (&Guard{}).middleware(nil)(next) }

// Identity returns who sent the request, a user or a client: nil and false on
// a route without a guard, or when an optional route found none.
func Identity(c *echo.Context) (*authgear.Identity, bool) { return authgear.FromContext(found(c)) }

// User returns the user who sent the request: nil and false for a client too.
func User(c *echo.Context) (*authgear.Identity, bool) { return authgear.UserFromContext(found(c)) }

// MustUser returns the user who sent the request, and panics without one. Use it
// behind [Guard.Require], which admits users only unless a policy names clients.
func MustUser(c *echo.Context) *authgear.Identity { return authgear.MustUserFromContext(found(c)) }

// Refused returns why a guard has refused the request, in a custom error handler
// or in middleware around the guard.
func Refused(c *echo.Context) (*authgear.Error, bool) { return guard.Refused(found(c)) }

// WithIdentity puts the identity into the request, for tests of handlers. It
// satisfies no guard.
func WithIdentity(c *echo.Context, identity *authgear.Identity) {
	handOn(c, c.Request().WithContext(authgear.NewContext(c.Request().Context(), identity)))
}

// Policy makes a policy of a function that gets echo's context, with path
// parameters, and with the identity in it: nil allows, [authgear.Deny] denies,
// [authgear.Unavailable] and any other error say that nobody can tell now. By
// c.Set it gives the handler what it has loaded. In a guard of another framework
// the policy denies.
//
// It names no kind, and may run twice for one request (see
// [authgear.RecentAuth]). It panics for nil.
func Policy(check func(*echo.Context, *authgear.Identity) error) authgear.Policy {
	return guard.Policy(check, handOn)
}

// Self allows the user whose id is the value of the route's path parameter, such
// as Self("id") for "/users/:id". It denies where there is no such parameter, and
// panics for "".
func Self(parameter string) authgear.Policy {
	return guard.Self[*echo.Context, *http.Request](parameter, (*echo.Context).Param)
}

// handOn sets the request, and by c.Set its context too: middleware around the
// guard, such as for tracing, may put back the request that it got.
func handOn(c *echo.Context, r *http.Request) *echo.Context {
	c.SetRequest(r)
	c.Set(guard.ContextKey, r.Context())
	return c
}

// found returns the context in which accessors look: the request's, or the one that
// a guard has handed on where the request was put back.
func found(c *echo.Context) context.Context {
	return guard.HandedOn(c.Request().Context(), c.Get(guard.ContextKey))
}
