package authgeargin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestAllocations(t *testing.T) {
	cost := func(handlers ...gin.HandlerFunc) float64 {
		r := gin.New()
		r.GET("/", append(handlers, func(*gin.Context) {})...)
		w, request := guardtest.Discard{}, httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Authorization", "Bearer token")
		request.Header.Set("Cookie", "a=b")
		return testing.AllocsPerRun(100, func() { r.ServeHTTP(w, request) })
	}
	guardtest.Allocations(t, 4, func(auth authgear.Authenticator) float64 { return cost(authgeargin.New(auth).Require()) - cost() })
}

// Logging middleware finds the error in c.Errors, where gin keeps errors.
func TestErrorIsRecorded(t *testing.T) {
	t.Parallel()
	var recorded []*gin.Error
	r := gin.New()
	r.Use(func(c *gin.Context) {
		c.Next()
		recorded = c.Errors
	})
	ran := false
	r.GET("/", authgeargin.New(guardtest.Nobody{}).Require(), func(*gin.Context) { ran = true })
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if e, ok := errors.AsType[*authgear.Error](recorded[0]); len(recorded) != 1 || !ok || e.Reason != authgear.ReasonNoCredentials {
		t.Errorf("errors = %v", recorded)
	}
	if ran {
		t.Error("the handler ran")
	}
}

// gin sets the status before it runs NoRoute handlers. This status is not an answer of
// the custom error handler.
func TestSilentHandlerOnNoRoute(t *testing.T) {
	t.Parallel()
	config := authgeargin.Config{ErrorHandler: func(*gin.Context, *authgear.Error) {}}
	r := gin.New()
	r.NoRoute(authgeargin.New(guardtest.Nobody{}, config).Require())
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("status %d", w.Code)
	}
}

// A body counts as an answer even if the error handler keeps the status that was set
// before.
func TestErrorHandlerKeepsStatus(t *testing.T) {
	t.Parallel()
	config := authgeargin.Config{ErrorHandler: func(c *gin.Context, _ *authgear.Error) {
		c.String(c.Writer.Status(), "custom")
	}}
	r := gin.New()
	r.GET("/", authgeargin.New(guardtest.Nobody{}, config).Require())
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusOK || w.Body.String() != "custom" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// The X-Authgear-* headers are removed before a custom error handler runs.
func TestErrorHandlerSeesNoIdentityHeaders(t *testing.T) {
	t.Parallel()
	got := "the error handler did not run"
	config := authgeargin.Config{ErrorHandler: func(c *gin.Context, _ *authgear.Error) {
		got = c.GetHeader("X-Authgear-User-Id")
	}}
	r := gin.New()
	r.GET("/", authgeargin.New(guardtest.Nobody{}, config).Require())
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("X-Authgear-User-Id", "mallory")
	r.ServeHTTP(httptest.NewRecorder(), request)
	if got != "" {
		t.Error(got)
	}
}

func TestWithIdentity(t *testing.T) {
	t.Parallel()
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	authgeargin.WithIdentity(c, guardtest.Alice.Identity)
	if user := authgeargin.MustUser(c); user.ID != "alice" {
		t.Errorf("user = %+v", user)
	}
	c.Request = httptest.NewRequest("GET", "/", nil)
	authgeargin.WithIdentity(c, guardtest.Alice.Identity)
	if identity, ok := authgear.FromContext(c.Request.Context()); !ok || identity.ID != "alice" {
		t.Errorf("identity = %+v", identity)
	}
	authgeargin.New(guardtest.Nobody{}).Require()(c)
	if !c.IsAborted() {
		t.Error("an identity that was put in by hand passes the guard")
	}
}

// A request's context may derive from gin's own context. It shows what the last guard
// found, and the search for an earlier result must not go in a circle.
func TestContextOfGinItself(t *testing.T) {
	t.Parallel()
	derive := func(c *gin.Context) {
		c.Request = c.Request.WithContext(context.WithValue(c, key{}, "value"))
	}
	first, second := authgeargin.New(guardtest.Alice), authgeargin.New(guardtest.Alice)
	r := gin.New()
	r.GET("/", first.Require(), derive, second.Require(), derive, first.Require(), func(c *gin.Context) {
		c.String(http.StatusOK, authgeargin.MustUser(c).ID)
	})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusOK || w.Body.String() != "alice" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type key struct{}
