package authgearhttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
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
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	w, r := discard{http.Header{}}, httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("Cookie", "a=b")
	for _, auth := range []constant{alice, bySession} {
		guarded := authgearhttp.New(auth).Require()(handler)
		if got := testing.AllocsPerRun(100, func() { guarded.ServeHTTP(w, r) }); got > 2 {
			t.Errorf("%s: %v allocations, at most 2", auth.identity.Source, got)
		}
	}
}

// The handler gets the server's own writer, with all that it can do.
func TestWriterIsNotWrapped(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	handler := http.HandlerFunc(func(got http.ResponseWriter, _ *http.Request) {
		if got != http.ResponseWriter(w) {
			t.Errorf("the writer is a %T", got)
		}
	})
	config := authgearhttp.Config{ErrorHandler: func(http.ResponseWriter, *http.Request, *authgear.Error) {}}
	authgearhttp.New(alice, config).Require()(handler).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
}

// An early hint is not an answer, and http.ResponseController works.
func TestErrorHandlerWriter(t *testing.T) {
	t.Parallel()
	config := authgearhttp.Config{ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ *authgear.Error) {
		w.WriteHeader(http.StatusEarlyHints)
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
	}}
	server := httptest.NewServer(authgearhttp.New(nobody{}, config).Require()(http.NotFoundHandler()))
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

// A handler that flushes has answered; a refusal's body behind it would lie.
func TestErrorHandlerFlushes(t *testing.T) {
	t.Parallel()
	config := authgearhttp.Config{ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ *authgear.Error) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	}}
	w := httptest.NewRecorder()
	authgearhttp.New(nobody{}, config).Require()(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if !w.Flushed || w.Body.Len() > 0 {
		t.Errorf("flushed %v, body %q", w.Flushed, w.Body)
	}
}

func TestWithIdentity(t *testing.T) {
	t.Parallel()
	r := authgearhttp.WithIdentity(httptest.NewRequest("GET", "/", nil), alice.identity)
	if user := authgearhttp.MustUser(r); user.ID != "alice" {
		t.Errorf("user = %+v", user)
	}
	w := httptest.NewRecorder()
	authgearhttp.New(nobody{}).Require()(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("an identity that was put in by hand passes the guard: %d", w.Code)
	}
}
