package e2e_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/contrib/instrumentation/github.com/labstack/echo/otelecho"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// Tracing in front of a guard passes the refusal on unchanged. It gives a returned
// error to echo's error handler, which would write a second answer.
func TestRefusalBehindTracing(t *testing.T) {
	t.Parallel()
	guard := authgearecho.New(guardtest.Nobody{}, authgearecho.Config{
		Observer:     &authgear.Observer{},
		ErrorHandler: func(echo.Context, *authgear.Error) error { return errors.New("the template failed") },
	})
	e := echo.New()
	e.Use(otelecho.Middleware("api"))
	e.GET("/", func(echo.Context) error { return nil }, guard.Require())
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	const body = `{"error":"authentication_required","error_description":"This request needs an access token."}` + "\n"
	if w.Code != http.StatusUnauthorized || w.Body.String() != body {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
