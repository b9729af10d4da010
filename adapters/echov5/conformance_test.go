package authgearechov5_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestConformance(t *testing.T) {
	guardtest.Run(t, guardtest.Adapter{Mount: mount, Self: authgearechov5.Self, Policy: policy})
}

func policy(check func(guardtest.Context, *authgear.Identity) error) authgear.Policy {
	if check == nil {
		return authgearechov5.Policy(nil)
	}
	return authgearechov5.Policy(func(c *echo.Context, identity *authgear.Identity) error { return check(&view{c: c}, identity) })
}

func mount(t *testing.T, app guardtest.App) string {
	t.Helper()
	guards := make([]*authgearechov5.Guard, len(app.Guards))
	for i, g := range app.Guards {
		guards[i] = authgearechov5.New(g.Authenticator, authgearechov5.Config{TrustedOrigins: g.Config.TrustedOrigins, Observer: g.Config.Observer, ErrorHandler: errorHandler(g.OnError)})
	}
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{DisablePrintStack: true}))
	for _, route := range app.Routes {
		var steps []echo.MiddlewareFunc
		for _, step := range route.Steps {
			switch step.Kind {
			case guardtest.Require:
				steps = append(steps, guards[step.Guard].Require(step.Policies...))
			case guardtest.Optional:
				steps = append(steps, guards[step.Guard].Optional())
			case guardtest.RequireFresh:
				steps = append(steps, guards[step.Guard].RequireFresh(step.Policies...))
			case guardtest.Strip:
				steps = append(steps, authgearechov5.Strip)
			case guardtest.OtherCookie:
				steps = append(steps, otherCookie)
			case guardtest.Tracing:
				steps = append(steps, tracing)
			case guardtest.AccessLog:
				steps = append(steps, accessLog(app.Log))
			}
		}
		e.Any(guardtest.Colons(route.Path), func(c *echo.Context) error {
			v := view{c: c, guards: guards}
			if status, body := route.Handler(&v); status != 0 {
				return c.String(status, body)
			}
			return v.err
		}, steps...)
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func otherCookie(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		c.SetCookie(&http.Cookie{Name: "other", Value: "middleware"})
		return next(c)
	}
}

func accessLog(log func(*authgear.Identity, *authgear.Error)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			err := next(c)
			identity, _ := authgearechov5.Identity(c)
			refused, _ := authgearechov5.Refused(c)
			log(identity, refused)
			return err
		}
	}
}

func tracing(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		before := c.Request()
		defer c.SetRequest(before)
		c.SetRequest(before.WithContext(context.WithValue(before.Context(), spanKey{}, "span")))
		return next(c)
	}
}

type spanKey struct{}

func errorHandler(kind guardtest.OnError) func(*echo.Context, *authgear.Error) error {
	switch kind {
	case guardtest.Default:
		return nil
	case guardtest.Writes:
		return func(c *echo.Context, _ *authgear.Error) error {
			return c.String(http.StatusTeapot, guardtest.CustomBody)
		}
	case guardtest.Tells:
		return func(c *echo.Context, _ *authgear.Error) error {
			identity, _ := authgearechov5.Identity(c)
			refused, _ := authgearechov5.Refused(c)
			return c.String(http.StatusTeapot, guardtest.Told(identity, refused))
		}
	case guardtest.Redirects:
		return func(c *echo.Context, _ *authgear.Error) error { return c.Redirect(http.StatusSeeOther, "/login") }
	case guardtest.ReturnsGiven:
		return func(_ *echo.Context, err *authgear.Error) error { return err }
	case guardtest.ReturnsOther:
		return func(*echo.Context, *authgear.Error) error { return guardtest.ErrOther }
	default:
		return func(*echo.Context, *authgear.Error) error { return nil }
	}
}

type view struct {
	c      *echo.Context
	guards []*authgearechov5.Guard
	err    error // the handler returns it
}

func (v *view) Identity() (*authgear.Identity, bool) { return authgearechov5.Identity(v.c) }
func (v *view) User() (*authgear.Identity, bool)     { return authgearechov5.User(v.c) }
func (v *view) MustUser() *authgear.Identity         { return authgearechov5.MustUser(v.c) }
func (v *view) Param(name string) string             { return v.c.Param(name) }
func (v *view) Set(key string, value any)            { v.c.Set(key, value) }
func (v *view) Get(key string) any                   { return v.c.Get(key) }
func (v *view) PassedOn() []context.Context          { return []context.Context{v.c.Request().Context()} }

func (v *view) Refuse(guard int, err error) { v.err = v.guards[guard].Refuse(v.c, err) }

func (v *view) Headers() map[string][]string {
	_, _ = io.Copy(io.Discard, v.c.Request().Body)
	return v.c.Request().Header
}

func (v *view) Trailers() map[string][]string {
	_, _ = io.Copy(io.Discard, v.c.Request().Body)
	return v.c.Request().Trailer
}

func (v *view) Within(path string, header http.Header, peer net.Addr) (int, string) {
	return guardtest.Within(v.c.Request().Context(), v.c.Echo(), path, header, peer)
}

func (v *view) SetCookie(name, value string) {
	v.c.SetCookie(&http.Cookie{Name: name, Value: value, Path: "/"})
}

func (v *view) Stream(write func(io.Writer, func())) {
	write(v.c.Response(), func() { _ = http.NewResponseController(v.c.Response()).Flush() })
}
