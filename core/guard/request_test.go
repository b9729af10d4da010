package guard_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// A request within the process that has the context of another is judged by its
// own values of whatever the authenticator reads.
func TestReuseComparesWhatWasRead(t *testing.T) {
	t.Parallel()
	alice := &authgear.Identity{Kind: authgear.KindUser, ID: "alice"}
	reads := map[string]func(authgear.Request){
		"a header of its own": func(r authgear.Request) { r.Values("X-Api-Key") },
		"an absent header":    func(r authgear.Request) { r.Values("X-Absent") },
		"the method":          func(r authgear.Request) { r.Method() },
		"the host":            func(r authgear.Request) { r.Host() },
		"the peer":            func(r authgear.Request) { r.RemoteAddr() },
		"the names":           func(r authgear.Request) { r.Names() },
		"nothing":             func(authgear.Request) {},
	}
	changes := map[string]func(*http.Request){
		"a header of its own": func(r *http.Request) { r.Header.Set("X-Api-Key", "other") },
		"an absent header":    func(r *http.Request) { r.Header.Set("X-Absent", "") },
		"the method":          func(r *http.Request) { r.Method = "POST" },
		"the host":            func(r *http.Request) { r.Host = "other.example.com" },
		"the peer":            func(r *http.Request) { r.RemoteAddr = "192.0.2.9:1" },
		"the names":           func(r *http.Request) { r.Header.Set("X-Absent", "") },
	}
	for read, ask := range reads {
		for changed, change := range changes {
			calls := 0
			g := guard.New(authenticate(func(r authgear.Request) (*authgear.Identity, error) {
				calls++
				ask(r)
				return alice, nil
			}), silent())
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("X-Api-Key", "mine")
			ctx, _ := run(g.Require(), r.Context(), r, http.Header{})
			change(r)
			run(g.Require(), ctx, r, http.Header{})
			want := 1
			if read == changed || read == "the names" && changed == "an absent header" || read == "an absent header" && changed == "the names" {
				want = 2
			}
			if calls != want {
				t.Errorf("%s was read, %s changed: %d calls, want %d", read, changed, calls, want)
			}
		}
	}
}

// What a proxy has stated counts in the request that the guard handed on, where
// it is removed, and in no other.
func TestReuseOfForwardedHeaders(t *testing.T) {
	t.Parallel()
	calls := 0
	g := guard.New(authenticate(func(r authgear.Request) (*authgear.Identity, error) {
		calls++
		r.Names()
		if id := r.Values("X-Authgear-User-Id"); len(id) == 1 {
			return &authgear.Identity{Kind: authgear.KindUser, ID: id[0]}, nil
		}
		return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
	}), silent())
	require := func(ctx context.Context, r *http.Request) (*http.Request, string) {
		handed, refusal := guard.Run(ctx, g.Require(), guard.HTTP(r), http.Header{}, nil)
		if refusal != nil {
			return handed, string(refusal.Err.Reason)
		}
		identity, _ := authgear.FromContext(handed.Context())
		return handed, identity.ID
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Authgear-User-Id", "alice")
	handed, who := require(r.Context(), r)
	if who != "alice" || len(handed.Header) != 0 || len(r.Header) != 1 {
		t.Fatalf("%s, handed on %v, came in %v", who, handed.Header, r.Header)
	}
	if _, who := require(handed.Context(), handed); who != "alice" || calls != 1 {
		t.Errorf("the request handed on: %s, %d calls", who, calls)
	}
	sub, who := require(handed.Context(), r.Clone(handed.Context()))
	if _, nested := require(sub.Context(), sub); who != "alice" || nested != "alice" || calls != 1 {
		t.Errorf("two guards of another request with the same headers: %s, %s, %d calls", who, nested, calls)
	}
	if _, who := require(handed.Context(), handed.Clone(handed.Context())); who != "no_credentials" {
		t.Errorf("a copy of it, so another request: %s", who)
	}
	if _, who := require(handed.Context(), httptest.NewRequest("GET", "/", nil)); who != "no_credentials" {
		t.Errorf("another request without identity headers: %s", who)
	}
	handed.Header.Set("X-Authgear-User-Id", "mallory")
	if _, who := require(handed.Context(), handed); who != "mallory" {
		t.Errorf("a header that was set since: %s", who)
	}
}

// An identity is asked for again when its token has expired.
func TestNoReuseAfterExpiry(t *testing.T) {
	t.Parallel()
	calls := 0
	g := guard.New(authenticate(func(authgear.Request) (*authgear.Identity, error) {
		calls++
		return &authgear.Identity{Kind: authgear.KindUser, ID: "alice", ExpiresAt: time.Now().Add(-time.Second)}, nil
	}), silent())
	r := newRequest("", "")
	ctx, _ := run(g.Require(), r.Context(), r, http.Header{})
	if run(g.Require(), ctx, r, http.Header{}); calls != 2 {
		t.Errorf("%d calls, want 2", calls)
	}
}

// The header that came in belongs to others too: an access log reads it while
// http.TimeoutHandler has left the handler behind.
func TestNothingIsWrittenIntoTheRequest(t *testing.T) {
	t.Parallel()
	g := guard.New(none{}, silent())
	r := httptest.NewRequest("POST", "/", strings.NewReader("body"))
	r.Header = http.Header{"X-Authgear-User-Id": {"mallory"}, "x_authgear.x": {"mallory"}, "X-Other": {"stays"}}
	r.Trailer = http.Header{"X-Authgear-User-Id": nil, "X-Sum": nil}
	header, trailer := maps.Clone(r.Header), maps.Clone(r.Trailer)
	handed, _ := guard.Run(r.Context(), g.Optional(), guard.HTTP(r), http.Header{}, nil)
	if !maps.EqualFunc(r.Header, header, slices.Equal) || !maps.EqualFunc(r.Trailer, trailer, slices.Equal) {
		t.Errorf("came in: %v, %v", r.Header, r.Trailer)
	}
	if len(handed.Header) != 1 || len(handed.Trailer) != 1 {
		t.Errorf("handed on: %v, %v", handed.Header, handed.Trailer)
	}
	if refused, _ := guard.Refuse(r.Context(), g, guard.HTTP(r), http.Header{}, authgear.Deny("no")); len(refused.Header) != 1 {
		t.Errorf("refused by the handler: %v", refused.Header)
	}
	again, _ := guard.Run(handed.Context(), g.Optional(), guard.HTTP(handed), http.Header{}, nil)
	if again.Body != handed.Body {
		t.Error("the body is wrapped twice")
	}

	clean := httptest.NewRequest("GET", "/", nil)
	if handed := guard.Strip(clean.Context(), guard.HTTP(clean)); handed != clean {
		t.Error("a request with nothing to remove is copied")
	}
}

// Of the trailers of a request the handler gets those that state no identity,
// declared or not.
func TestTrailers(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	g := guard.New(none{}, silent())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r, _ = guard.Run(r.Context(), g.Optional(), guard.HTTP(r), http.Header{}, nil)
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	}))
	defer server.Close()
	for declared, want := range map[string][]string{
		"":                          nil,
		"X-Sum":                     {"X-Other", "X-Sum"},
		"X-Authgear-User-Id":        {"X-Other", "X-Sum"},
		"X-Sum, x-authgear-user-id": {"X-Other", "X-Sum"},
	} {
		request := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
		if declared != "" {
			request += "Trailer: " + declared + "\r\n"
		}
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, request+"\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nX-Authgear-User-Id: mallory\r\nX-Authgear-User-Roles: admin\r\nX-Other: 2\r\n\r\n")
		if names := slices.Sorted(maps.Keys(<-got)); !slices.Equal(names, want) {
			t.Errorf("declared %q: trailers %q, want %q", declared, names, want)
		}
	}
}

// Over HTTP/2 a server takes the declared trailers only (RFC 9113 §8.1).
func TestTrailersHTTP2(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	g := guard.New(none{}, silent())
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r, _ = guard.Run(r.Context(), g.Optional(), guard.HTTP(r), http.Header{}, nil)
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	r, err := http.NewRequest("POST", server.URL, io.LimitReader(strings.NewReader("body"), 4))
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{"X-Sum": {"1"}, "X-Authgear-User-Id": {"mallory"}}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if trailer := <-got; response.ProtoMajor != 2 || len(trailer) != 1 || trailer.Get("X-Sum") != "1" {
		t.Errorf("HTTP/%d: trailers %v", response.ProtoMajor, trailer)
	}
}
