package authgearhttp

import (
	"net/http"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Config configures [New]. The zero value is right for most services.
type Config struct {
	authgear.Options
	// ErrorHandler, when not nil, may write another answer to a refused
	// request. Challenge and cache fields are set already. When it writes
	// nothing, the default answer stands.
	ErrorHandler func(http.ResponseWriter, *http.Request, *authgear.Error)
}

// Guard makes middleware for routes.
type Guard struct {
	guard        *guard.Guard
	errorHandler func(http.ResponseWriter, *http.Request, *authgear.Error)
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
func (g *Guard) Require(policies ...authgear.Policy) func(http.Handler) http.Handler {
	return g.middleware(g.guard.Require(policies...))
}

// RequireFresh is [Guard.Require] for a route on which no answer about a session may be
// older than the request, such as a payment. It panics when the authenticator
// cannot ask each time: only a [authgear.FreshAuthenticator] can.
func (g *Guard) RequireFresh(policies ...authgear.Policy) func(http.Handler) http.Handler {
	return g.middleware(g.guard.RequireFresh(policies...))
}

// Optional returns middleware that lets a request go on with and without an
// identity. A Bearer token that is not valid is refused all the same, and so is
// every request whose sender cannot be told now; a stale cookie is not, since
// browsers send those unasked.
func (g *Guard) Optional() func(http.Handler) http.Handler {
	return g.middleware(g.guard.Optional())
}

func (g *Guard) middleware(check *guard.Check) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, refusal := check.Run(r.Context(), guard.HTTP(r), w.Header())
			guard.StripHTTP(r.Header)
			if refusal != nil {
				g.refuse(w, r, refusal)
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, refusal *guard.Refusal) {
	if g.errorHandler != nil {
		watched := &watchedWriter{ResponseWriter: w}
		g.errorHandler(watched, r, refusal.Err)
		if watched.written {
			return
		}
	}
	refusal.Write(w)
}

// watchedWriter notices whether a custom error handler wrote an answer.
type watchedWriter struct {
	http.ResponseWriter
	written bool
}

func (w *watchedWriter) WriteHeader(status int) {
	w.written = w.written || status >= 200 || status == http.StatusSwitchingProtocols // other 1xx come before the answer
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(b []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(b)
}

// FlushError sends the fields, if nothing else: that is an answer too.
func (w *watchedWriter) FlushError() error {
	w.written = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap gives http.ResponseController the server's own writer.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Strip is middleware for routes without a guard: it removes the X-Authgear-*
// fields that only a reverse proxy may set, as every guard does on its routes.
func Strip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guard.StripHTTP(r.Header)
		next.ServeHTTP(w, r)
	})
}
