package authgearfiberv3_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestAllocations(t *testing.T) {
	cost := func(handlers ...any) float64 {
		app := fiber.New()
		handlers = append(handlers, func(fiber.Ctx) error { return nil })
		app.Get("/", handlers[0], handlers[1:]...)
		handler := app.Handler()
		var c fasthttp.RequestCtx
		raw := "GET / HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer token\r\nCookie: a=b\r\n\r\n"
		reader := bufio.NewReader(nil)
		return testing.AllocsPerRun(100, func() {
			c.ResetUserValues()
			reader.Reset(strings.NewReader(raw))
			if err := c.Request.Read(reader); err != nil {
				t.Fatal(err)
			}
			handler(&c)
		})
	}
	guardtest.Allocations(t, 3, func(auth authgear.Authenticator) float64 { return cost(authgearfiberv3.New(auth).Require()) - cost() })
}

// send returns the answer of the application to a GET with these headers.
func send(t *testing.T, app *fiber.App, path string, header http.Header) (status int, body string) {
	t.Helper()
	request := httptest.NewRequest("GET", path, nil)
	request.Header = header.Clone()
	response, err := app.Test(request, fiber.TestConfig{}) // without fiber's time limit of a second
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return response.StatusCode, string(all)
}

func TestNext(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Use(authgearfiberv3.New(guardtest.Nobody{}, authgearfiberv3.Config{Next: func(c fiber.Ctx) bool { return c.Path() == "/left/alone" }}).Require(),
		func(c fiber.Ctx) error { return c.SendString(c.Get("X-Authgear-User-Id", "stripped")) })
	for path, want := range map[string]string{"/left/alone": "stripped", "/": `{"error":"authentication_required"`} {
		if _, body := send(t, app, path, http.Header{"X-Authgear-User-Id": {"mallory"}}); !strings.HasPrefix(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestWithIdentity(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Use(func(c fiber.Ctx) error {
		c.SetContext(context.WithValue(c.Context(), key{}, "value"))
		authgearfiberv3.WithIdentity(c, guardtest.Alice.Identity)
		return c.Next()
	})
	app.Get("/handler", func(c fiber.Ctx) error {
		user, value := authgear.MustUserFromContext(c.Context()), c.Context().Value(key{})
		if user != authgearfiberv3.MustUser(c) || value != "value" {
			t.Errorf("the context has %v and %v", user, value)
		}
		return c.SendString(user.ID)
	})
	app.Get("/guarded", authgearfiberv3.New(guardtest.Nobody{}).Require())
	for path, want := range map[string]int{"/handler": 200, "/guarded": 401} {
		if status, body := send(t, app, path, http.Header{}); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// A context may derive from fiber's own context, or from fasthttp's. It shows what the
// last guard found, and the search for an earlier result must not go in a circle.
func TestContextOfFiberItself(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]func(fiber.Ctx) context.Context{
		"fiber":    func(c fiber.Ctx) context.Context { return c },
		"fasthttp": func(c fiber.Ctx) context.Context { return c.RequestCtx() },
	} {
		derive := func(c fiber.Ctx) error {
			c.SetContext(context.WithValue(own(c), key{}, "value"))
			return c.Next()
		}
		decisions := 0
		config := authgearfiberv3.Config{Observer: &authgear.Observer{Decision: func(context.Context, authgear.Decision) { decisions++ }}}
		first, second := authgearfiberv3.New(guardtest.Alice, config), authgearfiberv3.New(guardtest.Alice, config)
		app := fiber.New()
		app.Get("/", first.Require(), derive, second.Require(), derive, first.Require(), func(c fiber.Ctx) error {
			value, _ := c.Context().Value(key{}).(string)
			return c.SendString(value + " of " + authgearfiberv3.MustUser(c).ID + authgear.MustUserFromContext(c.Context()).ID)
		})
		if status, body := send(t, app, "/", http.Header{}); status != 200 || body != "value of alicealice" || decisions != 2 {
			t.Errorf("%s: %d %s, %d decisions", name, status, body, decisions)
		}
	}
}

type key struct{}

// RestartRouting serves the request again, on another route. The guard is on this route
// too, and reuses what it found before, unless the credentials were changed in between.
func TestRestartRouting(t *testing.T) {
	t.Parallel()
	decisions := 0
	observer := &authgear.Observer{Decision: func(context.Context, authgear.Decision) { decisions++ }}
	auth, header := guardtest.Forwarded(t, observer)
	guard := authgearfiberv3.New(auth)
	app := fiber.New()
	app.Get("/old", guard.Require(), func(c fiber.Ctx) error {
		c.Path("/new")
		return c.RestartRouting()
	})
	app.Get("/changed", guard.Require(), func(c fiber.Ctx) error {
		c.Request().Header.Set("Authorization", "Bearer") // malformed
		c.Path("/new")
		return c.RestartRouting()
	})
	app.Get("/new", guard.Require(), func(c fiber.Ctx) error { return c.SendString(authgearfiberv3.MustUser(c).ID) })
	for path, want := range map[string]struct {
		status, decisions int
	}{"/old": {200, 1}, "/changed": {400, 2}} {
		decisions = 0
		status, body := send(t, app, path, header)
		if status != want.status || status == 200 && body != "alice" || decisions != want.decisions {
			t.Errorf("%s: %d %q, %d decisions", path, status, body, decisions)
		}
	}
}

// Middleware may have a request served by another method than its own. If either method
// is unsafe, the guard refuses a request from another website, since a net/http handler
// gets the request's own method.
func TestMethodOverride(t *testing.T) {
	t.Parallel()
	browser := *guardtest.Alice.Identity
	browser.Evidence.Ambient = true
	var methods []string
	observer := &authgear.Observer{Decision: func(_ context.Context, d authgear.Decision) { methods = append(methods, d.Method) }}
	app := fiber.New()
	app.Use(func(c fiber.Ctx) error {
		c.Method(c.Query("_method"))
		return c.Next()
	})
	app.All("/", authgearfiberv3.New(guardtest.Constant{Identity: &browser}, authgearfiberv3.Config{Observer: observer}).Require())
	for _, r := range []struct {
		method, override, site, judged string
		status                         int
	}{
		{"GET", "DELETE", "cross-site", "DELETE", 403},
		{"GET", "DELETE", "same-origin", "DELETE", 404}, // there is no handler
		{"POST", "GET", "cross-site", "POST", 403},
		{"POST", "DELETE", "same-origin", "POST", 404},
		{"GET", "HEAD", "cross-site", "HEAD", 404},
		{"GET", "", "cross-site", "GET", 404},
		{"GET", "UNKNOWN", "cross-site", "GET", 404},
	} {
		methods = nil
		request := httptest.NewRequest(r.method, "/?_method="+r.override, nil)
		request.Header.Set("Sec-Fetch-Site", r.site)
		response, err := app.Test(request, fiber.TestConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != r.status || len(methods) != 1 || methods[0] != r.judged {
			t.Errorf("%s as %s, %s: %d, decided about %q", r.method, r.override, r.site, response.StatusCode, methods)
		}
	}
}

// Self compares the parameter that the handler gets, however fiber reads the path. It
// denies if there is no such parameter.
func TestSelfIsAboutTheParameterOfTheHandler(t *testing.T) {
	t.Parallel()
	guard := authgearfiberv3.New(guardtest.Alice, authgearfiberv3.Config{Observer: &authgear.Observer{}})
	handler := func(c fiber.Ctx) error { return c.SendString("the notes of " + c.Params("id") + c.Params("*")) }
	override := func(c fiber.Ctx) error {
		c.OverrideParam("id", c.Query("id"))
		return c.Next()
	}
	for name, config := range map[string]fiber.Config{
		"default":                  {},
		"UnescapePath":             {UnescapePath: true},
		"Immutable":                {Immutable: true},
		"CaseSensitive and strict": {CaseSensitive: true, StrictRouting: true},
	} {
		app := fiber.New(config)
		self := guard.Require(authgearfiberv3.Self("id"))
		app.Get("/users/:id", self, handler)
		app.Get("/optional/:id?", self, handler)
		app.Get("/bounded/:id<alpha;minLen(2)>", self, handler)
		app.Get("/parts/:id.:format", self, handler)
		app.Get("/rest/*", guard.Require(authgearfiberv3.Self("*")), handler)
		app.Get("/other/:name", self, handler)
		app.Get("/override/:id", override, self, handler)
		app.Use("/groups/:id", self).Get("/groups/:id/notes", handler)
		mounted := fiber.New(config)
		mounted.Get("/users/:id", self, handler)
		app.Use("/mounted", mounted)
		app.Use("/of/:owner", mounted)
		for path, allowed := range map[string]bool{
			"/users/alice": true, "/optional/alice": true, "/bounded/alice": true, "/parts/alice.json": true, "/rest/alice": true,
			"/groups/alice/notes": true, "/mounted/users/alice": true, "/override/bob?id=alice": true,
			"/users/al%69ce": config.UnescapePath, "/rest/al%69ce": config.UnescapePath, "/groups/al%69ce/notes": config.UnescapePath,
			"/users/Alice": false, "/users/bob": false, "/users/alice%00": false, "/users/alice%20": false, "/users/+alice": false,
			"/users/alice;": false, "/users/alice.json": false, "/users/%2Falice": false, "/users/alice%2F": !config.StrictRouting && config.UnescapePath,
			"/users/%61%6Cice%2E": false, "/users/al%2569ce": false, "/users/%E1alice": false, "/optional/": false, "/bounded/bob": false,
			"/parts/bob.alice": false, "/rest/alice/bob": false, "/rest/": false, "/other/alice": false, "/override/alice?id=bob": false,
			"/override/alice": false, "/groups/bob/notes": false, "/groups/bob%2F..%2Falice/notes": false, "/mounted/users/bob": false,
		} {
			status, body := send(t, app, path, http.Header{})
			if want := map[bool]int{true: 200, false: 403}[allowed]; status != want && (allowed || status != 404) || status == 200 && body != "the notes of alice" {
				t.Errorf("%s, %s: %d %q, allowed: %v", name, path, status, body, allowed)
			}
		}
		// In an application mounted on a path with a parameter, fiber gives the first
		// parameter of the inner path the value of the outer one.
		for _, path := range []string{"/of/bob/users/alice", "/of/alice/users/bob"} {
			if status, body := send(t, app, path, http.Header{}); status != 403 && body != "the notes of alice" {
				t.Errorf("%s, %s: %d %q", name, path, status, body)
			}
		}
	}
}

// tenant is an application's own context, which finds parameters in its own way.
type tenant struct{ *fiber.DefaultCtx }

func (*tenant) Params(name string, _ ...string) string { return map[string]string{"id": "alice"}[name] }

// Policies get the context that the application has made, and Self asks this context
// for the parameter.
func TestContextOfTheApplication(t *testing.T) {
	t.Parallel()
	guard := authgearfiberv3.New(guardtest.Alice, authgearfiberv3.Config{Observer: &authgear.Observer{}})
	own := authgearfiberv3.Policy(func(c fiber.Ctx, _ *authgear.Identity) error {
		if _, ok := c.(*tenant); !ok {
			return authgear.Deny("fiber's own context")
		}
		return nil
	})
	app := fiber.NewWithCustomCtx(func(app *fiber.App) fiber.CustomCtx { return &tenant{fiber.NewDefaultCtx(app)} })
	app.Get("/users/:id", guard.Require(own, authgearfiberv3.Self("id")), func(c fiber.Ctx) error {
		return c.SendString(authgearfiberv3.MustUser(c.(*tenant)).ID)
	})
	if status, body := send(t, app, "/users/somebody", http.Header{}); status != 200 || body != "alice" {
		t.Errorf("%d %s", status, body)
	}
}
