// Command gin is the example API on gin.
package main

import (
	"net/http"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"

	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/examples/internal/demo"
)

func main() {
	app := demo.New()
	guard := authgeargin.New(app.Authenticator, authgeargin.Config{TrustedOrigins: app.TrustedOrigins})

	gin.SetMode(gin.ReleaseMode)
	gin.DefaultWriter = gin.DefaultErrorWriter // logs go to standard error
	r := gin.New()
	r.Use(gin.Recovery())
	if len(app.CORSOrigins) > 0 { // in front of the guards: a preflight has no credentials
		allow := cors.New(cors.Config{
			AllowOrigins:     app.CORSOrigins,
			AllowMethods:     demo.CORSMethods,
			AllowHeaders:     demo.CORSHeaders,
			ExposeHeaders:    demo.CORSExposed,
			AllowCredentials: app.CORSCredentials,
		})
		r.Use(func(c *gin.Context) {
			// This middleware would refuse other origins with an empty answer. The
			// guard decides about them, since it knows which requests have a cookie.
			if app.AllowsOrigin(c.GetHeader("Origin")) {
				allow(c)
			} else {
				c.Writer.Header().Add("Vary", "Origin")
			}
		})
	}

	get := []string{http.MethodGet, http.MethodHead}
	r.Match(get, "/healthz", func(c *gin.Context) { c.Status(http.StatusOK) })
	r.Match(get, "/readyz", func(c *gin.Context) {
		if !app.Ready(c.Request.Context()) {
			c.Status(http.StatusServiceUnavailable)
		}
	})
	r.Match(get, "/public", guard.Optional(), showIdentity)
	r.Match(append(get, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete), "/me", guard.Require(), showIdentity)
	r.Match(get, "/admin", guard.Require(authgear.Role("admin")), showIdentity)
	r.Match(get, "/verified", guard.Require(authgear.Verified()), showIdentity)
	r.Match(get, "/members", guard.Require(authgear.NotAnonymous()), showIdentity)
	r.Match(get, "/reports", guard.Require(authgear.Any(authgear.Role("reporter"), authgear.Scope("reports:read"))), showIdentity) // users or clients
	r.Match(get, "/machine", guard.Require(authgear.Kinds(authgear.KindClient)), showIdentity)
	r.Match(get, "/users/:id/notes", guard.Require(authgear.Any(authgeargin.Self("id"), authgear.Role("admin"))), showIdentity)
	r.POST("/transfer", guard.Require(authgear.NotAnonymous(), authgear.RecentAuth(5*time.Minute)), showIdentity)
	if app.Fresh {
		r.Match(get, "/live", guard.RequireFresh(), showIdentity)
	}
	if app.Events != nil {
		r.POST("/authgear/events", gin.WrapH(app.Events))
	}

	server := &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	app.Serve(server.Serve, server.Shutdown)
}

func showIdentity(c *gin.Context) {
	identity, _ := authgeargin.Identity(c)
	c.JSON(http.StatusOK, gin.H{"identity": identity})
}
