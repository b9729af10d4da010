package authgearhttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestAllocations(t *testing.T) {
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	w, r := guardtest.Discard{}, httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("Cookie", "a=b")
	guardtest.Allocations(t, 2, func(auth authgear.Authenticator) float64 {
		guarded := authgearhttp.New(auth).Require()(handler)
		return testing.AllocsPerRun(100, func() { guarded.ServeHTTP(w, r) })
	})
}

// The handler gets the server's own writer, with all its methods.
func TestWriterIsNotWrapped(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	handler := http.HandlerFunc(func(got http.ResponseWriter, _ *http.Request) {
		if got != http.ResponseWriter(w) {
			t.Errorf("the writer is a %T", got)
		}
	})
	config := authgearhttp.Config{ErrorHandler: func(http.ResponseWriter, *http.Request, *authgear.Error) {}}
	authgearhttp.New(guardtest.Alice, config).Require()(handler).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
}

// In a custom error handler an early hint is not an answer, and http.ResponseController
// works.
func TestErrorHandlerWriter(t *testing.T) {
	t.Parallel()
	config := authgearhttp.Config{ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ *authgear.Error) {
		w.WriteHeader(http.StatusEarlyHints)
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
	}}
	server := httptest.NewServer(authgearhttp.New(guardtest.Nobody{}, config).Require()(http.NotFoundHandler()))
	defer server.Close()
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", response.StatusCode)
	}
}

// A custom error handler that flushes has answered. The guard must not add the body of
// the default answer.
func TestErrorHandlerFlushes(t *testing.T) {
	t.Parallel()
	config := authgearhttp.Config{ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ *authgear.Error) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	}}
	w := httptest.NewRecorder()
	authgearhttp.New(guardtest.Nobody{}, config).Require()(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if !w.Flushed || w.Body.Len() > 0 {
		t.Errorf("flushed %v, body %q", w.Flushed, w.Body)
	}
}

func TestWithIdentity(t *testing.T) {
	t.Parallel()
	r := authgearhttp.WithIdentity(httptest.NewRequest("GET", "/", nil), guardtest.Alice.Identity)
	if user := authgearhttp.MustUser(r); user.ID != "alice" {
		t.Errorf("user = %+v", user)
	}
	w := httptest.NewRecorder()
	authgearhttp.New(guardtest.Nobody{}).Require()(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("an identity that was put in by hand passes the guard: %d", w.Code)
	}
}
