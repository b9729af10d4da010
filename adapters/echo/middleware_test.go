package authgearecho_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// Middleware in front of a guard passes the refusal on unchanged, and sees it.
func TestMiddlewareInFront(t *testing.T) {
	t.Parallel()
	const refusal = `{"error":"authentication_required","error_description":"This request needs an access token."}` + "\n"
	custom := func(c echo.Context, _ *authgear.Error) error { return c.String(http.StatusTeapot, "custom") }
	failing := func(echo.Context, *authgear.Error) error { return guardtest.ErrOther }
	for handler, config := range map[string]authgearecho.Config{
		"default": {}, "custom": {ErrorHandler: custom}, "failing": {ErrorHandler: failing},
	} {
		status, body := http.StatusUnauthorized, refusal
		if handler == "custom" {
			status, body = http.StatusTeapot, "custom"
		}
		var seen strings.Builder // middleware writes here what it sees
		for name, c := range map[string]struct {
			middleware echo.MiddlewareFunc
			sees       string
		}{
			//lint:ignore SA1019 applications still have it
			"Timeout":        {middleware.TimeoutWithConfig(middleware.TimeoutConfig{Timeout: time.Minute}), ""},
			"ContextTimeout": {middleware.ContextTimeout(time.Minute), ""},
			"Gzip":           {middleware.Gzip(), ""},
			//lint:ignore SA1019 the same
			"Logger": {middleware.LoggerWithConfig(middleware.LoggerConfig{Format: "${status}", Output: &seen}), strconv.Itoa(status)},
			"RequestLogger": {middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
				LogStatus: true, HandleError: true,
				LogValuesFunc: func(_ echo.Context, v middleware.RequestLoggerValues) error {
					_, err := fmt.Fprint(&seen, v.Status)
					return err
				},
			}), strconv.Itoa(status)},
			"BodyDump": {middleware.BodyDump(func(_ echo.Context, _, answer []byte) { seen.Write(answer) }), body},
		} {
			seen.Reset()
			e := echo.New()
			e.Use(c.middleware)
			e.GET("/", func(echo.Context) error { return nil }, authgearecho.New(guardtest.Nobody{}, config).Require())
			w := httptest.NewRecorder()
			e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			if w.Code != status || w.Body.String() != body {
				t.Errorf("%s, %s: %d %q", name, handler, w.Code, w.Body)
			}
			if seen.String() != c.sees {
				t.Errorf("%s, %s: it sees %q", name, handler, seen.String())
			}
		}
	}
}

// Middleware between an access log and the guard puts back the request from before the
// guard. All accessors still find the refusal, and who was refused.
func TestRequestIsPutBack(t *testing.T) {
	t.Parallel()
	log := ""
	e := echo.New()
	e.Use(accessLog(func(identity *authgear.Identity, refused *authgear.Error) { log = guardtest.Told(identity, refused) }), func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			identity, _ := authgearecho.Identity(c)
			if user, ok := authgearecho.User(c); user != identity || ok && authgearecho.MustUser(c) != identity {
				t.Errorf("%s: the identity is %v, the user %v", c.Path(), identity, user)
			}
			return err
		}
	}, tracing)
	guard := authgearecho.New(guardtest.Alice, authgearecho.Config{Observer: &authgear.Observer{}})
	handler := func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
	e.GET("/admin", handler, guard.Require(authgear.Role("admin")))
	e.GET("/archived", func(c echo.Context) error { return guard.Refuse(c, authgear.Deny("archived")) }, guard.Require())
	// The identity in the context of the request itself counts.
	e.GET("/as", handler, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			c.SetRequest(c.Request().WithContext(authgear.NewContext(c.Request().Context(), nil)))
			if identity, ok := authgearecho.Identity(c); ok {
				t.Errorf("the identity is %s", identity.ID)
			}
			return err
		}
	}, guard.Require(authgear.Role("admin")))
	e.GET("/open", handler)
	for range 3 { // echo reuses its contexts
		for path, want := range map[string]string{"/admin": "alice role_missing", "/archived": "alice policy_denied", "/as": "alice role_missing", "/open": "nobody allowed"} {
			if e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)); log != want {
				t.Errorf("%s: the access log has %q, want %q", path, log, want)
			}
		}
	}
}
