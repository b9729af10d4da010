package authgearfiberv3_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/valyala/fasthttp"

	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestConformance(t *testing.T) {
	for name, config := range map[string]fiber.Config{
		"default":                    {},
		"Immutable":                  {Immutable: true},
		"DisableHeaderNormalizing":   {DisableHeaderNormalizing: true},
		"CaseSensitive and strict":   {CaseSensitive: true, StrictRouting: true},
		"UnescapePath":               {UnescapePath: true},
		"StreamRequestBody, no read": {StreamRequestBody: true},
	} {
		t.Run(name, func(t *testing.T) { run(t, config, fiber.New) })
	}
	t.Run("a context of its own", func(t *testing.T) { run(t, fiber.Config{}, newWithOwnContext) })
}

func run(t *testing.T, config fiber.Config, newApp func(...fiber.Config) *fiber.App) {
	t.Helper()
	config.ReadBufferSize = 32 << 10
	guardtest.Run(t, guardtest.Adapter{Mount: mount(config, newApp), Self: authgearfiberv3.Self, Policy: policy})
}

// ownContext is an application's own context, built on fiber's.
type ownContext struct{ *fiber.DefaultCtx }

func newWithOwnContext(config ...fiber.Config) *fiber.App {
	return fiber.NewWithCustomCtx(func(app *fiber.App) fiber.CustomCtx { return &ownContext{fiber.NewDefaultCtx(app)} }, config...)
}

func policy(check func(guardtest.Context, *authgear.Identity) error) authgear.Policy {
	if check == nil {
		return authgearfiberv3.Policy(nil)
	}
	return authgearfiberv3.Policy(func(c fiber.Ctx, identity *authgear.Identity) error { return check(&view{c: c}, identity) })
}

func mount(config fiber.Config, newApp func(...fiber.Config) *fiber.App) guardtest.Mount {
	return func(t *testing.T, app guardtest.App) string {
		t.Helper()
		f := newApp(config)
		f.Use(recover.New(), takeOuter)
		guards := make([]*authgearfiberv3.Guard, len(app.Guards))
		for i, g := range app.Guards {
			guards[i] = authgearfiberv3.New(g.Authenticator, authgearfiberv3.Config{TrustedOrigins: g.Config.TrustedOrigins, Observer: g.Config.Observer, ErrorHandler: errorHandler(g.OnError)})
		}
		for _, route := range app.Routes {
			var handlers []any
			for _, step := range route.Steps {
				switch step.Kind {
				case guardtest.Require:
					handlers = append(handlers, guards[step.Guard].Require(step.Policies...))
				case guardtest.Optional:
					handlers = append(handlers, guards[step.Guard].Optional())
				case guardtest.RequireFresh:
					handlers = append(handlers, guards[step.Guard].RequireFresh(step.Policies...))
				case guardtest.Strip:
					handlers = append(handlers, authgearfiberv3.Strip)
				case guardtest.OtherCookie:
					handlers = append(handlers, otherCookie)
				case guardtest.Tracing:
					handlers = append(handlers, tracing)
				case guardtest.AccessLog:
					handlers = append(handlers, accessLog(app.Log))
				}
			}
			handlers = append(handlers, func(c fiber.Ctx) error {
				v := view{c: c, guards: guards}
				if status, body := route.Handler(&v); status != 0 {
					return c.Status(status).SendString(body)
				}
				return v.err
			})
			f.All(guardtest.Colons(route.Path), handlers[0], handlers[1:]...)
		}
		return serve(t, f)
	}
}

// serve serves the application until the test ends.
func serve(t *testing.T, app *fiber.App) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func otherCookie(c fiber.Ctx) error {
	c.Cookie(&fiber.Cookie{Name: "other", Value: "middleware"})
	return c.Next()
}

func accessLog(log func(*authgear.Identity, *authgear.Error)) fiber.Handler {
	return func(c fiber.Ctx) error {
		err := c.Next()
		identity, _ := authgearfiberv3.Identity(c)
		refused, _ := authgearfiberv3.Refused(c)
		log(identity, refused)
		return err
	}
}

func tracing(c fiber.Ctx) error {
	before := c.Context()
	defer c.SetContext(before)
	c.SetContext(context.WithValue(before, spanKey{}, "span"))
	return c.Next()
}

type spanKey struct{}

// outerKey is the key of the context in which the application serves its own request.
type outerKey struct{}

func takeOuter(c fiber.Ctx) error {
	if outer, ok := c.Locals(outerKey{}).(context.Context); ok {
		c.SetContext(outer)
	}
	return c.Next()
}

func errorHandler(kind guardtest.OnError) func(fiber.Ctx, *authgear.Error) error {
	switch kind {
	case guardtest.Default:
		return nil
	case guardtest.Writes:
		return func(c fiber.Ctx, _ *authgear.Error) error {
			return c.Status(fiber.StatusTeapot).SendString(guardtest.CustomBody)
		}
	case guardtest.Tells:
		return func(c fiber.Ctx, _ *authgear.Error) error {
			identity, _ := authgearfiberv3.Identity(c)
			refused, _ := authgearfiberv3.Refused(c)
			return c.Status(fiber.StatusTeapot).SendString(guardtest.Told(identity, refused))
		}
	case guardtest.Redirects:
		return func(c fiber.Ctx, _ *authgear.Error) error { return c.Redirect().To("/login") }
	case guardtest.ReturnsGiven:
		return func(_ fiber.Ctx, err *authgear.Error) error { return err }
	case guardtest.ReturnsOther:
		return func(fiber.Ctx, *authgear.Error) error { return guardtest.ErrOther }
	default:
		return func(fiber.Ctx, *authgear.Error) error { return nil }
	}
}

type view struct {
	c      fiber.Ctx
	guards []*authgearfiberv3.Guard
	err    error // the handler returns it
}

func (v *view) Identity() (*authgear.Identity, bool) { return authgearfiberv3.Identity(v.c) }
func (v *view) User() (*authgear.Identity, bool)     { return authgearfiberv3.User(v.c) }
func (v *view) MustUser() *authgear.Identity         { return authgearfiberv3.MustUser(v.c) }

func (v *view) Param(name string) string  { return v.c.Params(name) }
func (v *view) Set(key string, value any) { v.c.Locals(key, value) }
func (v *view) Get(key string) any        { return v.c.Locals(key) }

func (v *view) PassedOn() []context.Context {
	return []context.Context{v.c.Context(), v.c, v.c.RequestCtx()}
}

func (v *view) Headers() map[string][]string {
	if !v.c.App().Config().StreamRequestBody { // otherwise reading the body lets trailers into the header
		v.c.Body()
	}
	headers := map[string][]string{}
	for name, value := range v.c.Request().Header.All() {
		headers[string(name)] = append(headers[string(name)], string(value))
	}
	return headers
}

func (v *view) Trailers() map[string][]string { return nil }

func (v *view) Refuse(guard int, err error) { v.err = v.guards[guard].Refuse(v.c, err) }

func (v *view) Within(path string, header http.Header, peer net.Addr) (int, string) {
	var c fasthttp.RequestCtx
	c.Init(&fasthttp.Request{}, peer, nil)
	c.Request.SetRequestURI("http://api.example.com" + path)
	for name, values := range header {
		for _, value := range values {
			c.Request.Header.Add(name, value)
		}
	}
	c.SetUserValue(outerKey{}, v.c.Context())
	v.c.App().Handler()(&c)
	return c.Response.StatusCode(), string(c.Response.Body())
}

func (v *view) SetCookie(name, value string) {
	v.c.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/"})
}

func (v *view) Stream(write func(io.Writer, func())) {
	v.c.RequestCtx().SetBodyStreamWriter(func(w *bufio.Writer) {
		write(w, func() { _ = w.Flush() })
	})
}
