package authgearfiber_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestConformance(t *testing.T) {
	for name, config := range map[string]fiber.Config{
		"as usual":                   {},
		"Immutable":                  {Immutable: true},
		"DisableHeaderNormalizing":   {DisableHeaderNormalizing: true},
		"CaseSensitive and strict":   {CaseSensitive: true, StrictRouting: true},
		"StreamRequestBody, no read": {StreamRequestBody: true},
	} {
		t.Run(name, func(t *testing.T) { guardtest.Run(t, mount(config)) })
	}
}

func mount(config fiber.Config) guardtest.Mount {
	config.DisableStartupMessage = true
	config.ReadBufferSize = 32 << 10
	return func(t *testing.T, app guardtest.App) string {
		t.Helper()
		f := fiber.New(config)
		f.Use(recover.New())
		guards := make([]*authgearfiber.Guard, len(app.Guards))
		for i, g := range app.Guards {
			guards[i] = authgearfiber.New(g.Authenticator, authgearfiber.Config{TrustedOrigins: g.Config.TrustedOrigins, Observer: g.Config.Observer, ErrorHandler: errorHandler(g.OnError)})
		}
		for _, route := range app.Routes {
			var handlers []fiber.Handler
			for _, step := range route.Steps {
				switch step.Kind {
				case guardtest.Require:
					handlers = append(handlers, guards[step.Guard].Require(step.Policies...))
				case guardtest.Optional:
					handlers = append(handlers, guards[step.Guard].Optional())
				case guardtest.RequireFresh:
					handlers = append(handlers, guards[step.Guard].RequireFresh(step.Policies...))
				case guardtest.Strip:
					handlers = append(handlers, authgearfiber.Strip)
				case guardtest.OtherCookie:
					handlers = append(handlers, otherCookie)
				}
			}
			f.All(route.Path, append(handlers, func(c *fiber.Ctx) error {
				if status, body := route.Handler(view{c, config.StreamRequestBody}); status != 0 {
					return c.Status(status).SendString(body)
				}
				return nil
			})...)
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
	go func() { served <- app.Listener(listener) }()
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

func otherCookie(c *fiber.Ctx) error {
	c.Cookie(&fiber.Cookie{Name: "other", Value: "middleware"})
	return c.Next()
}

func errorHandler(kind guardtest.OnError) func(*fiber.Ctx, *authgear.Error) error {
	switch kind {
	case guardtest.Default:
		return nil
	case guardtest.Writes:
		return func(c *fiber.Ctx, _ *authgear.Error) error {
			return c.Status(fiber.StatusTeapot).SendString(guardtest.CustomBody)
		}
	case guardtest.Redirects:
		return func(c *fiber.Ctx, _ *authgear.Error) error { return c.Redirect("/login", fiber.StatusSeeOther) }
	case guardtest.ReturnsGiven:
		return func(_ *fiber.Ctx, err *authgear.Error) error { return err }
	case guardtest.ReturnsOther:
		return func(*fiber.Ctx, *authgear.Error) error { return guardtest.ErrOther }
	default:
		return func(*fiber.Ctx, *authgear.Error) error { return nil }
	}
}

type view struct {
	c *fiber.Ctx
	// streamed: a handler that reads the body lets trailers into the header.
	streamed bool
}

func (v view) Identity() (*authgear.Identity, bool) { return authgearfiber.Identity(v.c) }
func (v view) User() (*authgear.Identity, bool)     { return authgearfiber.User(v.c) }
func (v view) MustUser() *authgear.Identity         { return authgearfiber.MustUser(v.c) }

func (v view) PassedOn() []context.Context {
	return []context.Context{v.c.UserContext(), v.c.Context()}
}

func (v view) Headers() map[string][]string {
	if !v.streamed {
		v.c.Body()
	}
	fields := map[string][]string{}
	for name, value := range v.c.Request().Header.All() {
		fields[string(name)] = append(fields[string(name)], string(value))
	}
	return fields
}

func (v view) SetCookie(name, value string) {
	v.c.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/"})
}

func (v view) Stream(write func(io.Writer, func())) {
	v.c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		write(w, func() { _ = w.Flush() })
	})
}
