// Command echov5 is the example API on echo v5.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/examples/internal/demo"
)

func main() {
	app := demo.New()
	guard := authgearechov5.New(app.Authenticator, authgearechov5.Config{TrustedOrigins: app.TrustedOrigins})

	e := echo.New()
	e.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	e.Use(middleware.Recover())
	if len(app.CORSOrigins) > 0 { // in front of the guards: a preflight has no credentials
		e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
			AllowOrigins:     app.CORSOrigins,
			AllowMethods:     demo.CORSMethods,
			AllowHeaders:     demo.CORSHeaders,
			ExposeHeaders:    demo.CORSExposed,
			AllowCredentials: app.CORSCredentials,
		}))
	}

	get := []string{http.MethodGet, http.MethodHead}
	e.Match(get, "/healthz", func(c *echo.Context) error { return c.NoContent(http.StatusOK) })
	e.Match(get, "/readyz", func(c *echo.Context) error {
		if !app.Ready(c.Request().Context()) {
			return c.NoContent(http.StatusServiceUnavailable)
		}
		return c.NoContent(http.StatusOK)
	})
	e.Match(get, "/public", showIdentity, guard.Optional())
	e.Match(append(get, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete), "/me", showIdentity, guard.Require())
	e.Match(get, "/admin", showIdentity, guard.Require(authgear.Role("admin")))
	e.Match(get, "/verified", showIdentity, guard.Require(authgear.Verified()))
	e.Match(get, "/members", showIdentity, guard.Require(authgear.NotAnonymous()))
	e.Match(get, "/reports", showIdentity, guard.Require(authgear.Any(authgear.Role("reporter"), authgear.Scope("reports:read")))) // users or clients
	e.Match(get, "/machine", showIdentity, guard.Require(authgear.Kinds(authgear.KindClient)))
	e.Match(get, "/users/:id/notes", showIdentity, guard.Require(authgear.Any(authgearechov5.Self("id"), authgear.Role("admin"))))
	e.POST("/transfer", showIdentity, guard.Require(authgear.NotAnonymous(), authgear.RecentAuth(5*time.Minute)))
	if app.Fresh {
		e.Match(get, "/live", showIdentity, guard.RequireFresh())
	}
	if app.Events != nil {
		e.POST("/authgear/events", echo.WrapHandler(app.Events))
	}

	server := &http.Server{Handler: e, ReadHeaderTimeout: 5 * time.Second}
	app.Serve(server.Serve, server.Shutdown)
}

func showIdentity(c *echo.Context) error {
	identity, _ := authgearechov5.Identity(c)
	return c.JSON(http.StatusOK, map[string]any{"identity": identity})
}
