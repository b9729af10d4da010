package authgear_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// wire is a resolver on a real socket that answers these bytes, and keeps the
// heads of what it is asked, verbatim.
type wire struct {
	origin string
	heads  chan string
}

// newWire writes each answer and then, when it is endless, the last part of it
// again and again; without an answer the connection stays silent.
func newWire(t *testing.T, answer string, endless string) wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := wire{"http://" + listener.Addr().String(), make(chan string, 100)}
	var wg sync.WaitGroup
	var conns sync.Map
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, nil)
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
					w.heads <- head
					_, err := io.WriteString(conn, answer)
					for endless != "" && err == nil {
						_, err = io.WriteString(conn, strings.Repeat(endless, 1000))
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		conns.Range(func(conn, _ any) bool {
			_ = conn.(net.Conn).Close()
			return true
		})
		wg.Wait()
	})
	return w
}

// noisy is a client's request with everything that must not be sent on.
func noisy(authorization, cookie []string) authgear.Request {
	request := http.Header{
		"User-Agent": {"curl"}, "Accept": {"text/html"}, "Accept-Encoding": {"gzip"}, "Accept-Language": {"en"}, "Connection": {"close, X-Other"},
		"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Host": {"evil.example.com"}, "X-Forwarded-Proto": {"gopher"}, "X-Original-Host": {"evil.example.com"},
		"Forwarded": {"host=evil.example.com"}, "X-Real-Ip": {"203.0.113.9"}, "X-Authgear-User-Id": {"mallory"}, "X-Authgear-Session-Valid": {"true"},
		"Origin": {"https://evil.example.com"}, "Referer": {"https://evil.example.com/?token=1"}, "Content-Type": {"text/plain"}, "Content-Length": {"5"},
		"Transfer-Encoding": {"chunked"}, "Trailer": {"X-Authgear-User-Id"}, "Expect": {"100-continue"}, "Proxy-Authorization": {"Basic a"}, "Traceparent": {"00-1"},
	}
	for name, values := range map[string][]string{"Authorization": authorization, "Cookie": cookie} {
		if values != nil {
			request[name] = values
		}
	}
	return view{request}
}

// view is a request for any host, of any method.
type view struct{ http.Header }

func (view) Method() string     { return "POST" }
func (view) Host() string       { return "evil.example.com" }
func (view) RemoteAddr() string { return "203.0.113.9:1" }
func (v view) Names() iter.Seq[string] {
	return maps.Keys(v.Header)
}

// What goes to the resolver, byte for byte, whatever the client has sent.
func TestResolverSendsNothingElse(t *testing.T) {
	t.Parallel()
	const (
		always = "User-Agent: authgear-sdk-go\r\nAccept-Encoding: identity\r\n"
		answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: csp_nonce=1; Path=/\r\nSet-Cookie: session=2; Path=/\r\n" +
			"X-Authgear-Session-Valid: true\r\nX-Authgear-User-Id: alice\r\nX-Authgear-User-Anonymous: false\r\n" +
			"X-Authgear-User-Verified: true\r\nX-Authgear-User-Can-Reauthenticate: true\r\n\r\n"
	)
	for _, c := range []struct {
		name   string
		config func(origin string) authgear.ResolverConfig
		path   string
		public bool // the address is the endpoint's own
	}{
		{"Endpoint", func(origin string) authgear.ResolverConfig { return authgear.ResolverConfig{Endpoint: origin} }, "/_resolver/resolve", true},
		{"InternalURL", func(origin string) authgear.ResolverConfig { return authgear.ResolverConfig{InternalURL: origin} }, "/_resolver/resolve", false},
		{"ResolverURL", func(origin string) authgear.ResolverConfig {
			return authgear.ResolverConfig{ResolverURL: origin + "/a/resolve"}
		}, "/a/resolve", false},
	} {
		w := newWire(t, answer, "")
		config := c.config(w.origin)
		config.Cookies, config.TokenCookie = []string{"acme_session", "app_session"}, "token"
		config.Timeout = time.Hour // so long that no slow call causes a health check
		auth := newResolver(t, nil, config)
		host, proto := "auth.example.com", "X-Forwarded-Proto: https\r\n"
		if c.public {
			host, proto = strings.TrimPrefix(w.origin, "http://"), ""
		}
		for _, ask := range []func(context.Context, authgear.Request) (*authgear.Identity, error){auth.Authenticate, auth.AuthenticateFresh} {
			for _, credential := range []struct {
				authorization, cookie []string
				field                 string
			}{
				{[]string{"bEARER   a.b.c"}, []string{"session=s; token=t; other=o"}, "Authorization: Bearer a.b.c\r\nCookie: acme_session=~; app_session=~; session=~\r\n"},
				{nil, []string{"session=s; acme_session=s; token=t"}, "Authorization: Bearer t\r\nCookie: acme_session=~; app_session=~; session=~\r\n"},
				{[]string{"Basic b"}, []string{"a=b; app_session=1; x=y; csp_nonce=2", "acme_session=3 ; $Version=1;acme_session=; Session=4"}, "Cookie: acme_session=3; app_session=~; session=~\r\n"},
				{nil, []string{"app_session=1"}, "Cookie: app_session=1; acme_session=~; session=~\r\n"},
			} {
				identity, err := ask(t.Context(), noisy(credential.authorization, credential.cookie))
				wantUser(t, identity, err, "alice")
				want := "GET " + c.path + " HTTP/1.1\r\nHost: " + host + "\r\n" + always + credential.field + proto + "\r\n"
				if got := <-w.heads; got != want {
					t.Errorf("%s: sent\n%s\nwant\n%s", c.name, got, want)
				}
			}
			// Without a credential nobody is asked.
			identity, err := ask(t.Context(), noisy([]string{"Basic b"}, []string{"a=b; Session=1"}))
			wantRefusal(t, identity, err, authgear.ReasonNoCredentials, false)
		}
		if err := auth.Ready(t.Context()); err != nil || len(w.heads) != 0 {
			t.Errorf("%s: Ready() = %v, %d calls more", c.name, err, len(w.heads))
		}
	}
}

// Every odd answer, over a real socket: 503 in bounded time, never anonymous,
// never an identity, and nothing secret is told to anybody.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	const (
		ok    = "HTTP/1.1 200 OK\r\n"
		empty = "Content-Length: 0\r\n\r\n"
		valid = "X-Authgear-Session-Valid: true\r\n"
		id    = "X-Authgear-User-Id: mallory\r\n"
		flags = "X-Authgear-User-Anonymous: false\r\nX-Authgear-User-Verified: true\r\nX-Authgear-User-Can-Reauthenticate: false\r\n"
	)
	const failed, malformed = authgear.ReasonResolverUnavailable, authgear.ReasonAnswerMalformed
	for _, c := range []struct {
		name, answer, endless string
		want                  authgear.Reason
	}{
		{"silence", "", "", failed},
		{"a status line, then nothing", ok, "", failed},
		{"half of the fields", ok + valid + id, "", failed},
		{"fields, but not the body", ok + "Content-Length: 10\r\n\r\n", "", failed},
		{"a field name of odd bytes", ok + valid + "X-Authgear-User-Id\xe9: mallory\r\n" + empty, "", failed},
		{"an echo", "Authorization: Bearer secret\r\nCookie: session=secret\r\n\r\n", "", failed},
		{"an echo for a chunk", ok + "Transfer-Encoding: chunked\r\n\r\nsecret\r\n", "", failed},
		{"an endless header", ok + valid, "X-Authgear-User-Id: mallory\r\n", failed},
		{"an endless body", ok + "\r\n", "mallory", malformed},
		{"endless chunks", ok + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", malformed},
		{"500", "HTTP/1.1 500 Internal Server Error\r\n" + valid + id + flags + empty, "", failed},
		{"307", "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://secret@other.example.com/secret\r\n" + empty, "", failed},
		{"404", "HTTP/1.1 404 Not Found\r\n" + valid + id + flags + empty, "", failed},
		{"204", "HTTP/1.1 204 No Content\r\n" + valid + id + flags + "\r\n", "", failed},
		{"101", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n" + valid + id + flags + "\r\n", "", failed},
		{"a web page", ok + "Content-Type: text/html\r\nContent-Length: 14\r\n\r\n<html></html>\n", "", malformed},
		{"one byte", ok + "Content-Length: 1\r\n\r\n\n", "", malformed},
		{"two users", ok + valid + id + "X-Authgear-User-Id: alice\r\n" + flags + empty, "", malformed},
		{"a folded user", ok + valid + "X-Authgear-User-Id: mallory\r\n alice\r\n" + flags + empty, "", malformed},
		{"no flags", ok + valid + id + empty, "", malformed},
		{"valid and not", ok + valid + "X-Authgear-Session-Valid: false\r\n" + id + flags + empty, "", malformed},
		{"only a field of no known name", ok + "X-Authgear-Mallory: 1\r\n" + empty, "", malformed},
		{"only another spelling", ok + "X_Authgear_User_Id: mallory\r\n" + empty, "", malformed},
		{"a user in a trailer", ok + "Transfer-Encoding: chunked\r\nTrailer: X-Authgear-User-Id\r\n" + valid + flags + "\r\n0\r\n" + id + "\r\n", "", malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, c.answer, c.endless)
			var log bytes.Buffer
			observer := authgear.LogObserver(slog.New(slog.NewTextHandler(&log, nil)))
			fetch := observer.Fetch
			var mu sync.Mutex
			observer.Fetch = func(ctx context.Context, f authgear.Fetch) {
				mu.Lock()
				defer mu.Unlock()
				fetch(ctx, f)
				fmt.Fprintf(&log, "%+v", f)
			}
			config := authgear.ResolverConfig{ResolverURL: w.origin + "/resolve", CacheTTL: time.Hour, Timeout: time.Minute, Observer: observer}
			if c.want == failed { // some of them hang
				config.Timeout = 300 * time.Millisecond
			}
			auth := newResolver(t, nil, config)
			start := time.Now()
			for _, request := range []authgear.Request{bearer("secret"), browser("session=secret")} {
				identity, err := auth.Authenticate(t.Context(), request)
				wantUnavailable(t, identity, err, c.want)
				wantNoSecret(t, c.name, err)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("answered after %v", took)
			}
			told := func() string {
				mu.Lock()
				defer mu.Unlock()
				return log.String()
			}
			// A call that was cut off is reported when its goroutine gets to that.
			for deadline := time.Now().Add(time.Minute); !strings.Contains(told(), w.origin+"/resolve") && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			checkSecrets(t, c.name, told())
			if !strings.Contains(told(), "Reason:"+string(c.want)) {
				t.Errorf("a fetch of another reason than %s: %s", c.want, told())
			}
			if !strings.Contains(told(), w.origin+"/resolve") {
				t.Errorf("the operator reads %q", told())
			}
		})
	}
}

// Odd things in a good answer that do not matter.
func TestAnswersThatAreGood(t *testing.T) {
	t.Parallel()
	const good = "HTTP/1.1 200 OK\r\nX-Authgear-Session-Valid: true\r\nX-Authgear-User-Id: alice\r\nX-Authgear-User-Anonymous: false\r\n" +
		"X-Authgear-User-Verified: true\r\nX-Authgear-User-Can-Reauthenticate: false\r\n"
	for name, c := range map[string]struct{ rest, endless string }{
		"a body":              {"Content-Length: 2\r\n\r\n{}", ""},
		"a body that hangs":   {"Content-Length: 10\r\n\r\n", ""},
		"an endless body":     {"\r\n", "mallory"},
		"an unknown field":    {"X-Authgear-New: 1\r\nContent-Length: 0\r\n\r\n", ""},
		"an unasked encoding": {"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", ""},
		"a user in a trailer": {"Transfer-Encoding: chunked\r\nTrailer: X-Authgear-User-Id\r\n\r\n0\r\nX-Authgear-User-Id: mallory\r\n\r\n", ""},
	} {
		w := newWire(t, good+c.rest, c.endless)
		auth := newResolver(t, nil, authgear.ResolverConfig{Endpoint: w.origin, Timeout: time.Minute})
		for range 3 {
			identity, err := auth.Authenticate(t.Context(), bearer("a"))
			wantUser(t, identity, err, "alice")
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
}
