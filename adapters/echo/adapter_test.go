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

// discard is a writer that allocates nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

// bySession is one whose credential was a cookie: the cross-origin rule costs a
// safe request nothing.
var bySession = constant{&authgear.Identity{Kind: authgear.KindUser, ID: "alice", Source: authgear.SourceResolver, Evidence: authgear.Evidence{Ambient: true}}}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	cost := func(steps ...echo.MiddlewareFunc) float64 {
		e := echo.New()
		e.GET("/", func(echo.Context) error { return nil }, steps...)
		w, request := discard{http.Header{}}, httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Authorization", "Bearer token")
		request.Header.Set("Cookie", "a=b")
		return testing.AllocsPerRun(100, func() { e.ServeHTTP(w, request) })
	}
	for _, auth := range []constant{alice, bySession} {
		if got := cost(authgearecho.New(auth).Require()) - cost(); got > 4 {
			t.Errorf("%s: %v allocations, at most 4", auth.identity.Source, got)
		}
	}
}

// Logging middleware finds the error, after the answer is written.
func TestErrorIsReturned(t *testing.T) {
	t.Parallel()
	e := echo.New()
	c := e.NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	err := authgearecho.New(nobody{}).Require()(func(echo.Context) error {
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

// What a custom error handler returns goes to the observer, not to echo.
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
	err := authgearecho.New(nobody{}, config).Require()(nil)(c)
	if err != nil || len(notices) != 1 || notices[0].Err != guardtest.ErrOther {
		t.Errorf("err = %v, notices = %+v", err, notices)
	}
}

// A refused request has no X-Authgear-* field either, in a custom error handler
// and in the middleware outside.
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
	if err := authgearecho.New(nobody{}, config).Require()(nil)(c); err != nil || got != "" {
		t.Errorf("err = %v, the error handler sees %q", err, got)
	}
	if after := c.Request().Header.Get("X-Authgear-User-Id"); after != "" {
		t.Errorf("afterwards %q", after)
	}
}

func TestSkipper(t *testing.T) {
	t.Parallel()
	config := authgearecho.Config{Skipper: func(echo.Context) bool { return true }}
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("X-Authgear-User-Id", "mallory")
	c := echo.New().NewContext(request, httptest.NewRecorder())
	ran := false
	err := authgearecho.New(nobody{}, config).Require()(func(c echo.Context) error {
		ran = c.Request().Header.Get("X-Authgear-User-Id") == ""
		return nil
	})(c)
	if err != nil || !ran {
		t.Errorf("err = %v, ran = %v", err, ran)
	}
}

func TestWithIdentity(t *testing.T) {
	t.Parallel()
	c := echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	authgearecho.WithIdentity(c, alice.identity)
	if user := authgearecho.MustUser(c); user.ID != "alice" {
		t.Errorf("user = %+v", user)
	}
	if err := authgearecho.New(nobody{}).Require()(nil)(c); err != nil || c.Response().Status != http.StatusUnauthorized {
		t.Error("an identity that was put in by hand passes the guard")
	}
}
