// Command fiberv3 is the example API on fiber v3.
package main

import (
	"net"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/gofiber/fiber/v3/middleware/recover"

	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/examples/internal/demo"
)

func main() {
	app := demo.New()
	guard := authgearfiberv3.New(app.Authenticator, authgearfiberv3.Config{TrustedOrigins: app.TrustedOrigins})

	f := fiber.New(fiber.Config{
		ReadBufferSize: 32 << 10,        // the default of 4 KiB is too small for a long token
		ReadTimeout:    5 * time.Second, // otherwise a connection that sends no request would delay the end
		IdleTimeout:    time.Minute,     // the default is ReadTimeout
	})
	authgearfiberv3.CloseUnread(f) // an unread body never runs as the next request
	f.Use(recover.New())
	if len(app.CORSOrigins) > 0 { // in front of the guards: a preflight has no credentials
		f.Use(cors.New(cors.Config{
			AllowOrigins:     app.CORSOrigins,
			AllowMethods:     demo.CORSMethods,
			AllowHeaders:     demo.CORSHeaders,
			ExposeHeaders:    demo.CORSExposed,
			AllowCredentials: app.CORSCredentials,
		}))
	}

	f.Get("/healthz", func(c fiber.Ctx) error { return c.Send(nil) })
	f.Get("/readyz", func(c fiber.Ctx) error {
		if !app.Ready(c.Context()) {
			return c.Status(fiber.StatusServiceUnavailable).Send(nil)
		}
		return c.Send(nil)
	})
	f.Get("/public", guard.Optional(), showIdentity)
	f.Add([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, "/me", guard.Require(), showIdentity)
	f.Get("/admin", guard.Require(authgear.Role("admin")), showIdentity)
	f.Get("/verified", guard.Require(authgear.Verified()), showIdentity)
	f.Get("/members", guard.Require(authgear.NotAnonymous()), showIdentity)
	f.Get("/reports", guard.Require(authgear.Any(authgear.Role("reporter"), authgear.Scope("reports:read"))), showIdentity) // users or clients
	f.Get("/machine", guard.Require(authgear.Kinds(authgear.KindClient)), showIdentity)
	f.Get("/users/:id/notes", guard.Require(authgear.Any(authgearfiberv3.Self("id"), authgear.Role("admin"))), showIdentity)
	f.Post("/transfer", guard.Require(authgear.NotAnonymous(), authgear.RecentAuth(5*time.Minute)), showIdentity)
	if app.Fresh {
		f.Get("/live", guard.RequireFresh(), showIdentity)
	}
	if app.Events != nil {
		f.Post("/authgear/events", adaptor.HTTPHandler(app.Events))
	}

	serve := func(listener net.Listener) error {
		return f.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true})
	}
	app.Serve(serve, f.ShutdownWithContext)
}

func showIdentity(c fiber.Ctx) error {
	identity, _ := authgearfiberv3.Identity(c)
	return c.JSON(fiber.Map{"identity": identity})
}
