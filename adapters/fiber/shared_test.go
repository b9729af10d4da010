package authgearfiber_test

import (
	"context"
	"io"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// What earlier middleware has removed does not count, although the raw header
// block still has it. What it sets is not seen, but for Authorization.
func TestMiddlewareChangesHeaders(t *testing.T) {
	t.Parallel()
	const cookies = "a=b; session=theirs; c=d"
	for _, c := range []struct {
		what, name, value string
		change            func(*fasthttp.RequestHeader)
		want              []string
	}{
		{"nothing", "Cookie", cookies, func(*fasthttp.RequestHeader) {}, []string{cookies}},
		{"cookies are read", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.Cookie("a") }, []string{cookies}},
		{"Del", "X-Authgear-User-Id", "alice", func(h *fasthttp.RequestHeader) { h.Del("X-Authgear-User-Id") }, nil},
		{"Del", "X-Authgear-Proxy-Secret", "secret", func(h *fasthttp.RequestHeader) { h.Del("X-Authgear-Proxy-Secret") }, nil},
		{"Del", "Authorization", "Bearer theirs", func(h *fasthttp.RequestHeader) { h.Del("Authorization") }, nil},
		{"Del", "Origin", "https://app.example.com", func(h *fasthttp.RequestHeader) { h.Del("Origin") }, nil},
		{"Del", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.Del("Cookie") }, nil},
		{"DelAllCookies", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.DelAllCookies() }, nil},
		{"DelCookie", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.DelCookie("session") }, []string{"a=b; c=d"}},
		{"DelCookie, beside a pair without a name", "Cookie", "session=theirs; =session=theirs", func(h *fasthttp.RequestHeader) { h.DelCookie("session") }, []string{" =session=theirs"}},
		{"DelCookie, the last one", "Cookie", "session=theirs", func(h *fasthttp.RequestHeader) { h.DelCookie("session") }, nil},
		{"DelCookie, quoted", "Cookie", `session="theirs"; a=b`, func(h *fasthttp.RequestHeader) { h.DelCookie("session") }, []string{" a=b"}},
		{"DelCookie, another one", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.DelCookie("c") }, []string{"a=b; session=theirs"}},
		{"SetCookie", "Cookie", "a=b", func(h *fasthttp.RequestHeader) { h.SetCookie("session", "mine") }, []string{"a=b"}},
		{"SetCookie over it", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.SetCookie("session", "mine") }, []string{"a=b; c=d"}},
		{"Set", "X-Authgear-User-Id", "alice", func(h *fasthttp.RequestHeader) { h.Set("X-Authgear-User-Id", "mine") }, nil},
		{"Set", "Origin", "https://app.example.com", func(h *fasthttp.RequestHeader) { h.Set("Origin", "https://mine.example.com") }, nil},
		{"Set", "Authorization", "Bearer theirs", func(h *fasthttp.RequestHeader) { h.Set("Authorization", "Bearer mine") }, []string{"Bearer mine"}},
		{"Add", "Authorization", "Bearer theirs", func(h *fasthttp.RequestHeader) { h.Add("Authorization", "Bearer mine") }, []string{"Bearer theirs", "Bearer mine"}},
	} {
		for name, config := range map[string]fiber.Config{"as usual": {}, "DisableHeaderNormalizing": {DisableHeaderNormalizing: true}, "Immutable": {Immutable: true}, "StreamRequestBody": {StreamRequestBody: true}} {
			var shown lines
			app := fiber.New(config)
			app.Use(func(ctx *fiber.Ctx) error {
				c.change(&ctx.Request().Header)
				return ctx.Next()
			})
			app.Get("/", authgearfiber.New(&shown).Require())
			request := httptest.NewRequest("GET", "/", nil)
			request.Header.Set(c.name, c.value)
			if _, err := app.Test(request); err != nil {
				t.Fatal(err)
			}
			if got := shown.shown[c.name]; !slices.Equal(got, c.want) {
				t.Errorf("%s %s, %s: the guard sees %q, want %q", c.what, c.name, name, got, c.want)
			}
		}
	}
}

// RestartRouting serves the request again, on another route: the guard that is
// there as well takes what it has found out before, unless the credentials were
// changed meanwhile.
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
		response, err := app.Test(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != want.status || want.status == 200 && string(body) != "alice" || decisions != want.decisions {
			t.Errorf("%s: %d %q, %d decisions", path, response.StatusCode, body, decisions)
		}
	}
}
