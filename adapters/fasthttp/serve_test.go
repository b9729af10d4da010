package authgearfasthttp_test

import (
	"context"
	"io"
	"log"
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	authgearfasthttp "github.com/authgear/authgear-sdk-go/adapters/fasthttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// errorHandler is a custom error handler.
type errorHandler func(*fasthttp.RequestCtx, *authgear.Error) error

func newGuard(authenticator authgear.Authenticator, observer authgear.Observer) *guard.Guard {
	return guard.New(authenticator, guard.Config{Observer: &observer})
}

// view returns the view of a request in fasthttp without a framework.
func view(c *fasthttp.RequestCtx) *authgearfasthttp.Request[*fasthttp.RequestCtx] {
	return authgearfasthttp.NewRequest(c, "", c, nil)
}

// require is the middleware of an adapter.
func require(server *fasthttp.Server, g *guard.Guard, custom errorHandler, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	check := g.Require()
	return func(c *fasthttp.RequestCtx) {
		r := view(c)
		if _, refusal := guard.Run(context.Background(), check, r, r.ResponseHeader(), c); refusal != nil {
			r.Refuse(refusal, server, custom)
			return
		}
		next(c)
	}
}

// silence drops what a server logs about requests that it refuses.
var silence = log.New(io.Discard, "", 0)

// respond returns a handler that writes this body.
func respond(body string) fasthttp.RequestHandler {
	return func(c *fasthttp.RequestCtx) { c.SetBodyString(body) }
}

// serve serves until the test ends.
func serve(t *testing.T, server *fasthttp.Server) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// exchange sends the request, and reads until the connection is closed.
func exchange(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	all, _ := io.ReadAll(conn) // a reset may come after the answer
	return string(all)
}
