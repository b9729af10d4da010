package authgeargin

import (
	"github.com/gin-gonic/gin"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Config configures [New]. The zero value is right for most services.
type Config struct {
	authgear.Options
	// ErrorHandler, when not nil, may write another answer to a refused
	// request, which is aborted and whose error is in c.Errors. Challenge and
	// cache fields are set already. When it writes nothing and sets no status,
	// the default answer stands.
	ErrorHandler func(*gin.Context, *authgear.Error)
}

// Guard makes middleware for groups and routes.
type Guard struct {
	guard        *guard.Guard
	errorHandler func(*gin.Context, *authgear.Error)
}

// New returns a guard for the authenticator. It panics when that is nil,
// and for options with a mistake.
func New(authenticator authgear.Authenticator, config ...Config) *Guard {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	return &Guard{guard: guard.New(authenticator, c.Options), errorHandler: c.ErrorHandler}
}

// Require returns middleware that lets a request go on when its sender is known
// and all policies allow it.
func (g *Guard) Require(policies ...authgear.Policy) gin.HandlerFunc {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route on which no answer about a session may be
// older than the request, such as a payment. It panics when the authenticator
// cannot ask each time: only a [authgear.FreshAuthenticator] can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) gin.HandlerFunc {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that lets a request go on with and without an
// identity. A Bearer token that is not valid is refused all the same, and so is
// every request whose sender cannot be told now; a stale cookie is not, since
// browsers send those unasked.
func (g *Guard) Optional() gin.HandlerFunc {
	return g.middleware(g.guard.Optional())
}

func (g *Guard) middleware(check *guard.Check) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, refusal := check.Run(c.Request.Context(), guard.HTTP(c.Request), c.Writer.Header())
		Strip(c)
		if refusal != nil {
			g.refuse(c, refusal)
			return
		}
		setContext(c, ctx)
	}
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
// fields that only a reverse proxy may set, as every guard does on its routes.
func Strip(c *gin.Context) { guard.StripHTTP(c.Request.Header) }
