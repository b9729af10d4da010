package fetch_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/authgear/authgear-sdk-go/core/internal/fetch"
)

const resolver = "/_resolver/resolve"

// raw answers each request with these bytes, over as many connections as the
// client opens. It returns its origin and the heads of the requests, verbatim.
func raw(t *testing.T, answer string) (origin string, heads <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 100)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				reader := bufio.NewReader(conn)
				for {
					head := ""
					for !strings.HasSuffix(head, "\r\n\r\n") {
						line, err := reader.ReadString('\n')
						if err != nil {
							return
						}
						head += line
					}
					got <- head
					_, _ = io.WriteString(conn, answer)
				}
			})
		}
	})
	t.Cleanup(wg.Wait) // after the clients have closed their connections
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String(), got
}

// newAsker closes its connections when the test ends.
func newAsker(t *testing.T, endpoint, url string, internal bool) *fetch.Asker {
	t.Helper()
	var conns sync.Map
	dialer := &net.Dialer{}
	t.Cleanup(func() {
		conns.Range(func(conn, _ any) bool {
			_ = conn.(net.Conn).Close()
			return true
		})
	})
	return fetch.NewAsker(endpoint, url, internal, 64, &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err == nil {
				conns.Store(conn, nil)
			}
			return conn, err
		},
	}})
}

// ask asks and throws the answer away.
func ask(t *testing.T, a *fetch.Asker) {
	t.Helper()
	answer, err := a.Ask(t.Context(), "", "")
	if err != nil {
		t.Error(err)
		return
	}
	answer.Close()
}

// The bytes on the wire, of the second request too, which would send the cookie
// of the first.
func TestAskSendsNothingElse(t *testing.T) {
	t.Parallel()
	const always = "User-Agent: authgear-sdk-go\r\nAccept-Encoding: identity\r\n"
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: csp_nonce=1; Path=/\r\n\r\n"
	origin, heads := raw(t, answer)
	host := strings.TrimPrefix(origin, "http://")
	for _, c := range []struct {
		endpoint    string
		internal    bool
		name, value string
		want        string
	}{
		{origin, false, "", "", "Host: " + host + "\r\n" + always},
		{origin, false, "Authorization", "Bearer abc.def.ghi", "Host: " + host + "\r\n" + always + "Authorization: Bearer abc.def.ghi\r\n"},
		{origin, false, "Cookie", `session=a; session=`, "Host: " + host + "\r\n" + always + "Cookie: session=a; session=\r\n"},
		{"https://auth.example.test", true, "Cookie", "session=a", "Host: auth.example.test\r\n" + always + "Cookie: session=a\r\nX-Forwarded-Proto: https\r\n"},
		{"http://[2001:db8::1]:3100", true, "", "", "Host: [2001:db8::1]:3100\r\n" + always + "X-Forwarded-Proto: http\r\n"},
	} {
		a := newAsker(t, c.endpoint, origin+resolver, c.internal)
		if got := a.URL(); got != origin+resolver {
			t.Errorf("URL is %s", got)
		}
		for range 2 {
			response, err := a.Ask(t.Context(), c.name, c.value)
			if err != nil {
				t.Fatal(err)
			}
			response.Close()
			if got, want := <-heads, "GET "+resolver+" HTTP/1.1\r\n"+c.want+"\r\n"; got != want {
				t.Errorf("sent\n%s\nwant\n%s", got, want)
			}
		}
	}
}

// What the user's client would do beside is not done, and it is not changed.
func TestAskerCopiesTheClient(t *testing.T) {
	t.Parallel()
	target := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) != 0 {
			t.Errorf("cookies %v", r.Cookies())
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "new"})
		http.Redirect(w, r, target.URL+"/private?code=secret", http.StatusFound)
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 1, HTTP2: &http.HTTP2Config{}}
	base := &http.Client{Transport: transport, Jar: jar, Timeout: time.Nanosecond, CheckRedirect: func(*http.Request, []*http.Request) error {
		t.Error("the user's CheckRedirect was called")
		return nil
	}}
	a := fetch.NewAsker(server.URL, server.URL+resolver, false, 64, base)
	for range 2 {
		answer, err := a.Ask(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status != http.StatusFound {
			t.Errorf("status %d", answer.Status)
		}
		mention(t, answer.StatusError(), []string{"status 302", "a redirect to " + target.URL + ","}, []string{"secret", "private"})
		answer.Close()
	}
	if base.Jar != jar || base.Transport != transport || base.Timeout != time.Nanosecond || base.CheckRedirect == nil || transport.MaxIdleConnsPerHost != 1 || transport.HTTP2.SendPingTimeout != 0 {
		t.Error("the user's client was changed")
	}
}

// 64 calls at once need 64 connections, however often.
func TestAskerKeepsConnections(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	arrived, release := make(chan struct{}, 64), make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	a := fetch.NewAsker(server.URL, server.URL+resolver, false, 64, &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 2,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			opened.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}})
	for range 5 {
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() { ask(t, a) })
		}
		for range 64 {
			<-arrived
		}
		for range 64 {
			release <- struct{}{}
		}
		wg.Wait()
	}
	if n := opened.Load(); n != 64 {
		t.Errorf("%d connections for 64 calls at once, want 64", n)
	}
}

func TestAskerUsesAnyRoundTripper(t *testing.T) {
	t.Parallel()
	var asked *http.Request
	own := roundTripper(func(request *http.Request) (*http.Response, error) {
		asked = request
		return &http.Response{StatusCode: 200, Header: http.Header{"X-A": {"1"}}, Request: request}, nil
	})
	a := fetch.NewAsker("https://auth.example.test", "https://auth.example.test/x", false, 64, &http.Client{Transport: own})
	answer, err := a.Ask(t.Context(), "Cookie", "session=1")
	if err != nil || asked == nil || answer.Header.Get("X-A") != "1" {
		t.Fatalf("%v, %v", answer, err)
	}
	if empty, err := answer.Empty(); !empty || err != nil {
		t.Errorf("Empty() = %t, %v without a body", empty, err)
	}
	answer.Close()
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		name, answer string
		empty        bool
		err          string
	}{
		{"no bytes", head + "Content-Length: 0\r\n\r\n", true, ""},
		{"no chunks", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true, ""},
		{"one byte", head + "Content-Length: 1\r\n\r\nx", false, ""},
		{"a chunk", head + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", false, ""},
		{"a broken chunk", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", false, "reading the answer"},
	} {
		origin, _ := raw(t, c.answer)
		answer, err := newAsker(t, origin, origin+resolver, false).Ask(t.Context(), "", "")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := answer.StatusError(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		empty, err := answer.Empty()
		if empty != c.empty || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: Empty() = %t, %v", c.name, empty, err)
		}
		answer.Close()
	}
}

// A server that stops in the middle holds nobody longer than the context.
func TestAskHangs(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"nothing":       "",
		"a status line": "HTTP/1.1 200 OK\r\n",
		"half a field":  "HTTP/1.1 200 OK\r\nX-Authgear-Ses",
		"no body":       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
	} {
		origin, heads := raw(t, answer)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-heads
			if name != "no body" {
				cancel()
			}
		}()
		got, err := newAsker(t, origin, origin+resolver, false).Ask(ctx, "", "")
		if name == "no body" && err == nil {
			cancel()
			_, err = got.Empty()
			got.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// Endless fields, a field of 200 MiB, endless interim answers: the connection is
// closed soon, and the error quotes little.
func TestAskBoundsFields(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ first, again string }{
		"endless fields":   {"HTTP/1.1 200 OK\r\n", "X-Authgear-User-Id: mallory\r\n"},
		"one endless line": {"HTTP/1.1 200 OK\r\nX-Authgear-User-Id: ", strings.Repeat("m", 1000)},
		"interim answers":  {"", "HTTP/1.1 103 Early Hints\r\nLink: </mallory>\r\n\r\n"},
		"continued line":   {"HTTP/1.1 200 OK\r\nX-Authgear-User-Id: ", "mallory\r\n "},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		sent := make(chan int)
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			n, _ := io.WriteString(conn, c.first)
			for {
				m, err := io.WriteString(conn, strings.Repeat(c.again, 100))
				n += m
				if err != nil || n > 200<<20 {
					break
				}
			}
			_ = conn.Close()
			sent <- n
		}()
		origin := "http://" + listener.Addr().String()
		answer, err := newAsker(t, origin, origin+resolver, false).Ask(t.Context(), "", "")
		if err == nil {
			answer.Close()
		}
		mention(t, err, []string{origin + resolver}, []string{"mallory", "mmm"})
		if n := <-sent; n > 32<<20 { // most of it in the buffers of the sockets
			t.Errorf("%s: %d bytes were sent", name, n)
		}
		_ = listener.Close()
	}
}

// 64 KiB of fields are much more than Authgear's, unless the user's transport has
// a limit of its own.
func TestAskFieldLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size  int
		limit int64
		ok    bool
	}{{60 << 10, 0, true}, {70 << 10, 0, false}, {70 << 10, 1 << 20, true}, {10 << 10, 1 << 10, false}} {
		origin, _ := raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nX-A: "+strings.Repeat("a", c.size)+"\r\n\r\n")
		transport := &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: c.limit}
		answer, err := fetch.NewAsker(origin, origin+resolver, false, 64, &http.Client{Transport: transport}).Ask(t.Context(), "", "")
		if (err == nil) != c.ok {
			t.Errorf("%d bytes, limit %d: %v", c.size, c.limit, err)
		}
		if err == nil {
			answer.Close()
		} else {
			mention(t, err, []string{"too large"}, []string{"aaa"})
		}
	}
}

// The context bounds a transport that never answers, without a real clock.
func TestAskEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		a := fetch.NewAsker("https://auth.example.test", "https://auth.example.test/x", false, 64, &http.Client{Transport: roundTripper(silent)})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		if _, err := a.Ask(ctx, "", ""); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// silentConn is a connection whose packets get lost from some moment on.
type silentConn struct {
	net.Conn
	lost *atomic.Bool
}

func (c silentConn) Write(b []byte) (int, error) {
	if c.lost.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c silentConn) Read(b []byte) (int, error) {
	for {
		if n, err := c.Conn.Read(b); err != nil || !c.lost.Load() {
			return n, err
		}
	}
}

// Where a connection leads nowhere any longer, another one is made within a few
// seconds, by HTTP/2 too, where calls share one.
func TestAskLeavesADeadConnection(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	server, _ := ca.serve(t, "localhost", func(_ http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("%s", r.Proto)
		}
	})
	var mu sync.Mutex
	var lost []*atomic.Bool // by connection
	client := ca.client()
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		mu.Lock()
		defer mu.Unlock()
		lost = append(lost, &atomic.Bool{})
		return silentConn{conn, lost[len(lost)-1]}, err
	}
	origin := "https://localhost:" + port(t, server)
	a := fetch.NewAsker(origin, origin+resolver, false, 64, client)
	ask(t, a)
	lost[0].Store(true)
	for start := time.Now(); ; {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		answer, err := a.Ask(ctx, "", "")
		if err == nil {
			answer.Close()
			cancel()
			break
		}
		cancel()
		if time.Since(start) > time.Minute { // five seconds, and what a busy machine adds
			t.Fatal("the dead connection is still in use")
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(lost) < 2 {
		t.Error("the answer came over the dead connection")
	}
}

// Askers that nobody holds any longer close their connections; not parallel, for
// the count of goroutines.
func TestAskersAreThrownAway(t *testing.T) {
	others := goleak.IgnoreCurrent()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	wait := watch(server)
	server.Start()
	ca := newAuthority(t)
	secure, waitSecure := ca.serve(t, "localhost", func(_ http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("%s", r.Proto)
		}
	})
	for range 50 {
		ask(t, fetch.NewAsker(server.URL, server.URL+resolver, false, 64, nil))
		ask(t, fetch.NewAsker(server.URL, server.URL+resolver, false, 64, &http.Client{Transport: &http.Transport{}}))
		origin := "https://localhost:" + port(t, secure)
		ask(t, fetch.NewAsker(origin, origin+resolver, false, 64, ca.client()))
	}
	closed := make(chan int, 1)
	go func() { closed <- wait() + waitSecure() }()
	for limit := time.Now().Add(time.Minute); ; runtime.GC() {
		if time.Now().After(limit) {
			t.Fatal("connections stay open")
		}
		select {
		case n := <-closed:
			if n != 150 {
				t.Errorf("%d connections, want 150", n)
			}
			server.Close()
			secure.Close()
			goleak.VerifyNone(t, others)
			return
		case <-time.After(10 * time.Millisecond): // until the next collection
		}
	}
}

// One that is held keeps its connection.
func TestAskerIsHeld(t *testing.T) {
	t.Parallel()
	opened := 0
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	a := fetch.NewAsker(server.URL, server.URL+resolver, false, 64, &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			opened++
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}})
	for range 10 {
		ask(t, a)
		runtime.GC()
		runtime.GC()
	}
	if opened != 1 {
		t.Errorf("%d connections", opened)
	}
}
