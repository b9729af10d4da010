package authgearechov5_test

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestAllocations(t *testing.T) {
	cost := func(steps ...echo.MiddlewareFunc) float64 {
		e := echo.New()
		e.GET("/", func(*echo.Context) error { return nil }, steps...)
		w, request := guardtest.Discard{}, httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Authorization", "Bearer token")
		request.Header.Set("Cookie", "a=b")
		return testing.AllocsPerRun(100, func() { e.ServeHTTP(w, request) })
	}
	guardtest.Allocations(t, 4, func(auth authgear.Authenticator) float64 { return cost(authgearechov5.New(auth).Require()) - cost() })
}

// The guard has written the answer, and the context holds the error.
func TestErrorIsInTheContext(t *testing.T) {
	t.Parallel()
	e := echo.New()
	w := httptest.NewRecorder()
	c := e.NewContext(httptest.NewRequest("GET", "/", nil), w)
	err := authgearechov5.New(guardtest.Nobody{}).Require()(func(*echo.Context) error {
		t.Error("the handler ran")
		return nil
	})(c)
	if err != nil || w.Code != http.StatusUnauthorized {
		t.Errorf("err = %v, status %d", err, w.Code)
	}
	if refused, ok := authgearechov5.Refused(c); !ok || refused.Reason != authgear.ReasonNoCredentials {
		t.Errorf("refused = %v", refused)
	}
}

// The observer, not echo, gets the error that a custom error handler returns. Nobody
// else gets the writer of the error handler.
func TestErrorHandlerReturns(t *testing.T) {
	t.Parallel()
	var notices []authgear.Notice
	config := authgearechov5.Config{
		Observer: &authgear.Observer{
			Notice: func(_ context.Context, n authgear.Notice) { notices = append(notices, n) },
		},
		ErrorHandler: func(*echo.Context, *authgear.Error) error { return guardtest.ErrOther },
	}
	c := echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	writer := c.Response()
	err := authgearechov5.New(guardtest.Nobody{}, config).Require()(nil)(c)
	if err != nil || len(notices) != 1 || notices[0].Err != guardtest.ErrOther {
		t.Errorf("err = %v, notices = %+v", err, notices)
	}
	if c.Response() != writer {
		t.Errorf("middleware around the guard gets a %T", c.Response())
	}
}

// The X-Authgear-* headers of a refused request are removed too: neither a custom error
// handler nor middleware around the guard sees them.
func TestRefusalStrips(t *testing.T) {
	t.Parallel()
	got := "the error handler did not run"
	config := authgearechov5.Config{ErrorHandler: func(c *echo.Context, _ *authgear.Error) error {
		got = c.Request().Header.Get("X-Authgear-User-Id")
		return nil
	}}
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("X-Authgear-User-Id", "mallory")
	c := echo.New().NewContext(request, httptest.NewRecorder())
	if err := authgearechov5.New(guardtest.Nobody{}, config).Require()(nil)(c); err != nil || got != "" {
		t.Errorf("err = %v, the error handler sees %q", err, got)
	}
	if after := c.Request().Header.Get("X-Authgear-User-Id"); after != "" {
		t.Errorf("afterwards %q", after)
	}
}

func TestSkipper(t *testing.T) {
	t.Parallel()
	config := authgearechov5.Config{Skipper: func(c *echo.Context) bool { return c.Request().URL.Path == "/skipped" }}
	for path, want := range map[string]bool{"/skipped": true, "/": false} {
		request := httptest.NewRequest("GET", path, nil)
		request.Header.Set("X-Authgear-User-Id", "mallory")
		c := echo.New().NewContext(request, httptest.NewRecorder())
		ran := false
		err := authgearechov5.New(guardtest.Nobody{}, config).Require()(func(c *echo.Context) error {
			ran = c.Request().Header.Get("X-Authgear-User-Id") == ""
			return nil
		})(c)
		if err != nil || ran != want {
			t.Errorf("%s: err = %v, ran = %v", path, err, ran)
		}
	}
}

func TestWithIdentity(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	type key struct{}
	before := httptest.NewRequestWithContext(context.WithValue(t.Context(), key{}, "value"), "GET", "/", nil)
	c := echo.New().NewContext(before, w)
	authgearechov5.WithIdentity(c, guardtest.Alice.Identity)
	ctx := c.Request().Context()
	if user, _ := authgear.UserFromContext(ctx); user != guardtest.Alice.Identity || ctx.Value(key{}) != "value" {
		t.Errorf("user = %+v, value %v", user, ctx.Value(key{}))
	}
	c.SetRequest(before) // as middleware for tracing does
	if user := authgearechov5.MustUser(c); user.ID != "alice" {
		t.Errorf("user = %+v", user)
	}
	authgearechov5.WithIdentity(c, guardtest.Alice.Identity)
	if err := authgearechov5.New(guardtest.Nobody{}).Require()(nil)(c); err != nil || w.Code != http.StatusUnauthorized {
		t.Error("an identity that was put in by hand passes the guard")
	}
}

// If a handler has begun its own answer and then refuses, there is no second answer.
func TestRefuseTooLate(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]authgearechov5.Config{
		"none": {}, "silent": {ErrorHandler: func(*echo.Context, *authgear.Error) error { return nil }},
	} {
		config.Observer = &authgear.Observer{}
		guard := authgearechov5.New(guardtest.Alice, config)
		e := newEcho()
		e.Use(middleware.BodyDump(func(*echo.Context, []byte, []byte, error) {}))
		e.GET("/", func(c *echo.Context) error {
			_ = c.String(http.StatusAccepted, "begun")
			return guard.Refuse(c, authgear.Deny("too late"))
		}, guard.Require())
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != http.StatusAccepted || w.Body.String() != "begun" {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
}

// bearer says that alice sent every request with an Authorization header.
type bearer struct{}

func (bearer) Authenticate(ctx context.Context, r authgear.Request) (*authgear.Identity, error) {
	if len(r.Values("Authorization")) > 0 {
		return guardtest.Alice.Authenticate(ctx, r)
	}
	return guardtest.Nobody{}.Authenticate(ctx, r)
}

// A guard works before and after echo looks for the route, and when echo finds no
// route.
func TestRoutes(t *testing.T) {
	t.Parallel()
	guard := authgearechov5.New(bearer{}, authgearechov5.Config{Observer: &authgear.Observer{}})
	self := guard.Require(authgearechov5.Self("id"))
	handler := func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) }
	type answers struct{ nobody, alice int }
	for name, c := range map[string]struct {
		mount func(*echo.Echo)
		want  map[string]answers // by path
	}{
		"group": {
			func(e *echo.Echo) { e.Group("/users", guard.Require()).GET("/:id/notes", handler, self) },
			map[string]answers{"/users/alice/notes": {401, 204}, "/users/bob/notes": {401, 403}, "/users/alice": {401, 404}, "/": {404, 404}},
		},
		"RouteNotFound": {
			func(e *echo.Echo) { e.Group("/users", guard.Require()).RouteNotFound("/:id", handler, self) },
			map[string]answers{"/users/alice": {401, 204}, "/users/bob": {401, 403}, "/": {404, 404}},
		},
		"Use": {
			func(e *echo.Echo) { e.Use(guard.Require()); e.GET("/users/:id", handler, self) },
			map[string]answers{"/users/alice": {401, 204}, "/users/bob": {401, 403}, "/": {401, 404}},
		},
		"Use, with a policy": {
			func(e *echo.Echo) { e.Use(self); e.GET("/users/:id", handler) },
			map[string]answers{"/users/alice": {401, 204}, "/users/bob": {401, 403}, "/": {401, 403}},
		},
		"Pre": {
			func(e *echo.Echo) { e.Pre(guard.Require()); e.GET("/users/:id", handler, self) },
			map[string]answers{"/users/alice": {401, 204}, "/users/bob": {401, 403}, "/": {401, 404}},
		},
		"Pre, with a policy: no parameters yet": {
			func(e *echo.Echo) { e.Pre(self); e.GET("/users/:id", handler) },
			map[string]answers{"/users/alice": {401, 403}},
		},
		"another method": {
			func(e *echo.Echo) { e.Use(guard.Require()); e.POST("/", handler) },
			map[string]answers{"/": {401, 405}},
		},
	} {
		e := echo.New()
		c.mount(e)
		for path, want := range c.want {
			for token, status := range map[string]int{"": want.nobody, "Bearer token": want.alice} {
				w, request := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
				if token != "" {
					request.Header.Set("Authorization", token)
				}
				if e.ServeHTTP(w, request); w.Code != status {
					t.Errorf("%s: %s with %q: %d %q, want %d", name, path, token, w.Code, w.Body, status)
				}
			}
		}
	}
}

// If echo serves HEAD by the handler of GET, a refusal of HEAD has the same headers as
// a refusal of GET.
func TestHEAD(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config authgearechov5.Config
		status int
	}{
		"none":     {authgearechov5.Config{}, 401},
		"redirect": {authgearechov5.Config{ErrorHandler: func(c *echo.Context, _ *authgear.Error) error { return c.Redirect(303, "/login") }}, 303},
		"text":     {authgearechov5.Config{ErrorHandler: func(c *echo.Context, _ *authgear.Error) error { return c.String(418, "custom") }}, 418},
	} {
		c.config.Observer = &authgear.Observer{}
		e := echo.NewWithConfig(echo.Config{Router: echo.NewRouter(echo.RouterConfig{AutoHandleHEAD: true})})
		e.GET("/", func(*echo.Context) error { return nil }, authgearechov5.New(guardtest.Nobody{}, c.config).Require())
		get, head := httptest.NewRecorder(), httptest.NewRecorder()
		e.ServeHTTP(get, httptest.NewRequest("GET", "/", nil))
		e.ServeHTTP(head, httptest.NewRequest("HEAD", "/", nil))
		if head.Code != c.status || get.Code != c.status || head.Body.Len() != 0 {
			t.Errorf("%s: %d %q, GET %d", name, head.Code, head.Body, get.Code)
		}
		got, want := head.Result().Header, get.Result().Header
		if want.Get("Content-Length") == "" { // echo or net/http adds it
			got.Del("Content-Length")
		}
		if !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: the headers are %v, those of GET %v", name, got, want)
		}
	}
}

// A custom error handler may take over the connection, for example to close a WebSocket
// with its own code.
func TestHijacked(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]func(*echo.Context) error{
		"Hijack": func(c *echo.Context) error {
			conn, _, err := http.NewResponseController(c.Response()).Hijack()
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\nclosed")
			return err
		},
		"status": func(c *echo.Context) error {
			c.Response().WriteHeader(http.StatusSwitchingProtocols)
			conn, _, err := http.NewResponseController(c.Response()).Hijack()
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			_, err = io.WriteString(conn, "closed")
			return err
		},
	} {
		var notices []authgear.Notice
		e, left := newEcho(), make(chan struct{})
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				defer close(left)
				return next(c)
			}
		})
		e.GET("/", func(*echo.Context) error { return nil }, authgearechov5.New(guardtest.Nobody{}, authgearechov5.Config{
			Observer:     &authgear.Observer{Notice: func(_ context.Context, n authgear.Notice) { notices = append(notices, n) }},
			ErrorHandler: func(c *echo.Context, _ *authgear.Error) error { return switches(c) },
		}).Require())
		server := httptest.NewUnstartedServer(e)
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.Start()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Error(err)
		}
		header, body, _ := strings.Cut(string(answer), "\r\n\r\n")
		if !strings.HasPrefix(header, "HTTP/1.1 101 ") || body != "closed" {
			t.Errorf("%s: %q", name, answer)
		}
		server.Close()
		<-left // Server.Close does not wait for a handler that has hijacked its connection
		if len(notices) != 0 {
			t.Errorf("%s: notices = %+v", name, notices)
		}
	}
}
