package authgeargin

import (
	"github.com/gin-gonic/gin"

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
	// ErrorHandler, when not nil, may write another answer to a refused request. The
	// request is aborted already, its error is in c.Errors, and challenge and cache
	// headers are set. If the handler writes nothing and sets no status, the guard
	// writes the default answer.
	ErrorHandler func(*gin.Context, *authgear.Error)
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard        *guard.Guard
	errorHandler func(*gin.Context, *authgear.Error)
}

// New returns a guard for the authenticator. It panics if the authenticator is nil,
// or if the configuration has a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	return &Guard{guard: guard.New(authenticator, guard.Config{TrustedOrigins: c.TrustedOrigins, Observer: c.Observer}), errorHandler: c.ErrorHandler}
}

// Require returns middleware that allows a request when its sender is known and all
// policies allow the sender. The sender must be a user, unless a policy names other
// kinds. Require panics if the policies have a mistake.
func (g *Guard) Require(policies ...authgear.Policy) gin.HandlerFunc {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route, such as a payment, on which no
// answer about a session may be older than the request. It panics if the
// authenticator cannot ask for each request: only a [authgear.FreshAuthenticator]
// can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) gin.HandlerFunc {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that allows requests with and without an identity. It
// still refuses an invalid Bearer token, and every request whose sender cannot be
// determined now. It does not refuse a stale cookie, since browsers send cookies
// unasked.
func (g *Guard) Optional() gin.HandlerFunc {
	return g.middleware(g.guard.Optional())
}

func (g *Guard) middleware(check *guard.Check) gin.HandlerFunc {
	return func(c *gin.Context) {
		r, refusal := guard.Run(c.Request.Context(), check, guard.HTTP(c.Request), c.Writer.Header(), c)
		setRequest(c, r)
		if refusal != nil {
			g.refuse(c, refusal)
		}
	}
}

// Refuse refuses a request from within a handler, as the guard itself does. An
// [*authgear.Error] decides the answer; any other error is answered as unavailable.
func (g *Guard) Refuse(c *gin.Context, err error) {
	r, refusal := guard.Refuse(c.Request.Context(), g.guard, guard.HTTP(c.Request), c.Writer.Header(), err)
	setRequest(c, r)
	g.refuse(c, refusal)
}

func (g *Guard) refuse(c *gin.Context, refusal *guard.Refusal) {
	c.Abort()
	_ = c.Error(refusal.Err) // it returns its argument
	if g.errorHandler != nil {
		status := c.Writer.Status()
		g.errorHandler(c, refusal.Err)
		// gin keeps a status without a body, such as a redirect of a POST,
		// until the end of the request.
		if c.Writer.Written() || c.Writer.Status() != status {
			return
		}
	}
	refusal.Write(c.Writer)
}

// Strip is middleware for routes without a guard: it removes the X-Authgear-*
// headers that only a reverse proxy may set, as every guard does on its routes.
func Strip(c *gin.Context) {
	c.Request = guard.Strip(c.Request.Context(), guard.HTTP(c.Request))
}
