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

// Middleware in front of a guard passes on the refusal as it is, and sees it.
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
		var seen strings.Builder // where middleware tells what it sees
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
