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

// smuggled is what a body says that nobody reads: a proxy in front would not have
// let these headers through.
const smuggled = "DELETE /posts/1 HTTP/1.1\r\nHost: a\r\nX-Authgear-Session-Valid: true\r\nX-Authgear-User-Id: alice\r\n\r\n"

// last closes a connection that is still open.
const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// body returns one whose end fasthttp has not read when the handler runs.
func body(kind string) (header, body string) {
	switch lines := strings.Repeat("\r\n", 4300); kind {
	case "none":
		return "", ""
	case "short":
		return fmt.Sprintf("Content-Length: %d\r\n", len(smuggled)), smuggled
	case "long":
		return fmt.Sprintf("Content-Length: %d\r\n", len(lines+smuggled)), lines + smuggled
	case "chunked":
		return "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(lines+smuggled), lines+smuggled)
	default: // a form, and what follows its end (RFC 2046 §5.1.1)
		form := "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n" + lines[:4100] + smuggled
		return fmt.Sprintf("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n", len(form)), form
	}
}

// An unread body is never the next request: there is one answer, and the
// connection is closed. After a request whose body is read, or that has none, it
// stays open.
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, methods string
		status        int
		closeUnread   bool
	}{
		{"/guarded", "GET HEAD OPTIONS POST PUT", 401, false},
		{"/custom", "POST", 418, false},
		{"/refuse", "POST", 503, false},
		{"/open", "GET POST", 200, true},
		{"/missing", "GET POST", 404, true},
		{"/error", "POST", 500, true},
		{"/limited", "POST", 429, true},
		{"/static/go.mod", "GET HEAD", 200, true},
		{"/cors", "OPTIONS", 204, true},
		{"/open", "UNKNOWN", 400, true}, // answered before all middleware
	} {
		for _, streamed := range []bool{true, false} {
			var executed atomic.Int32
			addr := serveUnread(t, fiber.Config{StreamRequestBody: streamed}, c.closeUnread, &executed)
			for _, kind := range []string{"none", "short", "long", "chunked", "multipart"} {
				for method := range strings.FieldsSeq(c.methods) {
					header, body := body(kind)
					all := exchange(t, addr, method+" "+c.path+" HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example.com\r\nAccess-Control-Request-Method: DELETE\r\n"+
						header+"\r\n"+body+last)
					answers := 2
					if kind == "multipart" || streamed && kind != "none" {
						answers = 1
					}
					if strings.Count(all, "HTTP/1.1 ") != answers || !strings.HasPrefix(all, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || executed.Load() != 0 {
						t.Errorf("%s %s, streamed: %v, body: %s: executed %d times, want %d answers:\n%s", method, c.path, streamed, kind, executed.Load(), answers, all)
					}
				}
			}
		}
	}
}

// serveUnread has handlers that read no body, and counts what a body executes.
func serveUnread(t *testing.T, config fiber.Config, closeUnread bool, executed *atomic.Int32) (addr string) {
	t.Helper()
	config.DisableStartupMessage = true
	app := fiber.New(config)
	if closeUnread {
		authgearfiber.CloseUnread(app)
	}
	guard := authgearfiber.New(guardtest.Nobody{}, authgearfiber.Config{Observer: &authgear.Observer{}})
	custom := authgearfiber.New(guardtest.Nobody{}, authgearfiber.Config{Observer: &authgear.Observer{}, ErrorHandler: func(c *fiber.Ctx, _ *authgear.Error) error {
		c.Context().Error("custom", fiber.StatusTeapot) // which resets all that was set
		return nil
	}})
	app.Use("/limited", func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusTooManyRequests) })
	app.Use("/cors", cors.New())
	app.Static("/static", ".")
	app.All("/guarded", guard.Require())
	app.All("/custom", custom.Require())
	app.All("/refuse", func(c *fiber.Ctx) error { return guard.Refuse(c, errors.New("no")) })
	app.All("/open", func(c *fiber.Ctx) error { return c.SendString("open") })
	app.All("/error", func(*fiber.Ctx) error { return errors.New("failed") })
	app.Delete("/posts/:id", func(c *fiber.Ctx) error {
		executed.Add(1)
		return c.SendString("deleted")
	})
	return serve(t, app)
}

// exchange sends bytes, and reads all that comes until the connection is closed.
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

// Servers that end the line of a chunk's size at a line feed in its extension, and
// those that do not, read different requests (RFC 9112 §7.1.1). What follows a
// chunk that is refused is not the next request.
func TestBrokenChunks(t *testing.T) {
	t.Parallel()
	for _, streamed := range []bool{true, false} {
		var executed atomic.Int32
		app := fiber.New(fiber.Config{StreamRequestBody: streamed, DisableStartupMessage: true})
		authgearfiber.CloseUnread(app)
		app.Post("/", func(c *fiber.Ctx) error { return c.Send(c.Body()) })
		app.Delete("/posts/:id", func(*fiber.Ctx) error {
			executed.Add(1)
			return nil
		})
		addr := serve(t, app)
		for _, chunks := range []string{"5;a\nhello\r\n0\r\n\r\n", "0;a\n\r\n", "5;\n", "5\n", "x\r\n", "5\r\nhello!\r\n", "5\r\nhello\n"} {
			all := exchange(t, addr, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+chunks+smuggled+last)
			if strings.Count(all, "HTTP/1.1 ") != 1 || executed.Load() != 0 || !streamed && !strings.HasPrefix(all, "HTTP/1.1 400 ") {
				t.Errorf("streamed: %v, %q: executed %d times:\n%s", streamed, chunks, executed.Load(), all)
			}
		}
	}
}
