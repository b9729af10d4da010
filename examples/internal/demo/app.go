package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// App is what an example server is made with.
type App struct {
	// Authenticator finds out who sent a request.
	Authenticator authgear.Authenticator
	// TrustedOrigins are the trusted origins of the guard.
	TrustedOrigins []string
	// Fresh is true when the authenticator can ask about each request.
	Fresh bool
	// Events receives Authgear's events. It is nil if nobody sends events.
	Events http.Handler
	// CORSOrigins may call the API from a browser. If it is empty, there is no CORS.
	CORSOrigins []string
	// CORSCredentials is true when all of them are trusted to use the user's
	// cookies.
	CORSCredentials bool

	listener net.Listener
	embedded *authgeartest.Server
	env      environment
}

// Methods and headers for the CORS middleware. Scripts send an access token, and the ID
// token of a user who has reauthenticated. They may read the headers of a refusal.
var (
	CORSMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
	CORSHeaders = []string{"Authorization", "Content-Type", "X-ID-Token"}
	CORSExposed = []string{"WWW-Authenticate", "Retry-After"}
)

// New reads the environment and listens. It ends the program with status 2 when
// a variable is wrong.
func New() *App {
	env, err := readEnvironment()
	if err != nil {
		exit(2, err)
	}
	app := &App{CORSOrigins: env.origins, TrustedOrigins: env.trustedOrigins, env: env}
	app.CORSCredentials = len(env.origins) > 0 && !slices.ContainsFunc(env.origins, func(origin string) bool {
		return !slices.Contains(env.trustedOrigins, origin)
	})
	if env.mode != "forwarded" && env.jwt.Endpoint == "" {
		if app.embedded, err = authgeartest.Start(authgeartest.Config{}); err != nil {
			exit(1, err)
		}
		app.env.setDemoDefaults()
	}
	if err := app.authenticate(); err != nil {
		exit(2, inEnvironmentTerms(err))
	}
	app.listener, err = net.Listen("tcp", env.addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		exit(1, fmt.Errorf("ADDR: %s is taken by another program; set another, such as ADDR=127.0.0.1:8088", env.addr))
	}
	if err != nil {
		exit(1, fmt.Errorf("ADDR: %w", err))
	}
	if app.embedded != nil && app.Events != nil {
		app.sendEvents()
	}
	return app
}

// authenticate makes the authenticator of the mode.
func (a *App) authenticate() (err error) {
	jwt, resolver := a.env.jwt, a.env.resolver
	if a.embedded != nil {
		jwt.Endpoint, resolver.Endpoint = a.embedded.Endpoint(), a.embedded.Endpoint()
	}
	switch a.env.mode {
	case "resolver":
		a.Authenticator, err = authgear.NewResolver(resolver)
		a.Fresh = true
	case "hybrid":
		err = a.authenticateHybrid(jwt, resolver)
		a.Fresh = true
	case "forwarded":
		a.Authenticator, err = authgear.NewForwarded(a.env.forwarded)
	default:
		a.Authenticator, err = authgear.NewJWT(jwt)
	}
	return errors.Join(err, checkTrustedOrigins(a.TrustedOrigins))
}

// checkTrustedOrigins turns the panic of a guard into an error, since here the origins
// come from the environment and not from the program.
func checkTrustedOrigins(origins []string) (err error) {
	defer func() {
		if mistake, ok := recover().(error); ok {
			err = mistake
		}
	}()
	guard.New(&authgear.JWT{}, guard.Config{TrustedOrigins: origins})
	return nil
}

// AllowsOrigin reports whether CORS_ORIGINS has the origin.
func (a *App) AllowsOrigin(origin string) bool {
	return slices.Contains(a.CORSOrigins, origin) || slices.Equal(a.CORSOrigins, []string{"*"})
}

// inEnvironmentTerms puts the error into one line, and names variables instead of
// configuration fields.
func inEnvironmentTerms(err error) error {
	return fmt.Errorf("%s", strings.NewReplacer(
		"authgear: JWTConfig: ", "",
		"authgear: ResolverConfig: ", "",
		"authgear: HybridConfig: ", "",
		"authgear: ForwardedConfig: ", "",
		"authgear: Config: ", "",
		"\n", "; ",
		"Endpoint: ", "AUTHGEAR_ENDPOINT: ",
		"ClientIDs: ", "AUTHGEAR_CLIENT_IDS: ",
		"IDTokenClients: ", "AUTHGEAR_ID_TOKEN_CLIENTS: ",
		"Resources: ", "AUTHGEAR_RESOURCES: ",
		"InternalURL: ", "AUTHGEAR_INTERNAL_URL: ",
		"ResolverURL: ", "AUTHGEAR_RESOLVER_URL: ",
		"TokenCookie: ", "AUTHGEAR_TOKEN_COOKIE: ",
		"Cookies: ", "AUTHGEAR_COOKIES: ",
		"CacheTTL: ", "AUTHGEAR_CACHE_TTL: ",
		"StaleIfError: ", "AUTHGEAR_STALE_IF_ERROR: ",
		"Freshness: ", "AUTHGEAR_FRESHNESS: ",
		"than Freshness", "than AUTHGEAR_FRESHNESS",
		"MaxStale: ", "AUTHGEAR_MAX_STALE: ",
		"TrustedProxies or Secrets: ", "AUTHGEAR_TRUSTED_PROXIES or AUTHGEAR_PROXY_SECRET: ",
		"TrustedProxies: ", "AUTHGEAR_TRUSTED_PROXIES: ",
		"Secrets: number 1 ", "AUTHGEAR_PROXY_SECRET: ",
		"TrustedOrigins: ", "AUTHGEAR_TRUSTED_ORIGINS: ",
		"use ClientIDs", "use AUTHGEAR_CLIENT_IDS",
		"stands beside InternalURL", "stands beside AUTHGEAR_INTERNAL_URL",
		"use InternalURL", "use AUTHGEAR_INTERNAL_URL",
		"the origin of Endpoint", "the origin of AUTHGEAR_ENDPOINT",
		"set InsecureHTTP", "set AUTHGEAR_INSECURE_HTTP=true",
	).Replace(err.Error()))
}

func exit(status int, err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(status)
}

// Ready reports whether requests can be decided now, for a readiness probe.
func (a *App) Ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	readier, ok := a.Authenticator.(interface{ Ready(context.Context) error })
	return !ok || readier.Ready(ctx) == nil // behind a proxy there is nothing to fetch
}

// Serve serves until SIGTERM or an interrupt, then lets running requests finish
// for at most ten seconds, and ends the program.
func (a *App) Serve(serve func(net.Listener) error, shutdown func(context.Context) error) {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- serve(a.listener) }()
	base := "http://" + a.listener.Addr().String()
	fmt.Println("listening on " + base)
	printCommands(os.Stdout, base, a.embedded, a.env)

	select {
	case err := <-failed:
		exit(1, err)
	case <-stop.Done():
	}
	ctx, cancelShutdown := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancelShutdown()
	if err := shutdown(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "requests did not finish in time:", err)
	}
	if a.embedded != nil {
		a.embedded.Close()
	}
}
