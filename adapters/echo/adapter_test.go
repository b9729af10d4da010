package authgearecho_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestAllocations(t *testing.T) {
	cost := func(steps ...echo.MiddlewareFunc) float64 {
		e := echo.New()
		e.GET("/", func(echo.Context) error { return nil }, steps...)
		w, request := guardtest.Discard{}, httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Authorization", "Bearer token")
		request.Header.Set("Cookie", "a=b")
		return testing.AllocsPerRun(100, func() { e.ServeHTTP(w, request) })
	}
	guardtest.Allocations(t, 4, func(auth authgear.Authenticator) float64 { return cost(authgearecho.New(auth).Require()) - cost() })
}

// The guard has written the answer, and the context holds the error.
func TestErrorIsInTheContext(t *testing.T) {
	t.Parallel()
	e := echo.New()
	c := e.NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	err := authgearecho.New(guardtest.Nobody{}).Require()(func(echo.Context) error {
		t.Error("the handler ran")
		return nil
	})(c)
	if err != nil || c.Response().Status != http.StatusUnauthorized {
		t.Errorf("err = %v, status %d", err, c.Response().Status)
	}
	if refused, ok := authgearecho.Refused(c); !ok || refused.Reason != authgear.ReasonNoCredentials {
		t.Errorf("refused = %v", refused)
	}
}

// The observer, not echo, gets the error that a custom error handler returns.
func TestErrorHandlerReturns(t *testing.T) {
	t.Parallel()
	var notices []authgear.Notice
	config := authgearecho.Config{
		Observer: &authgear.Observer{
			Notice: func(_ context.Context, n authgear.Notice) { notices = append(notices, n) },
		},
		ErrorHandler: func(echo.Context, *authgear.Error) error { return guardtest.ErrOther },
	}
	c := echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	err := authgearecho.New(guardtest.Nobody{}, config).Require()(nil)(c)
	if err != nil || len(notices) != 1 || notices[0].Err != guardtest.ErrOther {
		t.Errorf("err = %v, notices = %+v", err, notices)
	}
}

// The X-Authgear-* headers of a refused request are removed too: neither a custom error
// handler nor middleware around the guard sees them.
func TestRefusalStrips(t *testing.T) {
	t.Parallel()
	got := "the error handler did not run"
	config := authgearecho.Config{ErrorHandler: func(c echo.Context, _ *authgear.Error) error {
		got = c.Request().Header.Get("X-Authgear-User-Id")
		return nil
	}}
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("X-Authgear-User-Id", "mallory")
	c := echo.New().NewContext(request, httptest.NewRecorder())
	if err := authgearecho.New(guardtest.Nobody{}, config).Require()(nil)(c); err != nil || got != "" {
		t.Errorf("err = %v, the error handler sees %q", err, got)
	}
	if after := c.Request().Header.Get("X-Authgear-User-Id"); after != "" {
		t.Errorf("afterwards %q", after)
	}
}

func TestSkipper(t *testing.T) {
	t.Parallel()
	config := authgearecho.Config{Skipper: func(c echo.Context) bool { return c.Request().URL.Path == "/skipped" }}
	for path, want := range map[string]bool{"/skipped": true, "/": false} {
		request := httptest.NewRequest("GET", path, nil)
		request.Header.Set("X-Authgear-User-Id", "mallory")
		c := echo.New().NewContext(request, httptest.NewRecorder())
		ran := false
		err := authgearecho.New(guardtest.Nobody{}, config).Require()(func(c echo.Context) error {
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
	c := echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	authgearecho.WithIdentity(c, guardtest.Alice.Identity)
	if user := authgearecho.MustUser(c); user.ID != "alice" {
		t.Errorf("user = %+v", user)
	}
	if err := authgearecho.New(guardtest.Nobody{}).Require()(nil)(c); err != nil || c.Response().Status != http.StatusUnauthorized {
		t.Error("an identity that was put in by hand passes the guard")
	}
}
