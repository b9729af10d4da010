package demo

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// App is what an example server is made with.
type App struct {
	// Authenticator finds out who sent a request.
	Authenticator *authgear.JWT
	// CORSOrigins may call the API from a browser; none without CORS.
	CORSOrigins []string

	listener net.Listener
	embedded *authgeartest.Server
	config   authgear.JWTConfig
}

// Methods and fields for the CORS middleware: scripts send Authorization, and
// may read the fields of a refusal.
var (
	CORSMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
	CORSHeaders = []string{"Authorization", "Content-Type"}
	CORSExposed = []string{"WWW-Authenticate", "Retry-After"}
)

// New reads the environment and listens. It ends the program with status 2 when
// a variable is wrong.
func New() *App {
	env, err := readEnvironment()
	if err != nil {
		exit(2, err)
	}
	app := &App{CORSOrigins: env.origins, config: env.jwt}
	if env.jwt.Endpoint == "" {
		if app.embedded, err = authgeartest.Start(authgeartest.Config{}); err != nil {
			exit(1, err)
		}
		app.config.Endpoint = app.embedded.Endpoint()
	}
	if app.Authenticator, err = authgear.NewJWT(app.config); err != nil {
		exit(2, inEnvironmentTerms(err))
	}
	if app.listener, err = net.Listen("tcp", env.addr); err != nil {
		exit(1, fmt.Errorf("ADDR: %w", err))
	}
	return app
}

// inEnvironmentTerms names variables instead of fields, in one line.
func inEnvironmentTerms(err error) error {
	return fmt.Errorf("%s", strings.NewReplacer(
		"authgear: JWTConfig: ", "",
		"\n", "; ",
		"Endpoint: ", "AUTHGEAR_ENDPOINT: ",
		"ClientIDs: ", "AUTHGEAR_CLIENT_IDS: ",
		"Resources: ", "AUTHGEAR_RESOURCES: ",
		"InternalURL: ", "AUTHGEAR_INTERNAL_URL: ",
		"use ClientIDs", "use AUTHGEAR_CLIENT_IDS",
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
	return a.Authenticator.Ready(ctx) == nil
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
	if a.embedded != nil {
		printCommands(os.Stdout, base, a.embedded, a.config)
	}

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
