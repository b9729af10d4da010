package project

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/leaktest"
)

const path = "/.well-known/openid-configuration"

func TestMain(m *testing.M) { leaktest.Main(m) }

// serve starts a server that runs until the test ends.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// get asks for path. The answer is closed when the test ends.
func get(t *testing.T, config Config) *Answer {
	t.Helper()
	answer, err := New(config).Get(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(answer.Close)
	return answer
}

func mention(t *testing.T, err error, want, never []string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range want {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q does not say %q", err, s)
		}
	}
	for _, s := range never {
		if strings.Contains(err.Error(), s) {
			t.Errorf("error %q says %q", err, s)
		}
	}
	if len(err.Error()) > 1000 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

// This is all that is sent. The second request would send the cookie that the first
// answer set.
func TestNothingElseIsSent(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "csp_nonce", Value: "1"})
		requests <- r
	})
	host := strings.TrimPrefix(server.URL, "http://")
	for _, c := range []struct {
		endpoint, internal string
		idle               int
		header             http.Header
		host               string
		want               http.Header // in addition to what each request has
	}{
		{server.URL, "", 64, nil, host, http.Header{}},
		{server.URL, "", 64, http.Header{"Authorization": {"Bearer a.b.c"}}, host, http.Header{"Authorization": {"Bearer a.b.c"}}},
		{server.URL, "", 0, http.Header{"User-Agent": {"another"}, "Cookie": {"session=a; session=~"}}, host, http.Header{"Cookie": {"session=a; session=~"}, "Connection": {"close"}}},
		{"https://auth.example.test", server.URL, 64, nil, "auth.example.test", http.Header{"X-Forwarded-Proto": {"https"}}},
		{"http://[2001:db8::1]:3100", server.URL, 64, nil, "[2001:db8::1]:3100", http.Header{"X-Forwarded-Proto": {"http"}}},
	} {
		client := New(Config{Endpoint: c.endpoint, Internal: c.internal, IdleConnections: c.idle})
		if got := client.URL(path); got != server.URL+path {
			t.Errorf("URL is %s", got)
		}
		c.want["Accept-Encoding"], c.want["User-Agent"] = []string{"identity"}, []string{"authgear-sdk-go"}
		for range 2 {
			answer, err := client.Get(t.Context(), path+"?q=1", c.header.Clone())
			if err != nil {
				t.Fatal(err)
			}
			answer.Close()
			r := <-requests
			if r.Method != http.MethodGet || r.RequestURI != path+"?q=1" || r.ContentLength != 0 || r.Host != c.host || fmt.Sprint(r.Header) != fmt.Sprint(c.want) {
				t.Errorf("%s %s of %s with %d bytes and %v, want %v", r.Method, r.RequestURI, r.Host, r.ContentLength, r.Header, c.want)
			}
		}
	}
}

// Redirect policy, cookie jar and time-out of the user's HTTP client are not used. The
// client itself is not changed.
func TestClientIsCopied(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) != 0 || r.URL.Path != path {
			t.Errorf("%s with cookies %v", r.URL, r.Cookies())
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "new"})
		http.Redirect(w, r, "/other", http.StatusFound)
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(u, []*http.Cookie{{Name: "session", Value: "old"}})
	transport := &http.Transport{MaxIdleConnsPerHost: 1, ForceAttemptHTTP2: true}
	base := &http.Client{Transport: transport, Jar: jar, Timeout: time.Nanosecond, CheckRedirect: func(*http.Request, []*http.Request) error {
		t.Error("the user's CheckRedirect was called")
		return nil
	}}
	answer := get(t, Config{Endpoint: server.URL, HTTPClient: base})
	if answer.Status != http.StatusFound {
		t.Errorf("status %d", answer.Status)
	}
	if c := jar.Cookies(u); len(c) != 1 || c[0].Value != "old" {
		t.Errorf("jar %v", c)
	}
	if base.Jar != jar || base.Transport != transport || base.Timeout != time.Nanosecond || base.CheckRedirect == nil ||
		transport.MaxIdleConnsPerHost != 1 || transport.MaxResponseHeaderBytes != 0 || transport.Protocols != nil || !transport.ForceAttemptHTTP2 {
		t.Error("the user's client was changed")
	}
}

func TestStatusError(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscan(r.Header.Get("X-Status"), &status); err != nil {
			t.Error(err)
		}
		if location := r.Header.Get("X-Location"); location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
	})
	client := New(Config{Endpoint: server.URL})
	failure := func(status int, location string) error {
		t.Helper()
		answer, err := client.Get(t.Context(), path, http.Header{"X-Status": {fmt.Sprint(status)}, "X-Location": {location}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Close()
		if answer.Status != status {
			t.Errorf("status %d, want %d", answer.Status, status)
		}
		return answer.StatusError()
	}
	if err := failure(200, "https://elsewhere.test/"); err != nil {
		t.Error(err)
	}
	for _, status := range []int{201, 203, 204, 206, 300, 302, 304, 307, 400, 401, 404, 429} {
		mention(t, failure(status, ""), []string{fmt.Sprintf("status %d, not 200", status), "that of an Authgear project?"}, nil)
	}
	for _, status := range []int{500, 502, 503, 504} { // then the address is right
		mention(t, failure(status, ""), []string{fmt.Sprintf("status %d, not 200", status)}, []string{"?"})
	}
	for location, origin := range map[string]string{
		"https://Elsewhere.Test:443/private?code=secret#secret": "https://elsewhere.test",
		"//elsewhere.test/private?code=secret":                  "http://elsewhere.test",
		"/private?code=secret":                                  server.URL,
		"https://user:secret@elsewhere.test/private":            "an address that is no web origin",
		"javascript:secret":                                     "an address that is no web origin",
		"http://elsewhere.test/private%zz?code=secret":          "an address that is no web origin", // url.Parse quotes it
		"http://[private/secret":                                "an address that is no web origin",
	} {
		for _, status := range []int{300, 301, 302, 303} {
			mention(t, failure(status, location), []string{fmt.Sprintf("status %d, a redirect to %s, is not followed", status, origin), "public origin?"}, []string{"secret", "private", "TRUST_PROXY"})
		}
		for _, status := range []int{307, 308} {
			mention(t, failure(status, location), []string{"a redirect to " + origin + ",", "public origin?", "TRUST_PROXY=true"}, []string{"secret", "private"})
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	const chunked = "Transfer-Encoding: chunked\r\n\r\n"
	encoded := func(as string) string { return "Content-Encoding: " + as + "\r\nContent-Length: 0\r\n\r\n" }
	sized := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n)) }
	for _, c := range []struct {
		name, answer string
		empty        bool
		size         int
		err          string // the error of ReadAll
	}{
		{"no bytes", sized(0), true, 0, ""},
		{"no chunks", chunked + "0\r\n\r\n", true, 0, ""},
		{"one byte", sized(1), false, 1, ""},
		{"a chunk", chunked + "1\r\nx\r\n0\r\n\r\n", false, 1, ""},
		{"1 MiB", sized(1 << 20), false, 1 << 20, ""},
		{"more than 1 MiB", sized(1<<20 + 1), false, 0, "larger than 1 MiB"},
		{"identity", encoded("Identity"), true, 0, ""},
		{"gzip", encoded("gzip"), true, 0, `encoded as "gzip"`},
		{"an endless coding", encoded(strings.Repeat("x", 9000)), true, 0, "encoded as"},
		{"a broken chunk", chunked + "mallory\r\n\r\n", false, 0, "reading the answer: its body is malformed"},
		{"a broken trailer", chunked + "0\r\nmallory\r\n\r\n", false, 0, "reading the answer: its body is malformed"},
		{"cut off", "Connection: close\r\nContent-Length: 10\r\n\r\n{", false, 0, "reading the answer: " + io.ErrUnexpectedEOF.Error()},
	} {
		origin := raw(t, "HTTP/1.1 200 OK\r\n"+c.answer)
		empty, err := get(t, Config{Endpoint: origin}).Empty()
		if empty != c.empty || err != nil && !strings.HasPrefix(err.Error(), "reading the answer") {
			t.Errorf("%s: Empty() = %t, %v", c.name, empty, err)
		}
		body, err := get(t, Config{Endpoint: origin}).ReadAll()
		if len(body) != c.size || (err != nil) != (c.err != "") {
			t.Errorf("%s: %d bytes, %v", c.name, len(body), err)
		}
		if err != nil {
			mention(t, err, []string{c.err}, []string{"mallory"})
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A transport that is not an *http.Transport is used as it is.
func TestAnyRoundTripper(t *testing.T) {
	t.Parallel()
	var answer *http.Response
	var failure error
	client := New(Config{Endpoint: "https://auth.example.test", HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if !r.Close {
			t.Error("the connection is to stay open")
		}
		return answer, failure
	})}})
	for _, failure = range []error{nil, errors.New("no route"), errors.New(strings.Repeat("x", 10_000))} {
		_, err := client.Get(t.Context(), path, nil)
		mention(t, err, []string{"https://auth.example.test" + path, "address right"}, nil)
		if failure != nil && len(failure.Error()) < 100 && !errors.Is(err, failure) {
			t.Error(err)
		}
	}
	answer, failure = &http.Response{StatusCode: 200, Header: http.Header{"X-A": {"1"}}}, nil
	got, err := client.Get(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if empty, err := got.Empty(); !empty || err != nil || got.Header.Get("X-A") != "1" {
		t.Errorf("Empty() = %t, %v without a body", empty, err)
	}
}

// A transport must not change the requests that it gets. One that does harms no later
// request.
func TestTransportThatChanges(t *testing.T) {
	t.Parallel()
	client := New(Config{Endpoint: "https://auth.example.test", HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodGet || r.Host != "auth.example.test" || r.URL.String() != "https://auth.example.test"+path || len(r.Header) != 2 {
			t.Errorf("%s %s of %s with %v", r.Method, r.URL, r.Host, r.Header)
		}
		r.URL.Host, r.Host, r.Method = "elsewhere.test", "elsewhere.test", http.MethodPost
		r.Header.Set("X-A", "1")
		r.Header["User-Agent"][0] = "another"
		return &http.Response{StatusCode: 200}, nil
	})}})
	ask(t, client)
	ask(t, client)
}

// The error says so when a server without TLS answers at an https address.
func TestSchemeMismatch(t *testing.T) {
	t.Parallel()
	origin := raw(t, "HTTP/1.0 400 Bad Request\r\n\r\n")
	_, err := New(Config{Endpoint: strings.Replace(origin, "http:", "https:", 1)}).Get(t.Context(), path, nil)
	if !errors.Is(err, http.ErrSchemeMismatch) {
		t.Error(err)
	}
}

// The context bounds the wait for a server that stops in the middle of an answer.
func TestHangs(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nX-Authgear-Ses", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"} {
		ctx, cancel := context.WithCancel(t.Context())
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			conn := hijack(t, w)
			_, _ = io.WriteString(conn, sent)
			cancel()
			_, _ = io.Copy(io.Discard, conn)
		})
		answer, err := New(Config{Endpoint: server.URL}).Get(ctx, path, nil)
		if err == nil {
			_, err = answer.ReadAll()
			answer.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%q: %v", sent, err)
		}
	}
}
