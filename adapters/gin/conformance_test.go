package authgeargin_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	gin.DefaultErrorWriter = io.Discard // gin.Recovery writes here
	m.Run()
}

func TestConformance(t *testing.T) {
	guardtest.Run(t, guardtest.Adapter{Mount: mount, Self: authgeargin.Self, Policy: policy})
}

func policy(check func(guardtest.Context, *authgear.Identity) error) authgear.Policy {
	if check == nil {
		return authgeargin.Policy(nil)
	}
	return authgeargin.Policy(func(c *gin.Context, identity *authgear.Identity) error { return check(view{c: c}, identity) })
}

func mount(t *testing.T, app guardtest.App) string {
	t.Helper()
	guards := make([]*authgeargin.Guard, len(app.Guards))
	for i, g := range app.Guards {
		guards[i] = authgeargin.New(g.Authenticator, authgeargin.Config{TrustedOrigins: g.Config.TrustedOrigins, Observer: g.Config.Observer, ErrorHandler: errorHandler(g.OnError)})
	}
	r := gin.New()
	r.Use(gin.Recovery())
	for _, route := range app.Routes {
		var handlers []gin.HandlerFunc
		for _, step := range route.Steps {
			switch step.Kind {
			case guardtest.Require:
				handlers = append(handlers, guards[step.Guard].Require(step.Policies...))
			case guardtest.Optional:
				handlers = append(handlers, guards[step.Guard].Optional())
			case guardtest.RequireFresh:
				handlers = append(handlers, guards[step.Guard].RequireFresh(step.Policies...))
			case guardtest.Strip:
				handlers = append(handlers, authgeargin.Strip)
			case guardtest.OtherCookie:
				handlers = append(handlers, func(c *gin.Context) { c.SetCookie("other", "middleware", 0, "", "", false, false) })
			case guardtest.Tracing:
				handlers = append(handlers, tracing)
			case guardtest.AccessLog:
				handlers = append(handlers, func(c *gin.Context) {
					c.Next()
					identity, _ := authgeargin.Identity(c)
					refused, _ := authgeargin.Refused(c)
					app.Log(identity, refused)
				})
			}
		}
		r.Any(guardtest.Colons(route.Path), append(handlers, func(c *gin.Context) {
			if status, body := route.Handler(view{c, r, guards}); status != 0 {
				c.Data(status, "text/plain", []byte(body))
			}
		})...)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func tracing(c *gin.Context) {
	before := c.Request
	c.Request = before.WithContext(context.WithValue(before.Context(), spanKey{}, "span"))
	c.Next()
	c.Request = before
}

type spanKey struct{}

func errorHandler(kind guardtest.OnError) func(*gin.Context, *authgear.Error) {
	switch kind {
	case guardtest.Default:
		return nil
	case guardtest.Writes:
		return func(c *gin.Context, _ *authgear.Error) { c.String(http.StatusTeapot, guardtest.CustomBody) }
	case guardtest.Tells:
		return func(c *gin.Context, _ *authgear.Error) {
			identity, _ := authgeargin.Identity(c)
			refused, _ := authgeargin.Refused(c)
			c.String(http.StatusTeapot, guardtest.Told(identity, refused))
		}
	case guardtest.Redirects:
		return func(c *gin.Context, _ *authgear.Error) { c.Redirect(http.StatusSeeOther, "/login") }
	default:
		return func(*gin.Context, *authgear.Error) {}
	}
}

type view struct {
	c      *gin.Context
	app    http.Handler
	guards []*authgeargin.Guard
}

func (v view) Identity() (*authgear.Identity, bool) { return authgeargin.Identity(v.c) }
func (v view) User() (*authgear.Identity, bool)     { return authgeargin.User(v.c) }
func (v view) MustUser() *authgear.Identity         { return authgeargin.MustUser(v.c) }

func (v view) Param(name string) string  { return v.c.Param(name) }
func (v view) Set(key string, value any) { v.c.Set(key, value) }
func (v view) Get(key string) any        { return v.c.Value(key) }

func (v view) PassedOn() []context.Context {
	return []context.Context{v.c.Request.Context(), v.c, v.c.Copy(), v.c.Copy().Request.Context()}
}

func (v view) Refuse(guard int, err error) { v.guards[guard].Refuse(v.c, err) }

func (v view) Headers() map[string][]string {
	_, _ = io.Copy(io.Discard, v.c.Request.Body)
	return v.c.Request.Header
}

func (v view) Trailers() map[string][]string {
	_, _ = io.Copy(io.Discard, v.c.Request.Body)
	return v.c.Request.Trailer
}

func (v view) Within(path string, header http.Header, peer net.Addr) (int, string) {
	return guardtest.Within(v.c.Request.Context(), v.app, path, header, peer)
}

func (v view) SetCookie(name, value string) { v.c.SetCookie(name, value, 0, "/", "", false, false) }

func (v view) Stream(write func(io.Writer, func())) { write(v.c.Writer, v.c.Writer.Flush) }
