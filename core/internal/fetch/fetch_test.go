package fetch_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/authgear/authgear-sdk-go/core/internal/fetch"
)

const path = "/.well-known/openid-configuration"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers at an address of its own until the test ends.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// own returns a client that shares no connection with other tests.
func own(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
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

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201, 203, 204, 206, 300, 304, 400, 401, 404, 429, 500, 502, 503} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			if status != 204 && status != 304 {
				_, _ = io.WriteString(w, `{"keys":[]}`)
			}
		})
		client := fetch.New(server.URL, "", own(t))
		body, got, err := client.Get(t.Context(), path)
		if got != status {
			t.Errorf("status %d, want %d", got, status)
		}
		if status == 200 {
			if err != nil || string(body) != `{"keys":[]}` {
				t.Errorf("200: %q, %v", body, err)
			}
			continue
		}
		if body != nil {
			t.Errorf("%d: body %q", status, body)
		}
		mention(t, err, []string{"GET " + server.URL + path, fmt.Sprintf("status %d", status), "endpoint"}, nil)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	target := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	for _, c := range []struct{ location, want string }{
		{target.URL + "/private?code=secret#secret", "a redirect to " + target.URL + ","},
		{"https://Elsewhere.Test:443/private?code=secret", "a redirect to https://elsewhere.test,"},
		{"//elsewhere.test/private?code=secret", "a redirect to http://elsewhere.test,"},
		{"https://user:secret@elsewhere.test/private", "no web origin"},
		{"javascript:secret", "no web origin"},
		{"http://elsewhere.test/private%zz?code=secret", "no web origin"},
		{"http://[private/secret", "no web origin"},
	} {
		for _, status := range []int{300, 301, 302, 303, 307, 308} {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Location"] = []string{c.location}
				w.WriteHeader(status)
			})
			_, got, err := fetch.New(server.URL, "", own(t)).Get(t.Context(), path)
			if got != status {
				t.Errorf("status %d, want %d", got, status)
			}
			mention(t, err, []string{fmt.Sprintf("status %d", status), c.want, "not followed"}, []string{"secret", "private"})
		}
	}
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			t.Error("the redirect was followed")
		}
		http.Redirect(w, r, "/private?code=secret", http.StatusFound)
	})
	_, _, err := fetch.New(server.URL, "", own(t)).Get(t.Context(), path)
	mention(t, err, []string{"a redirect to " + server.URL + ","}, []string{"secret", "private"})

	bare := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })
	_, _, err = fetch.New(bare.URL, "", own(t)).Get(t.Context(), path)
	mention(t, err, []string{"status 302, not 200"}, nil)
}

func TestSize(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	for _, c := range []struct {
		size  int
		fails bool
	}{{0, false}, {limit - 1, false}, {limit, false}, {limit + 1, true}} {
		for _, chunked := range []bool{false, true} {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if !chunked {
					w.Header().Set("Content-Length", fmt.Sprint(c.size))
				}
				_, _ = w.Write(bytes.Repeat([]byte{'x'}, c.size))
			})
			body, status, err := fetch.New(server.URL, "", own(t)).Get(t.Context(), path)
			if (err != nil) != c.fails || status != 200 || err == nil && len(body) != c.size {
				t.Errorf("%d bytes: %d, %d bytes, %v", c.size, status, len(body), err)
			}
			if c.fails {
				mention(t, err, []string{"1 MiB"}, []string{"xxx"})
			}
		}
	}
}

func TestEndlessBody(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	_, _, err := fetch.New(server.URL, "", own(t)).Get(t.Context(), path)
	mention(t, err, []string{"1 MiB"}, nil)
	<-ended // the connection was closed
}

func TestCutBody(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"keys":`)
	})
	body, status, err := fetch.New(server.URL, "", own(t)).Get(t.Context(), path)
	if status != 200 || body != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d, %q, %v", status, body, err)
	}
}

func TestEncodedAnswerIsRefused(t *testing.T) {
	t.Parallel()
	for coding, ok := range map[string]bool{"": true, "identity": true, "Identity": true, "gzip": false, "br": false, strings.Repeat("x", 9000): false} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if coding != "" {
				w.Header().Set("Content-Encoding", coding)
			}
			_, _ = io.WriteString(w, "{}")
		})
		_, _, err := fetch.New(server.URL, "", own(t)).Get(t.Context(), path)
		if (err == nil) != ok {
			t.Errorf("%.20q: %v", coding, err)
		}
		if !ok {
			mention(t, err, []string{"encoded as"}, nil)
		}
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		requests <- r
	})
	host := strings.TrimPrefix(server.URL, "http://")

	for _, c := range []struct{ endpoint, internal, host, proto string }{
		{server.URL, "", host, ""},
		{"https://auth.example.test", server.URL, "auth.example.test", "https"},
		{"http://auth.localhost:3100", server.URL, "auth.localhost:3100", "http"},
		{"https://[2001:db8::1]:8443", server.URL, "[2001:db8::1]:8443", "https"},
	} {
		client := fetch.New(c.endpoint, c.internal, own(t))
		if got := client.URL(path); got != server.URL+path {
			t.Errorf("URL is %s", got)
		}
		for range 2 { // the second would send the cookie of the first
			if _, _, err := client.Get(t.Context(), path+"?q=1"); err != nil {
				t.Fatal(err)
			}
			r := <-requests
			if r.Method != http.MethodGet || r.RequestURI != path+"?q=1" || r.ContentLength != 0 {
				t.Errorf("%s %s with %d bytes", r.Method, r.RequestURI, r.ContentLength)
			}
			if r.Host != c.host {
				t.Errorf("Host %q, want %q", r.Host, c.host)
			}
			if !r.Close {
				t.Error("the connection is to stay open")
			}
			want := http.Header{"Accept-Encoding": {"identity"}, "User-Agent": {"authgear-sdk-go"}, "Connection": {"close"}}
			if c.proto != "" {
				want.Set("X-Forwarded-Proto", c.proto)
			}
			if fmt.Sprint(r.Header) != fmt.Sprint(want) {
				t.Errorf("header %v, want %v", r.Header, want)
			}
		}
	}
}

// The jar of the user's client must not see us, and we must not see its cookies.
func TestClientIsCopied(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "new"})
		requests <- r
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
	base := own(t)
	base.Jar, base.Timeout = jar, time.Nanosecond
	base.CheckRedirect = func(*http.Request, []*http.Request) error {
		t.Error("the user's CheckRedirect was called")
		return nil
	}
	before := *base

	_, status, err := fetch.New(server.URL, "", base).Get(t.Context(), path)
	if status != http.StatusFound {
		t.Fatalf("%d, %v", status, err)
	}
	if r := <-requests; len(r.Cookies()) != 0 {
		t.Errorf("cookies %v", r.Cookies())
	}
	if c := jar.Cookies(u); len(c) != 1 || c[0].Value != "old" {
		t.Errorf("jar %v", c)
	}
	if base.Jar != before.Jar || base.Timeout != before.Timeout || base.Transport != before.Transport || base.CheckRedirect == nil {
		t.Error("the user's client was changed")
	}
}

func TestStandardClient(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	body, status, err := fetch.New(server.URL, "", nil).Get(t.Context(), path)
	if string(body) != "{}" || status != 200 || err != nil {
		t.Errorf("%q, %d, %v", body, status, err)
	}
}

// authority is a private certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Private CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// serve answers over TLS as name, by HTTP/2 when the client can. It returns the
// server, and a function that waits until no connection is open.
func (a *authority) serve(t *testing.T, name string, handler http.HandlerFunc) (*httptest.Server, func() (opened int)) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	wait := watch(server)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, wait
}

// client trusts the authority only.
func (a *authority) client() *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}}
}

// watch counts the connections of a server that has not started.
func watch(server *httptest.Server) func() (opened int) {
	var mu sync.Mutex
	changed := sync.NewCond(&mu)
	opened, open := 0, 0
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case http.StateNew:
			opened++
			open++
		case http.StateClosed, http.StateHijacked:
			open--
			changed.Broadcast()
		default:
		}
	}
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		for open != 0 {
			changed.Wait()
		}
		return opened
	}
}

func port(t *testing.T, server *httptest.Server) string {
	t.Helper()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// The certificate is checked against the address that is asked, not against the
// endpoint.
func TestInternalTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	hosts := make(chan string, 1)
	handler := func(_ http.ResponseWriter, r *http.Request) {
		hosts <- r.Proto + " " + r.Host + " " + r.Header.Get("X-Forwarded-Proto")
	}
	const public = "https://auth.example.test"

	right, _ := ca.serve(t, "localhost", handler)
	_, status, err := fetch.New(public, "https://localhost:"+port(t, right), ca.client()).Get(t.Context(), path)
	if status != 200 || err != nil {
		t.Fatalf("%d, %v", status, err)
	}
	if got := <-hosts; got != "HTTP/2.0 auth.example.test https" {
		t.Errorf("asked %q", got)
	}

	wrong, _ := ca.serve(t, "auth.example.test", handler)
	_, status, err = fetch.New(public, "https://localhost:"+port(t, wrong), ca.client()).Get(t.Context(), path)
	if name := (x509.HostnameError{}); status != 0 || !errors.As(err, &name) || name.Host != "localhost" {
		t.Errorf("a certificate for another name: %d, %v", status, err)
	}

	_, status, err = fetch.New(public, "https://localhost:"+port(t, right), newAuthority(t).client()).Get(t.Context(), path)
	if unknown := (x509.UnknownAuthorityError{}); status != 0 || !errors.As(err, &unknown) {
		t.Errorf("another authority: %d, %v", status, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRoundTripperFails(t *testing.T) {
	t.Parallel()
	failure := errors.New("no route")
	client := fetch.New("https://auth.example.test", "", &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, failure })})
	body, status, err := client.Get(t.Context(), path)
	if body != nil || status != 0 || !errors.Is(err, failure) {
		t.Errorf("%q, %d, %v", body, status, err)
	}
	mention(t, err, []string{"https://auth.example.test" + path, "address right"}, nil)

	client = fetch.New("https://auth.example.test", "", &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil })})
	if _, status, err := client.Get(t.Context(), path); status != 0 || err == nil {
		t.Errorf("an empty answer: %d, %v", status, err)
	}
}

// drip is a body that gives a byte every period, never when that is 0.
type drip struct {
	ctx    context.Context
	period time.Duration
	closed *bool
}

func (d drip) Read(b []byte) (int, error) {
	var tick <-chan time.Time
	if d.period > 0 {
		tick = time.After(d.period)
	}
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-tick:
		b[0] = ' '
		return 1, nil
	}
}

func (d drip) Close() error {
	*d.closed = true
	return nil
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	closed := false
	for name, transport := range map[string]roundTripper{
		"no answer": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			closed = true
			return nil, r.Context().Err()
		},
		"late header, then nothing": func(r *http.Request) (*http.Response, error) {
			time.Sleep(4 * time.Second)
			return &http.Response{StatusCode: 200, Request: r, Header: http.Header{}, Body: drip{r.Context(), 0, &closed}}, nil
		},
		"dripping body": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Request: r, Header: http.Header{}, Body: drip{r.Context(), 300 * time.Millisecond, &closed}}, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			closed = false
			client := fetch.New("https://auth.example.test", "", &http.Client{Transport: transport, Timeout: time.Hour})
			start := time.Now()
			_, _, err := client.Get(t.Context(), path)
			if took := time.Since(start); took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) || !closed {
				t.Errorf("%s: after %v: %v, closed %t", name, took, err, closed)
			}
			mention(t, err, []string{"https://auth.example.test" + path}, nil)

			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start = time.Now()
			if _, _, err := client.Get(ctx, path); name != "late header, then nothing" && (time.Since(start) != time.Second || err == nil) {
				t.Errorf("%s: the caller's limit: after %v: %v", name, time.Since(start), err)
			}
		})
	}
}

func TestCancelledDuringTheBody(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done() // the client has closed the connection
	})
	if _, _, err := fetch.New(server.URL, "", own(t)).Get(ctx, path); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Services make clients and throw them away; not parallel, for the count of
// goroutines.
func TestNothingStaysOpen(t *testing.T) {
	const clients, secureClients = 1000, 200 // handshakes are slow
	others := goleak.IgnoreCurrent()
	each := func(clients int, do func()) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range clients / 4 {
					do()
				}
			})
		}
		wg.Wait()
	}

	plain := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			t.Errorf("%s", r.Proto)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	waitPlain := watch(plain)
	plain.Start()
	defer plain.Close()
	each(clients, func() {
		if _, _, err := fetch.New(plain.URL, "", nil).Get(t.Context(), path); err != nil {
			t.Error(err)
		}
		if _, _, err := fetch.New(plain.URL, "", &http.Client{Transport: &http.Transport{}}).Get(t.Context(), path); err != nil {
			t.Error(err)
		}
	})
	if n := waitPlain(); n != 2*clients {
		t.Errorf("%d connections by HTTP/1", n)
	}

	ca := newAuthority(t)
	secure, waitSecure := ca.serve(t, "localhost", func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("%s", r.Proto)
		}
		_, _ = io.WriteString(w, "{}")
	})
	each(secureClients, func() {
		if _, _, err := fetch.New("https://localhost:"+port(t, secure), "", ca.client()).Get(t.Context(), path); err != nil {
			t.Error(err)
		}
	})
	if n := waitSecure(); n < secureClients {
		t.Errorf("%d connections by HTTP/2", n)
	}

	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := dead.Addr().String()
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	each(clients, func() {
		if _, status, err := fetch.New("http://"+address, "", &http.Client{Transport: &http.Transport{}}).Get(t.Context(), path); status != 0 || err == nil {
			t.Errorf("%d, %v", status, err)
		}
	})

	plain.Close()
	secure.Close()
	goleak.VerifyNone(t, others)
}

// A malformed answer is not quoted whole.
func TestHugeLineIsNotQuoted(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX"+strings.Repeat("Q", 1<<20)+"\r\n\r\n")
		_ = conn.Close()
	}()
	_, _, err = fetch.New("http://"+listener.Addr().String(), "", nil).Get(t.Context(), "/")
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("an error of %d bytes", len(fmt.Sprint(err)))
	}
	<-served
}
