package authgearfiberv3_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gofiber/fiber/v3/middleware/timeout"
	"github.com/valyala/fasthttp"

	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// seen says what a handler finds: who sent the request, and its identity headers.
func seen(ctx context.Context, headers ...string) string {
	user, _ := authgear.UserFromContext(ctx)
	if user == nil {
		return "nobody"
	}
	return user.ID + strings.Join(headers, "")
}

// Every kind of handler that fiber's routes take finds the identity, and no identity
// header. This holds behind a guard alone, and also with net/http middleware in
// between.
func TestHandlersOfEachKind(t *testing.T) {
	t.Parallel()
	const name = "X-Authgear-User-Id"
	auth, header := guardtest.Forwarded(t, nil)
	admin := authgear.Role("admin")
	function := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, seen(r.Context(), r.Header.Values(name)...))
	}
	flushing := func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		function(w, r)
	}
	fast := func(c *fasthttp.RequestCtx) { c.SetBodyString(seen(c, string(c.Request.Header.Peek(name)))) }
	tracing := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "value")))
		})
	}
	for kind, handler := range map[string]any{
		"fiber.Ctx":              func(c fiber.Ctx) error { return c.SendString(seen(c, c.Get(name))) },
		"fiber.Ctx, no error":    func(c fiber.Ctx) { _ = c.SendString(seen(c.Context(), c.Get(name))) },
		"fiber.Req":              func(req fiber.Req, res fiber.Res) error { return res.SendString(seen(req.RequestCtx(), req.Get(name))) },
		"fiber.Req, next":        func(_ fiber.Req, _ fiber.Res, next func() error) error { return next() },
		"net/http function":      function,
		"net/http HandlerFunc":   http.HandlerFunc(function),
		"net/http Handler":       http.Handler(http.HandlerFunc(function)),
		"net/http, flushing":     flushing,
		"fasthttp":               fasthttp.RequestHandler(fast),
		"fasthttp, error":        func(c *fasthttp.RequestCtx) error { fast(c); return nil },
		"adaptor":                adaptor.HTTPHandlerFunc(function),
		"adaptor, with context":  adaptor.HTTPHandlerWithContext(http.HandlerFunc(function)),
		"adaptor, local context": adaptor.HTTPHandlerWithContext(http.HandlerFunc(local)),
	} {
		for _, custom := range []bool{false, true} {
			newApp := fiber.New
			if custom {
				newApp = newWithOwnContext
			}
			app := newApp()
			guard := authgearfiberv3.New(auth, authgearfiberv3.Config{Observer: &authgear.Observer{}})
			last := func(c fiber.Ctx) error { return c.SendString(seen(c, c.Get(name))) }
			app.Get("/guarded", guard.Require(), handler, last)
			app.Get("/traced", guard.Require(), adaptor.HTTPMiddleware(tracing), guard.Require(), handler, last)
			app.Get("/denied", guard.Require(admin), handler, last)
			app.Get("/stripped", authgearfiberv3.Strip, handler, last)
			for path, want := range map[string]string{"/guarded": "200 alice", "/traced": "200 alice", "/stripped": "200 nobody"} {
				if status, body := send(t, app, path, header); fmt.Sprint(status, " ", body) != want {
					t.Errorf("%s, custom context: %v, %s: %d %q, want %q", kind, custom, path, status, body, want)
				}
			}
			if status, body := send(t, app, "/denied", header); status != 403 || !strings.HasPrefix(body, `{"error":"role_missing"`) {
				t.Errorf("%s, custom context: %v: %d %q", kind, custom, status, body)
			}
		}
	}
}

// The request that fasthttp makes for a net/http handler has no identity header,
// whether or not it has trailers among the headers.
func TestTrailersForNetHTTP(t *testing.T) {
	t.Parallel()
	guard := authgearfiberv3.New(guardtest.Alice, authgearfiberv3.Config{Observer: &authgear.Observer{}})
	app := fiber.New()
	app.Post("/", guard.Require(), func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.Header, r.Trailer) })
	addr := serve(t, app)
	for _, declared := range []string{"", "Trailer: X-Authgear-User-Id\r\n", "Trailer: X-Checksum, x_authgear_user_id\r\n"} {
		answer := exchange(t, addr, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Authgear-User-Id: mallory\r\nTransfer-Encoding: chunked\r\n"+declared+"\r\n"+
			"1\r\na\r\n0\r\nX-Checksum: 1\r\nX-Authgear-User-Id: mallory\r\nx_authgear_user_id: mallory\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 200 ") || !strings.Contains(answer, "X-Checksum:[1]") || strings.Contains(answer, "mallory") {
			t.Errorf("%q: %s", declared, answer)
		}
	}
}

// local finds the context that fiber's adaptor keeps.
func local(w http.ResponseWriter, r *http.Request) {
	ctx, ok := adaptor.LocalContextFromHTTPRequest(r)
	if !ok {
		ctx = context.Background()
	}
	_, _ = io.WriteString(w, seen(ctx, r.Header.Values("X-Authgear-User-Id")...))
}

// The guards of a mounted application work like those of the outer application, also
// when a handler passes a request to the mounted application. They know what the outer
// guard has found out, although it has removed the identity headers. Error handlers
// hear of no refusal.
func TestMountedApplications(t *testing.T) {
	t.Parallel()
	auth, header := guardtest.Forwarded(t, nil)
	decisions := 0
	guard := authgearfiberv3.New(auth, authgearfiberv3.Config{Observer: &authgear.Observer{Decision: func(context.Context, authgear.Decision) { decisions++ }}})
	failed := func(c fiber.Ctx, err error) error { return c.Status(500).SendString(err.Error()) }
	handler := func(c fiber.Ctx) error { return c.SendString(seen(c, c.Get("X-Authgear-User-Id"))) }
	mounted := fiber.New(fiber.Config{ErrorHandler: failed})
	mounted.Get("/open", handler)
	mounted.Get("/stripped", authgearfiberv3.Strip, handler)
	mounted.Get("/refused", func(c fiber.Ctx) error {
		err := guard.Refuse(c, authgear.Deny("archived"))
		if user, _ := authgear.UserFromContext(c.Context()); user == nil || authgearfiberv3.MustUser(c) != user {
			t.Errorf("%s: who was refused is %v", c.OriginalURL(), user)
		}
		return err
	})
	mounted.Get("/guarded", guard.Require(), handler)
	mounted.Get("/users/:id", guard.Require(authgearfiberv3.Self("id")), handler)
	for name, newApp := range map[string]func(...fiber.Config) *fiber.App{"default": fiber.New, "a context of its own": newWithOwnContext} {
		app := newApp(fiber.Config{ErrorHandler: failed})
		app.Use("/mounted", mounted)
		app.Group("/group", guard.Require()).Use("/mounted", mounted)
		app.Use("/handler", guard.Require(), func(c fiber.Ctx) error {
			c.Path(strings.TrimPrefix(c.Path(), "/handler"))
			mounted.Handler()(c.RequestCtx())
			return nil
		})
		for path, want := range map[string]struct {
			status, decisions int
			body              string
		}{
			"/mounted/open":          {200, 0, "nobody"},
			"/mounted/guarded":       {200, 1, "alice"},
			"/mounted/users/alice":   {200, 1, "alice"},
			"/mounted/users/bob":     {403, 1, ""},
			"/group/mounted/open":    {200, 1, "alice"},
			"/group/mounted/guarded": {200, 1, "alice"},
			"/group/mounted/refused": {403, 2, ""},
			"/handler/open":          {200, 1, "alice"},
			"/handler/stripped":      {200, 1, "alice"},
			"/handler/refused":       {403, 2, ""},
			"/handler/guarded":       {200, 1, "alice"},
			"/handler/users/bob":     {403, 2, ""},
		} {
			decisions = 0
			status, body := send(t, app, path, header)
			if status != want.status || status == 200 && body != want.body || status == 403 && !strings.HasPrefix(body, `{"error":"policy_denied"`) || decisions != want.decisions {
				t.Errorf("%s, %s: %d %q, %d decisions", name, path, status, body, decisions)
			}
		}
	}
}

// Timeout middleware gives its handler a context that ends, and puts the old one back
// afterwards. An access log around it still knows who was refused, and why.
func TestTimeout(t *testing.T) {
	t.Parallel()
	guard := authgearfiberv3.New(guardtest.Alice, authgearfiberv3.Config{Observer: &authgear.Observer{}})
	within := func(handler fiber.Handler) fiber.Handler {
		return timeout.New(handler, timeout.Config{Timeout: time.Hour})
	}
	handler := func(c fiber.Ctx) error {
		if _, ends := c.Context().Deadline(); !ends {
			return c.SendString("no deadline")
		}
		return c.SendString(seen(c.Context()) + seen(c))
	}
	var logged string
	app := fiber.New()
	app.Use(accessLog(func(identity *authgear.Identity, refused *authgear.Error) { logged = guardtest.Told(identity, refused) }), func(c fiber.Ctx) error {
		err := c.Next()
		if user, _ := authgearfiberv3.User(c); user == nil || authgearfiberv3.MustUser(c) != user {
			t.Errorf("%s: the user is %v", c.Path(), user)
		}
		return err
	})
	app.Get("/around/handler", guard.Require(), within(handler))
	app.Get("/around/guard", within(guard.Require()), handler)
	app.Get("/around/denied", within(guard.Require(authgear.Role("admin"))), handler)
	for path, want := range map[string]string{
		"/around/handler": "200 alicealice, alice allowed",
		"/around/guard":   "200 alicealice, alice allowed",
		"/around/denied":  "403 role_missing, alice role_missing",
	} {
		status, body := send(t, app, path, http.Header{})
		if status == 403 {
			body = strings.Split(body, `"`)[3]
		}
		if got := fmt.Sprintf("%d %s, %s", status, body, logged); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// If fasthttp could not read a request, fiber still runs the middleware of app.Use, and
// then answers the request itself. Guards there decide as far as they can, and no route
// gets such a request.
func TestUnreadableRequest(t *testing.T) {
	t.Parallel()
	var ran atomic.Bool
	app := fiber.New(fiber.Config{BodyLimit: 10})
	for path, auth := range map[string]authgear.Authenticator{"/alice": guardtest.Alice, "/nobody": guardtest.Nobody{}} {
		guard := authgearfiberv3.New(auth, authgearfiberv3.Config{Observer: &authgear.Observer{}})
		app.Use(path, guard.Optional(), guard.Require())
		app.All(path, func(fiber.Ctx) error { ran.Store(true); return nil })
	}
	addr := serve(t, app)
	for path, read := range map[string]string{"/alice": "200", "/nobody": "401"} {
		for _, r := range []struct{ method, rest, status string }{
			{"GET", "Connection: close\r\n\r\n", read},
			{"GET", "Host: b\r\nno colon\r\n\r\n", "400"},
			{"GET", "Cookie: a=" + strings.Repeat("b", 4<<10) + "\r\n\r\n", "431"},
			{"POST", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nhello", "400"},
			{"POST", "Content-Length: 11\r\n\r\nhello world", "413"},
			{"POST", "Transfer-Encoding: chunked\r\n\r\nx\r\n", "400"},
		} {
			ran.Store(false)
			answer := exchange(t, addr, r.method+" "+path+" HTTP/1.1\r\nHost: a\r\n"+r.rest)
			if !strings.HasPrefix(answer, "HTTP/1.1 "+r.status+" ") || strings.Count(answer, "HTTP/1.1 ") != 1 || ran.Load() != (r.status == "200") {
				t.Errorf("%s %s, %.60q: ran: %v, want %s:\n%s", r.method, path, r.rest, ran.Load(), r.status, answer)
			}
		}
	}
}

// An error handler may drop the connection. Then there is no answer, and the handler
// does not run.
func TestDrop(t *testing.T) {
	t.Parallel()
	dropping := func(c fiber.Ctx, _ *authgear.Error) error { return c.Drop() }
	guard := authgearfiberv3.New(guardtest.Nobody{}, authgearfiberv3.Config{Observer: &authgear.Observer{}, ErrorHandler: dropping})
	app := fiber.New()
	app.Get("/", guard.Require(), func(fiber.Ctx) error {
		t.Error("the handler runs")
		return nil
	})
	if answer := exchange(t, serve(t, app), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); answer != "" {
		t.Errorf("answered: %s", answer)
	}
}
