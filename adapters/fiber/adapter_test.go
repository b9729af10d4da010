package authgearfiber_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestAllocations(t *testing.T) {
	cost := func(handlers ...fiber.Handler) float64 {
		app := fiber.New()
		app.Get("/", append(handlers, func(*fiber.Ctx) error { return nil })...)
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
	guardtest.Allocations(t, 3, func(auth authgear.Authenticator) float64 { return cost(authgearfiber.New(auth).Require()) - cost() })
}

func TestNext(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Use(authgearfiber.New(guardtest.Nobody{}, authgearfiber.Config{Next: func(c *fiber.Ctx) bool { return c.Path() == "/left/alone" }}).Require(),
		func(c *fiber.Ctx) error { return c.SendString(c.Get("X-Authgear-User-Id", "stripped")) })
	for path, want := range map[string]string{"/left/alone": "stripped", "/": `{"error":"authentication_required"`} {
		request := httptest.NewRequest("GET", path, nil)
		request.Header.Set("X-Authgear-User-Id", "mallory")
		response, err := app.Test(request, -1) // without fiber's time limit of a second
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); !strings.HasPrefix(string(body), want) {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestWithIdentity(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		authgearfiber.WithIdentity(c, guardtest.Alice.Identity)
		return c.Next()
	})
	app.Get("/handler", func(c *fiber.Ctx) error { return c.SendString(authgearfiber.MustUser(c).ID) })
	app.Get("/guarded", authgearfiber.New(guardtest.Nobody{}).Require())
	for path, want := range map[string]int{"/handler": 200, "/guarded": 401} {
		response, err := app.Test(httptest.NewRequest("GET", path, nil), -1)
		if err != nil || response.StatusCode != want {
			t.Errorf("%s: %v, %v", path, response, err)
		}
	}
}

// A user context may derive from fasthttp's own context. It shows what the last guard
// found, and the search for an earlier result must not go in a circle.
func TestContextOfFasthttpItself(t *testing.T) {
	t.Parallel()
	derive := func(c *fiber.Ctx) error {
		c.SetUserContext(context.WithValue(c.Context(), key{}, "value"))
		return c.Next()
	}
	decisions := 0
	config := authgearfiber.Config{Observer: &authgear.Observer{Decision: func(context.Context, authgear.Decision) { decisions++ }}}
	first, second := authgearfiber.New(guardtest.Alice, config), authgearfiber.New(guardtest.Alice, config)
	app := fiber.New()
	app.Get("/", first.Require(), derive, second.Require(), derive, first.Require(), func(c *fiber.Ctx) error {
		return c.SendString(authgearfiber.MustUser(c).ID)
	})
	response, err := app.Test(httptest.NewRequest("GET", "/", nil), -1)
	if err != nil || response.StatusCode != http.StatusOK || decisions != 2 {
		t.Errorf("%v, %v, %d decisions", response, err, decisions)
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
	guard := authgearfiber.New(auth)
	app := fiber.New()
	app.Get("/old", guard.Require(), func(c *fiber.Ctx) error {
		c.Path("/new")
		return c.RestartRouting()
	})
	app.Get("/changed", guard.Require(), func(c *fiber.Ctx) error {
		c.Request().Header.Set("Authorization", "Bearer") // malformed
		c.Path("/new")
		return c.RestartRouting()
	})
	app.Get("/new", guard.Require(), func(c *fiber.Ctx) error { return c.SendString(authgearfiber.MustUser(c).ID) })
	for path, want := range map[string]struct {
		status, decisions int
	}{"/old": {200, 1}, "/changed": {400, 2}} {
		decisions = 0
		request := httptest.NewRequest("GET", path, nil)
		request.Header = header
		response, err := app.Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != want.status || want.status == 200 && string(body) != "alice" || decisions != want.decisions {
			t.Errorf("%s: %d %q, %d decisions", path, response.StatusCode, body, decisions)
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
	app.Use(func(c *fiber.Ctx) error {
		c.Method(c.Query("_method"))
		return c.Next()
	})
	app.All("/", authgearfiber.New(guardtest.Constant{Identity: &browser}, authgearfiber.Config{Observer: observer}).Require())
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
		response, err := app.Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != r.status || len(methods) != 1 || methods[0] != r.judged {
			t.Errorf("%s as %s, %s: %d, decided about %q", r.method, r.override, r.site, response.StatusCode, methods)
		}
	}
}
