// Command nethttp is the example API on net/http.
package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/rs/cors"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/examples/internal/demo"
)

func main() {
	app := demo.New()
	guard := authgearhttp.New(app.Authenticator, authgearhttp.Config{TrustedOrigins: app.TrustedOrigins})
	handler := http.HandlerFunc(showIdentity)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !app.Ready(r.Context()) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.Handle("GET /public", guard.Optional()(handler))
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		mux.Handle(method+" /me", guard.Require()(handler))
	}
	mux.Handle("GET /admin", guard.Require(authgear.Role("admin"))(handler))
	mux.Handle("GET /verified", guard.Require(authgear.Verified())(handler))
	mux.Handle("GET /members", guard.Require(authgear.NotAnonymous())(handler))
	mux.Handle("GET /reports", guard.Require(authgear.Any(authgear.Role("reporter"), authgear.Scope("reports:read")))(handler)) // users or clients
	mux.Handle("GET /machine", guard.Require(authgear.Kinds(authgear.KindClient))(handler))
	mux.Handle("GET /users/{id}/notes", guard.Require(authgear.Any(authgearhttp.Self("id"), authgear.Role("admin")))(handler))
	mux.Handle("POST /transfer", guard.Require(authgear.NotAnonymous(), authgear.RecentAuth(5*time.Minute))(handler))
	if app.Fresh {
		mux.Handle("GET /live", guard.RequireFresh()(handler))
	}
	if app.Events != nil {
		mux.Handle("POST /authgear/events", app.Events)
	}

	var root http.Handler = mux
	if len(app.CORSOrigins) > 0 { // in front of the guards: a preflight has no credentials
		root = cors.New(cors.Options{
			AllowedOrigins:   app.CORSOrigins,
			AllowedMethods:   demo.CORSMethods,
			AllowedHeaders:   demo.CORSHeaders,
			ExposedHeaders:   demo.CORSExposed,
			AllowCredentials: app.CORSCredentials,
		}).Handler(mux)
	}
	server := &http.Server{Handler: root, ReadHeaderTimeout: 5 * time.Second}
	app.Serve(server.Serve, server.Shutdown)
}

func showIdentity(w http.ResponseWriter, r *http.Request) {
	identity, _ := authgearhttp.Identity(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"identity": identity}) // the client is gone
}
