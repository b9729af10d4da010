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
	// "https://app.example.com". Their pages may send unsafe requests and Upgrades
	// with the user's cookies. A sibling subdomain is another website, and so is
	// another port. A request with a Bearer token needs no trusted origin.
	// (http.CrossOriginProtection decides.)
	TrustedOrigins []string
	// Observer is told of each decision. nil: the authenticator's Observer.
	Observer *authgear.Observer
	// Skipper, when not nil, selects requests that the guard does not check. It
	// removes their X-Authgear-* headers all the same.
	Skipper func(*echo.Context) bool
	// ErrorHandler, when not nil, may write another answer to a refused request.
	// Challenge and cache headers are set already. If the handler writes nothing, the
	// guard writes the default answer, whatever the handler returns.
	ErrorHandler func(*echo.Context, *authgear.Error) error
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard  *guard.Guard
	config Config
}

// New returns a guard for the authenticator. It panics if the authenticator is nil,
// or if the configuration has a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	return &Guard{guard.New(authenticator, guard.Config{TrustedOrigins: c.TrustedOrigins, Observer: c.Observer}), c}
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
func (g *Guard) Optional() echo.MiddlewareFunc { return g.middleware(g.guard.Optional()) }

// middleware returns the middleware of a check. If check is nil, it is the middleware
// of [Strip].
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

// Refuse refuses a request from within a handler, as the guard itself does. An
// [*authgear.Error] decides the answer; any other error is answered as unavailable.
// The handler returns what Refuse returns.
func (g *Guard) Refuse(c *echo.Context, err error) error {
	r, refusal := guard.Refuse(c.Request().Context(), g.guard, guard.HTTP(c.Request()), c.Response().Header(), err)
	return g.refuse(handOn(c, r), refusal)
}

// refuse writes the answer itself, and returns nil. If it returned an error, the
// application's error handler might write a second answer.
func (g *Guard) refuse(c *echo.Context, refusal *guard.Refusal) error {
	// The writers of other middleware may hold back an answer, as Gzip's does, or not
	// tell whether an answer was written. Our own writer around theirs tells it.
	w := echo.NewResponse(c.Response(), c.Logger())
	if g.config.ErrorHandler != nil {
		c.SetResponse(w)
		refusal.ReportHandlerError(c.Request().Context(), g.config.ErrorHandler(c, refusal.Err))
		c.SetResponse(w.Unwrap())
	}
	// A handler may have begun its own answer before it refuses.
	if earlier, _ := echo.UnwrapResponse(w.Unwrap()); !w.Committed && (earlier == nil || !earlier.Committed) {
		refusal.Write(w)
	}
	return nil
}

// Strip is middleware for routes without a guard: it removes the X-Authgear-*
// headers that only a reverse proxy may set, as every guard does on its routes.
func Strip(next echo.HandlerFunc) echo.HandlerFunc { return (&Guard{}).middleware(nil)(next) }

// Identity returns who sent the request, a user or a client. It returns nil and
// false on a route without a guard, and on an optional route when there is no
// identity.
func Identity(c *echo.Context) (*authgear.Identity, bool) { return authgear.FromContext(found(c)) }

// User returns the user who sent the request. It returns nil and false where
// [Identity] does, and when a client sent the request.
func User(c *echo.Context) (*authgear.Identity, bool) { return authgear.UserFromContext(found(c)) }

// MustUser returns the user who sent the request, and panics if there is none. Use
// it behind [Guard.Require], which allows only users unless a policy names clients.
func MustUser(c *echo.Context) *authgear.Identity { return authgear.MustUserFromContext(found(c)) }

// Refused returns why a guard has refused the request. It is for custom error
// handlers, and for middleware around the guard.
func Refused(c *echo.Context) (*authgear.Error, bool) { return guard.Refused(found(c)) }

// WithIdentity puts the identity into the request, for tests of handlers. No guard
// accepts this identity.
func WithIdentity(c *echo.Context, identity *authgear.Identity) {
	handOn(c, c.Request().WithContext(authgear.NewContext(c.Request().Context(), identity)))
}

// Policy makes a policy from a function that gets echo's context, with the path
// parameters and the identity in it. When the function returns nil, the policy
// allows the request; [authgear.Deny] denies it; [authgear.Unavailable] and any
// other error mean that nobody can decide now. The function can pass what it has
// loaded to the handler by c.Set. In a guard of another framework the policy
// denies.
//
// The policy names no kind of identity. The function may run twice for one request
// (see [authgear.RecentAuth]). Policy panics if the function is nil.
func Policy(check func(*echo.Context, *authgear.Identity) error) authgear.Policy {
	return guard.Policy(check, handOn)
}

// Self allows the user whose id is the value of this path parameter of the route,
// such as Self("id") for "/users/:id". It denies if there is no such parameter.
// Self panics for the name "".
func Self(parameter string) authgear.Policy {
	return guard.Self[*echo.Context, *http.Request](parameter, (*echo.Context).Param)
}

// handOn sets the request. It also keeps the request's context by c.Set, since
// middleware around the guard, such as for tracing, may put back the request that it
// got.
func handOn(c *echo.Context, r *http.Request) *echo.Context {
	c.SetRequest(r)
	c.Set(guard.ContextKey, r.Context())
	return c
}

// found returns the context in which accessors look. This is the request's context. If
// middleware has put back an earlier request, it is the context that a guard has handed
// on.
func found(c *echo.Context) context.Context {
	return guard.HandedOn(c.Request().Context(), c.Get(guard.ContextKey))
}
