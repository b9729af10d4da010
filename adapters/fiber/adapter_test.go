package authgearfiber_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
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

// What a custom error handler returns goes to the observer, not to fiber.
func TestErrorHandlerReturns(t *testing.T) {
	t.Parallel()
	var notices []authgear.Notice
	app := fiber.New()
	app.Get("/", authgearfiber.New(guardtest.Nobody{}, authgearfiber.Config{
		Observer: &authgear.Observer{
			Notice: func(_ context.Context, n authgear.Notice) { notices = append(notices, n) },
		},
		ErrorHandler: func(*fiber.Ctx, *authgear.Error) error { return guardtest.ErrOther },
	}).Require())
	response, err := app.Test(httptest.NewRequest("GET", "/", nil))
	if err != nil || response.StatusCode != http.StatusUnauthorized || len(notices) != 1 || notices[0].Err != guardtest.ErrOther {
		t.Errorf("%v, %v, %+v", response, err, notices)
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Get("/", authgearfiber.New(guardtest.Nobody{}, authgearfiber.Config{Next: func(*fiber.Ctx) bool { return true }}).Require(),
		func(c *fiber.Ctx) error { return c.SendString(c.Get("X-Authgear-User-Id", "stripped")) })
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("X-Authgear-User-Id", "mallory")
	response, err := app.Test(request)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); string(body) != "stripped" {
		t.Errorf("body = %s", body)
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
		response, err := app.Test(httptest.NewRequest("GET", path, nil))
		if err != nil || response.StatusCode != want {
			t.Errorf("%s: %v, %v", path, response, err)
		}
	}
}

// keeper keeps all that the view shows.
type keeper struct{ kept []string }

func (k *keeper) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	k.kept = append(k.kept, r.Method(), r.Host(), r.RemoteAddr())
	k.kept = append(k.kept, r.Values("Authorization")...)
	for _, name := range []string{"Cookie", "Origin", "X-Authgear-User-Id"} {
		k.kept = append(k.kept, r.Values(name)...)
	}
	k.kept = slices.AppendSeq(k.kept, r.Names())
	return guardtest.Alice.Identity, nil
}

// fasthttp uses its buffers again; nothing that was shown may change with them.
func TestNothingOutlivesTheHandler(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	addr := mount(fiber.Config{})(t, guardtest.App{
		Guards: []guardtest.Guard{{Authenticator: k, Config: guard.Config{Observer: &authgear.Observer{}}}},
		Routes: []guardtest.Route{{Path: "/", Steps: []guardtest.Step{{Kind: guardtest.Require}}, Handler: func(guardtest.Context) (int, string) { return 200, "" }}},
	})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	send := func(letter string) {
		fill := strings.Repeat(letter, 40)
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+fill+"\r\nAuthorization: Bearer "+fill+"\r\nCookie: a="+fill+"\r\ncookie: session="+fill+
			"\r\nOrigin: https://"+fill+"\r\nX-Authgear-User-Id: "+fill+"\r\nX-"+fill+": "+fill+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	send("a")
	first := slices.Clone(k.kept)
	copies := make([]string, len(first))
	for i, s := range first {
		copies[i] = strings.Clone(s)
	}
	for range 5 {
		send("b")
	}
	if !slices.Equal(first, copies) || !strings.Contains(strings.Join(first, " "), strings.Repeat("a", 40)) {
		t.Errorf("%q\nbecame %q", copies, first)
	}
}

// A status or a body that other middleware left there is not an answer of the
// error handler: a refused request never gets it.
func TestSilentErrorHandlerAfterOtherMiddleware(t *testing.T) {
	t.Parallel()
	silent := func(*fiber.Ctx, *authgear.Error) error { return nil }
	for name, before := range map[string]func(*fiber.Ctx){
		"a status":         func(c *fiber.Ctx) { c.Status(fiber.StatusCreated) },
		"the same status":  func(c *fiber.Ctx) { c.Status(fiber.StatusUnauthorized) },
		"a body":           func(c *fiber.Ctx) { c.Response().SetBodyString("left over") },
		"a body stream":    func(c *fiber.Ctx) { c.Response().SetBodyStream(strings.NewReader("left over"), 9) },
		"a stream, chunks": func(c *fiber.Ctx) { c.Response().SetBodyStream(strings.NewReader("left over"), -1) },
	} {
		for kind, handler := range map[string]func(*fiber.Ctx, *authgear.Error) error{"default": nil, "silent": silent} {
			app := fiber.New()
			app.Use(func(c *fiber.Ctx) error {
				before(c)
				return c.Next()
			})
			app.Get("/", authgearfiber.New(guardtest.Nobody{}, authgearfiber.Config{ErrorHandler: handler}).Require())
			response, err := app.Test(httptest.NewRequest("GET", "/", nil))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(string(body), `{"error":"authentication_required"`) ||
				response.ContentLength != int64(len(body)) || response.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s, %s: %d %q %v", name, kind, response.StatusCode, body, response.Header)
			}
		}
	}
}

// After Strip no view shows an identity header, even one that a trailer has
// brought into fasthttp's store again.
func TestStripReachesTheRawBlock(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	app := fiber.New(fiber.Config{StreamRequestBody: true, DisableStartupMessage: true})
	app.Use(authgearfiber.Strip, func(c *fiber.Ctx) error {
		c.Body()
		return c.Next()
	})
	app.Post("/", authgearfiber.New(k).Require(), func(c *fiber.Ctx) error { return c.SendString("ran") })
	all := exchange(t, serve(t, app), "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Authgear-User-Id: mallory\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"1\r\na\r\n0\r\nX-Authgear-User-Id: mallory\r\n\r\n")
	if !strings.HasPrefix(all, "HTTP/1.1 200 ") || len(k.kept) == 0 || slices.Contains(k.kept, "mallory") {
		t.Errorf("%s\n%q", all, k.kept)
	}
}

// A refusal's headers take the place of what other middleware has set, in any
// spelling.
func TestRefusalReplacesHeaders(t *testing.T) {
	t.Parallel()
	for _, config := range []fiber.Config{{}, {DisableHeaderNormalizing: true}} {
		app := fiber.New(config)
		app.Use(func(c *fiber.Ctx) error {
			header := &c.Response().Header
			header.Add("cache-control", "public")
			header.Add("Cache-Control", "max-age=60")
			header.Add("www-authenticate", "Basic")
			header.Add("Www-Authenticate", "Negotiate")
			return c.Next()
		})
		app.Get("/", authgearfiber.New(guardtest.Nobody{}).Require())
		response, err := app.Test(httptest.NewRequest("GET", "/", nil))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "Www-Authenticate": "Bearer"} {
			if got := response.Header[name]; !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// A user context that derives from fasthttp's own shows the newest finding:
// looking for an earlier one must not go in a circle.
func TestContextOfFasthttpItself(t *testing.T) {
	t.Parallel()
	derive := func(c *fiber.Ctx) error {
		c.SetUserContext(context.WithValue(c.Context(), key{}, "value"))
		return c.Next()
	}
	first, second := authgearfiber.New(guardtest.Alice), authgearfiber.New(guardtest.Alice)
	app := fiber.New()
	app.Get("/", first.Require(), derive, second.Require(), derive, first.Require(), func(c *fiber.Ctx) error {
		return c.SendString(authgearfiber.MustUser(c).ID)
	})
	response, err := app.Test(httptest.NewRequest("GET", "/", nil))
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", response, err)
	}
}

type key struct{}
