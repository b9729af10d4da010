package authgeargin

import (
	"github.com/gin-gonic/gin"

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
	// ErrorHandler, when not nil, may write another answer to a refused
	// request, which is aborted and whose error is in c.Errors. Challenge and
	// cache headers are set already. When it writes nothing and sets no status,
	// the default answer stands.
	ErrorHandler func(*gin.Context, *authgear.Error)
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard        *guard.Guard
	errorHandler func(*gin.Context, *authgear.Error)
}

// New returns a guard for the authenticator. It panics when that is nil, and for
// a configuration with a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	return &Guard{guard: guard.New(authenticator, guard.Config{TrustedOrigins: c.TrustedOrigins, Observer: c.Observer}), errorHandler: c.ErrorHandler}
}

// Require returns middleware that allows a request whose sender is known and
// whom all policies allow: a user, unless a policy names other kinds. It panics
// for policies with a mistake.
func (g *Guard) Require(policies ...authgear.Policy) gin.HandlerFunc {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route on which no answer about a session
// may be older than the request, such as a payment. It panics when the
// authenticator cannot ask each time: only a [authgear.FreshAuthenticator] can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) gin.HandlerFunc {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that allows a request with and without an
// identity. A Bearer token that is not valid is refused all the same, and so is
// every request whose sender cannot be told now; a stale cookie is not, since
// browsers send those unasked.
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

// Refuse refuses a request from within a handler, as the guard itself does: by
// an [*authgear.Error], or by any other error as unavailable.
func (g *Guard) Refuse(c *gin.Context, err error) {
	r, refusal := guard.Refuse(c.Request.Context(), g.guard, guard.HTTP(c.Request), c.Writer.Header(), err)
	setRequest(c, r)
	g.refuse(c, refusal)
}

func (g *Guard) refuse(c *gin.Context, refusal *guard.Refusal) {
	c.Abort()
	_ = c.Error(refusal.Err) // returns what it was given
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
