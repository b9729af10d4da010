package authgearechov5_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

const unauthorized = `{"error":"authentication_required","error_description":"This request needs an access token."}` + "\n"

// newEcho returns an application with an error handler that answers every error, even
// if an answer was already written.
func newEcho() *echo.Echo {
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.HTTPErrorHandler = func(c *echo.Context, err error) {
		_ = c.String(http.StatusInternalServerError, "naive: "+err.Error())
	}
	return e
}

// putsBack is middleware, as for tracing: it hands on a request with its own context,
// and afterwards puts back the request that it got.
func putsBack(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		type span struct{}
		r := c.Request()
		defer c.SetRequest(r)
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), span{}, "span")))
		return next(c)
	}
}

// Middleware in front of a guard passes the answer on unchanged, and sees it. An access
// log around all of it knows why the request was refused.
func TestMiddlewareInFront(t *testing.T) {
	t.Parallel()
	for handler, c := range map[string]struct {
		handle func(*echo.Context, *authgear.Error) error
		status int
		body   string
	}{
		"none":     {nil, 401, unauthorized},
		"silent":   {func(*echo.Context, *authgear.Error) error { return nil }, 401, unauthorized},
		"failing":  {func(*echo.Context, *authgear.Error) error { return guardtest.ErrOther }, 401, unauthorized},
		"no JSON":  {func(c *echo.Context, _ *authgear.Error) error { return c.JSON(418, func() {}) }, 401, unauthorized},
		"text":     {func(c *echo.Context, _ *authgear.Error) error { return c.String(418, "custom") }, 418, "custom"},
		"JSON":     {func(c *echo.Context, _ *authgear.Error) error { return c.JSON(418, "custom") }, 418, "\"custom\"\n"},
		"returns":  {func(c *echo.Context, err *authgear.Error) error { _ = c.String(418, "custom"); return err }, 418, "custom"},
		"redirect": {func(c *echo.Context, _ *authgear.Error) error { return c.Redirect(303, "/login") }, 303, ""},
		"twice": {func(c *echo.Context, _ *authgear.Error) error { // echo logs that
			c.Response().WriteHeader(418)
			return c.String(500, "custom")
		}, 418, "custom"},
		"flush": {func(c *echo.Context, _ *authgear.Error) error {
			_ = c.String(418, "custom")
			return http.NewResponseController(c.Response()).Flush()
		}, 418, "custom"},
	} {
		var seen strings.Builder // middleware writes here what it sees
		for name, m := range map[string]struct {
			middleware echo.MiddlewareFunc
			sees       string
		}{
			"ContextTimeout": {middleware.ContextTimeout(time.Minute), ""},
			"Recover":        {middleware.Recover(), ""},
			"Gzip":           {middleware.Gzip(), ""},
			"Gzip, buffered": {middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1000}), ""},
			"RequestLogger": {middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
				LogStatus: true, HandleError: true,
				LogValuesFunc: func(c *echo.Context, v middleware.RequestLoggerValues) error {
					refused, _ := authgearechov5.Refused(c)
					_, err := fmt.Fprint(&seen, v.Status, v.Error, refused.Reason)
					return err
				},
			}), fmt.Sprint(c.status, nil, authgear.ReasonNoCredentials)},
			"BodyDump": {middleware.BodyDump(func(_ *echo.Context, _, answer []byte, err error) {
				_, _ = fmt.Fprint(&seen, string(answer), err)
			}), fmt.Sprint(c.body, nil)},
			"WrapMiddleware": {echo.WrapMiddleware(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r.Clone(r.Context())) })
			}), ""},
			"another writer": {func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c *echo.Context) error {
					c.SetResponse(struct {
						http.ResponseWriter
						http.Flusher
					}{c.Response(), c.Response().(http.Flusher)})
					return next(c)
				}
			}, ""},
			"tracing": {putsBack, ""},
		} {
			seen.Reset()
			log := ""
			e := newEcho()
			e.Use(accessLog(func(identity *authgear.Identity, refused *authgear.Error) { log = guardtest.Told(identity, refused) }), m.middleware)
			guard := authgearechov5.New(guardtest.Nobody{}, authgearechov5.Config{Observer: &authgear.Observer{}, ErrorHandler: c.handle})
			e.GET("/", func(*echo.Context) error { return nil }, guard.Require())
			w, request := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
			request.Header.Set("Accept-Encoding", "gzip")
			e.ServeHTTP(w, request)
			if body := decompressed(t, w); w.Code != c.status || body != c.body {
				t.Errorf("%s, %s: %d %q", name, handler, w.Code, body)
			}
			if seen.String() != m.sees {
				t.Errorf("%s, %s: it sees %q", name, handler, seen.String())
			}
			if log != "nobody no_credentials" {
				t.Errorf("%s, %s: the access log has %q", name, handler, log)
			}
		}
	}
}

func decompressed(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.String()
	}
	r, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Error(err)
		return ""
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

// Middleware between an access log and the guard puts back the request from before the
// guard.
func TestRequestIsPutBack(t *testing.T) {
	t.Parallel()
	log := ""
	e := newEcho()
	e.Use(accessLog(func(identity *authgear.Identity, refused *authgear.Error) { log = guardtest.Told(identity, refused) }), allAlike(t), putsBack)
	guard := authgearechov5.New(guardtest.Alice, authgearechov5.Config{Observer: &authgear.Observer{}})
	handler := func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) }
	e.GET("/me", handler, guard.Require())
	e.GET("/admin", handler, guard.Require(authgear.Role("admin")))
	e.GET("/archived", func(c *echo.Context) error { return guard.Refuse(c, authgear.Deny("archived")) }, guard.Require())
	// The identity in the context of the request itself counts.
	e.GET("/as", handler, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			err := next(c)
			c.SetRequest(c.Request().WithContext(authgear.NewContext(c.Request().Context(), nil)))
			if identity, ok := authgearechov5.Identity(c); ok {
				t.Errorf("the identity is %s", identity.ID)
			}
			return err
		}
	}, guard.Require())
	e.GET("/open", handler)
	for range 3 { // echo reuses its contexts
		for _, c := range []struct {
			path, want string
		}{{"/me", "alice allowed"}, {"/open", "nobody allowed"}, {"/admin", "alice role_missing"}, {"/open", "nobody allowed"},
			{"/archived", "alice policy_denied"}, {"/as", "alice allowed"}, {"/unknown", "nobody allowed"}} {
			e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", c.path, nil))
			if log != c.want {
				t.Errorf("%s: the access log has %q, want %q", c.path, log, c.want)
			}
		}
	}
}

// allAlike is middleware that expects all accessors to agree.
func allAlike(t *testing.T) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			err := next(c)
			identity, _ := authgearechov5.Identity(c)
			if user, ok := authgearechov5.User(c); user != identity || ok && authgearechov5.MustUser(c) != identity {
				t.Errorf("%s: the identity is %v, the user %v", c.Path(), identity, user)
			}
			return err
		}
	}
}

// waits answers only after the request's time is up.
type waits struct{}

func (waits) Authenticate(ctx context.Context, _ authgear.Request) (*authgear.Identity, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// If the time is up before the guard has decided, the guard answers 503, and nobody
// else answers.
func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	e := newEcho()
	e.Use(middleware.ContextTimeout(time.Millisecond))
	e.GET("/", func(*echo.Context) error { return nil }, authgearechov5.New(waits{}, authgearechov5.Config{Observer: &authgear.Observer{}}).Optional())
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != `{"error":"temporarily_unavailable","error_description":"The request cannot be checked now. Try again later."}`+"\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
