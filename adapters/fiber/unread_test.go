package authgearfiber_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/cors"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// smuggled is the unread body.
const smuggled = "DELETE /posts/1 HTTP/1.1\r\nHost: a\r\n\r\n"

// An unread body is never the next request, whichever part of fiber answers: there is
// one answer, and the connection is closed. Without a body it stays open.
// (adapters/fasthttp tests the kinds of bodies.)
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, method string
		status       int
		closeUnread  bool
	}{
		{"/guarded", "POST", 401, false},
		{"/refuse", "POST", 503, false},
		{"/missing", "GET", 404, true},
		{"/missing", "POST", 404, true},
		{"/error", "POST", 500, true},
		{"/limited", "POST", 429, true},
		{"/static/go.mod", "GET", 200, true},
		{"/static/go.mod", "HEAD", 200, true},
		{"/cors", "OPTIONS", 204, true},
		{"/open", "UNKNOWN", 400, true}, // answered before all middleware
	} {
		var executed atomic.Int32
		addr := serveUnread(t, c.closeUnread, &executed)
		for body, answers := range map[string]int{"": 2, smuggled: 1} {
			all := exchange(t, addr, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example.com\r\nAccess-Control-Request-Method: DELETE\r\nContent-Length: %d\r\n\r\n%s"+
				"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", c.method, c.path, len(body), body))
			if strings.Count(all, "HTTP/1.1 ") != answers || !strings.HasPrefix(all, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || executed.Load() != 0 {
				t.Errorf("%s %s, body: %q: executed %d times, want %d answers:\n%s", c.method, c.path, body, executed.Load(), answers, all)
			}
		}
	}
}

// If a body turns out broken while a handler reads it, and the guard then refuses the
// request, the rest of the body is not the next request either.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	for path, status := range map[string]string{"/read/guarded": "401", "/read/refuse": "503"} {
		var executed atomic.Int32
		all := exchange(t, serveUnread(t, false, &executed), "POST "+path+" HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"+smuggled+
			"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if strings.Count(all, "HTTP/1.1 ") != 1 || !strings.HasPrefix(all, "HTTP/1.1 "+status+" ") || executed.Load() != 0 {
			t.Errorf("%s: executed %d times:\n%s", path, executed.Load(), all)
		}
	}
}

// serveUnread serves handlers. Only those under /read read the body. serveUnread counts
// how often a body is executed as a request.
func serveUnread(t *testing.T, closeUnread bool, executed *atomic.Int32) (addr string) {
	t.Helper()
	app := fiber.New(fiber.Config{StreamRequestBody: true, DisableStartupMessage: true})
	if closeUnread {
		authgearfiber.CloseUnread(app)
	}
	guard := authgearfiber.New(guardtest.Nobody{}, authgearfiber.Config{Observer: &authgear.Observer{}})
	app.Use("/limited", func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusTooManyRequests) })
	app.Use("/cors", cors.New())
	app.Static("/static", ".")
	app.All("/guarded", guard.Require())
	read := func(c *fiber.Ctx) error { c.Body(); return c.Next() }
	app.All("/read/guarded", read, guard.Require())
	app.All("/read/refuse", read, func(c *fiber.Ctx) error { return guard.Refuse(c, errors.New("no")) })
	app.All("/refuse", func(c *fiber.Ctx) error { return guard.Refuse(c, errors.New("no")) })
	app.All("/error", func(*fiber.Ctx) error { return errors.New("failed") })
	app.Delete("/posts/:id", func(c *fiber.Ctx) error {
		executed.Add(1)
		return c.SendString("deleted")
	})
	return serve(t, app)
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
