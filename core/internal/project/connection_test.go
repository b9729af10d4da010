package project

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// hijack returns the connection of a request. It is closed when the test ends.
func hijack(t *testing.T, w http.ResponseWriter) net.Conn {
	t.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		runtime.Goexit()
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// raw starts a server that answers each request with these bytes, and returns its origin.
// The server closes the connection if the bytes say so.
func raw(t *testing.T, answer string) (origin string) {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn := hijack(t, w)
		_, _ = io.WriteString(conn, answer)
		if strings.Contains(answer, "Connection: close") {
			_ = conn.Close()
		}
	}).URL
}

// A header that does not end is soon given up. A header that cannot be read is not quoted
// in the error.
func TestBadHeader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ first, again string }{
		"endless header":     {"HTTP/1.1 200 OK\r\n", "X-Authgear-User-Id: mallory\r\n"},
		"endless line":       {"HTTP/1.1 200 OK\r\nX-Authgear-User-Id: ", strings.Repeat("mallory", 100)},
		"interim answers":    {"", "HTTP/1.1 103 Early Hints\r\nLink: </mallory>\r\n\r\n"},
		"continued line":     {"HTTP/1.1 200 OK\r\nX-Authgear-User-Id: ", "mallory\r\n "},
		"no colon":           {"HTTP/1.1 200 OK\r\nX-Authgear-User-Id mallory\r\n\r\n", ""},
		"no status":          {"HTTP/1.1 mallory\r\n\r\n", ""},
		"other protocol":     {"mallory\r\n\r\n", ""},
		"two lengths":        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: mallory\r\n\r\n", ""},
		"unreadable address": {"HTTP/1.1 302 Found\r\nLocation: http://[mallory\r\nContent-Length: 0\r\n\r\n", ""},
	} {
		var sent atomic.Int64
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			conn := hijack(t, w)
			_, err := io.WriteString(conn, c.first)
			for err == nil && c.again != "" && sent.Load() < 200<<20 {
				var n int
				n, err = io.WriteString(conn, strings.Repeat(c.again, 100))
				sent.Add(int64(n))
			}
			_ = conn.Close()
		})
		answer, err := New(Config{Endpoint: server.URL}).Get(t.Context(), path, nil)
		if err == nil {
			err = answer.StatusError()
			answer.Close()
		} else {
			mention(t, err, []string{server.URL + path}, nil)
		}
		mention(t, err, nil, []string{"mallory"})
		if n := sent.Load(); n > 32<<20 { // most of it in the buffers of the sockets
			t.Errorf("%s: %d bytes were sent", name, n)
		}
	}
}

// brokenPipe is a connection that is lost after the first byte was written.
type brokenPipe struct{ net.Conn }

func (c brokenPipe) Write(b []byte) (int, error) {
	_, _ = c.Conn.Write(b[:1])
	return 1, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
}

// The error tells a lost connection from an answer that cannot be read.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]error{"": io.EOF, "HTTP/1.1 200 OK\r\nX-A: 1\r\n": io.ErrUnexpectedEOF} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			conn := hijack(t, w)
			_, _ = io.WriteString(conn, sent)
			_ = conn.Close()
		})
		_, err := New(Config{Endpoint: server.URL}).Get(t.Context(), path, nil)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v", sent, err)
		}
	}
	_, err := New(Config{Endpoint: raw(t, ""), HTTPClient: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return brokenPipe{conn}, err
		},
	}}}).Get(t.Context(), path, nil)
	if !errors.Is(err, syscall.EPIPE) {
		t.Error(err)
	}
}

// The limit for headers is 64 KiB, much more than Authgear sends, unless the user's
// transport has a limit of its own.
func TestHeaderLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size  int
		limit int64
		ok    bool
	}{{60 << 10, 0, true}, {70 << 10, 0, false}, {70 << 10, 1 << 20, true}, {10 << 10, 1 << 10, false}} {
		origin := raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: "+strings.Repeat("a", c.size)+"\r\n\r\n")
		client := New(Config{Endpoint: origin, HTTPClient: &http.Client{Transport: &http.Transport{MaxResponseHeaderBytes: c.limit}}})
		if answer, err := client.Get(t.Context(), path, nil); err == nil {
			answer.Close()
			if !c.ok {
				t.Errorf("%d bytes, limit %d", c.size, c.limit)
			}
		} else if mention(t, err, []string{"too large"}, []string{"aaa"}); c.ok {
			t.Errorf("%d bytes, limit %d: %v", c.size, c.limit, err)
		}
	}
}

// secure serves HTTP/2 to clients that offer it, with a certificate for 127.0.0.1 and
// example.com. A client with the configuration trusting trusts the certificate.
func secure(t *testing.T, handler http.HandlerFunc) (origin string, offers func() []string, trusting *tls.Config) {
	t.Helper()
	var last atomic.Value
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		last.Store(hello.SupportedProtos)
		return nil, nil //nolint:nilnil // nil: the configuration stays as it is
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server.URL, func() []string { return last.Load().([]string) }, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// A transport that speaks HTTP/2 for the user, however it was set up, speaks HTTP/1.1
// for this package.
func TestHTTP1Only(t *testing.T) {
	t.Parallel()
	origin, offers, trusting := secure(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	both := new(http.Protocols)
	both.SetHTTP1(true)
	both.SetHTTP2(true)
	withALPN := trusting.Clone()
	withALPN.NextProtos = []string{"h2", "http/1.1"}
	for name, transport := range map[string]*http.Transport{
		"by default":    {TLSClientConfig: trusting.Clone(), ForceAttemptHTTP2: true},
		"by Protocols":  {TLSClientConfig: trusting.Clone(), Protocols: both},
		"by NextProtos": {TLSClientConfig: withALPN, ForceAttemptHTTP2: true},
	} {
		for _, used := range []bool{false, true} {
			if used {
				response, err := (&http.Client{Transport: transport}).Get(origin)
				if err != nil {
					t.Fatal(err)
				}
				if _ = response.Body.Close(); response.ProtoMajor != 2 {
					t.Errorf("%s: the user's own client speaks %s", name, response.Proto)
				}
			}
			for _, idle := range []int{0, 64} {
				answer := get(t, Config{Endpoint: origin, HTTPClient: &http.Client{Transport: transport}, IdleConnections: idle})
				body, err := answer.ReadAll()
				if string(body) != "HTTP/1.1" || err != nil {
					t.Errorf("%s: %s, %v", name, body, err)
				}
				if got := offers(); !slices.Equal(got, []string{"http/1.1"}) {
					t.Errorf("%s: ALPN offers %v", name, got)
				}
			}
		}
		transport.CloseIdleConnections()
	}
}

// The certificate is checked against the address that is asked, not against the
// endpoint.
func TestInternalTLS(t *testing.T) {
	t.Parallel()
	origin, _, trusting := secure(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+" "+r.Header.Get("X-Forwarded-Proto"))
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting}}
	answer := get(t, Config{Endpoint: "https://auth.test", Internal: origin, HTTPClient: client})
	if body, err := answer.ReadAll(); string(body) != "auth.test https" || err != nil {
		t.Errorf("asked %q, %v", body, err)
	}
	_, err := New(Config{Endpoint: "https://example.com", Internal: strings.Replace(origin, "127.0.0.1", "localhost", 1), HTTPClient: client}).Get(t.Context(), path, nil)
	if name := (x509.HostnameError{}); !errors.As(err, &name) || name.Host != "localhost" {
		t.Errorf("a certificate for another name: %v", err)
	}
	_, err = New(Config{Endpoint: "https://example.com", Internal: origin}).Get(t.Context(), path, nil)
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) {
		t.Errorf("another authority: %v", err)
	}
}

// ask sends a request and ignores the answer.
func ask(t *testing.T, c *Client) {
	t.Helper()
	answer, err := c.Get(t.Context(), path, nil)
	if err != nil {
		t.Error(err)
		return
	}
	answer.Close()
}

// counting returns a user's HTTP client and the number of its connections.
func counting() (*http.Client, *atomic.Int32) {
	var opened atomic.Int32
	return &http.Client{Transport: &http.Transport{
		MaxIdleConns:        1,
		MaxIdleConnsPerHost: 1,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			opened.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}, &opened
}

// 64 requests at once need 64 connections. As long as the client is held, later requests
// reuse these connections.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 64), make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	base, opened := counting()
	client := New(Config{Endpoint: server.URL, HTTPClient: base, IdleConnections: 64})
	for range 3 {
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() { ask(t, client) })
		}
		for range 64 {
			<-arrived
		}
		for range 64 {
			release <- struct{}{}
		}
		wg.Wait()
		runtime.GC()
		runtime.GC()
	}
	if kept := client.transport.(*http.Transport); kept.MaxIdleConns != 64 || kept.MaxIdleConnsPerHost != 64 {
		t.Errorf("%d connections are kept, %d for each host, want 64", kept.MaxIdleConns, kept.MaxIdleConnsPerHost)
	}
	// net/http does not reuse a connection if the goroutine that writes to it ends more
	// than 50 ms late. On a busy machine this can happen to a few connections.
	if n := opened.Load(); n < 64 || n > 64+32 {
		t.Errorf("%d connections for 64 requests at once, want 64 to 96", n)
	}
}

// A service may make clients and drop them. This test is not parallel, since it counts
// goroutines.
func TestNothingStaysOpen(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	others := goleak.IgnoreCurrent()
	base, opened := counting()
	standing := New(Config{Endpoint: server.URL, HTTPClient: base})
	for range 50 {
		ask(t, standing) // standing closes its connections itself
		ask(t, New(Config{Endpoint: server.URL}))
		ask(t, New(Config{Endpoint: server.URL, IdleConnections: 64}))
		ask(t, New(Config{Endpoint: server.URL, IdleConnections: 64, HTTPClient: base}))
	}
	if n := opened.Load(); n != 100 {
		t.Errorf("%d connections, want 100", n)
	}
	for limit := time.Now().Add(time.Minute); ; runtime.GC() {
		if err := goleak.Find(others); err == nil {
			break
		} else if time.Now().After(limit) {
			t.Fatal(err)
		}
	}
	runtime.KeepAlive(standing)
}
