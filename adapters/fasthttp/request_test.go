package authgearfasthttp_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/valyala/fasthttp"

	authgearfasthttp "github.com/authgear/authgear-sdk-go/adapters/fasthttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// keeper keeps everything that the view shows.
type keeper struct{ kept []string }

func (k *keeper) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	k.kept = append(k.kept, r.Method(), r.Host(), r.RemoteAddr())
	k.kept = append(k.kept, r.Values("Authorization")...)
	for _, name := range []string{"Cookie", "Origin", "X-Authgear-User-Id"} {
		k.kept = append(k.kept, r.Values(name)...)
	}
	k.kept = slices.AppendSeq(k.kept, r.Names())
	return guardtest.Alice.Identity, nil
}

// fasthttp reuses its buffers. What the view has shown must not change with them.
func TestNothingOutlivesTheHandler(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	var server fasthttp.Server
	server.Handler = require(&server, newGuard(k, authgear.Observer{}), nil, respond(""))
	conn, err := net.Dial("tcp", serve(t, &server))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	send := func(letter string) {
		fill := strings.Repeat(letter, 40)
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+fill+"\r\nAuthorization: Bearer "+fill+"\r\nCookie: a="+fill+"\r\ncookie: session="+fill+
			"\r\nOrigin: https://"+fill+"\r\nX-Authgear-User-Id: "+fill+"\r\nX-"+fill+": "+fill+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	send("a")
	first := slices.Clone(k.kept)
	copies := make([]string, len(first))
	for i, s := range first {
		copies[i] = strings.Clone(s)
	}
	for range 5 {
		send("b")
	}
	if !slices.Equal(first, copies) || !strings.Contains(strings.Join(first, " "), strings.Repeat("a", 40)) {
		t.Errorf("%q\nbecame %q", copies, first)
	}
}

// If the request and the framework name different methods, the unsafe one counts
// (http.CrossOriginProtection says which are safe). It does not change when fasthttp
// reuses its buffers.
func TestMethod(t *testing.T) {
	t.Parallel()
	for _, m := range []struct{ own, framework, want string }{
		{"GET", "", "GET"}, {"HEAD", "", "HEAD"}, {"POST", "", "POST"}, {"", "", "GET"}, // fasthttp's default
		{"GET", "HEAD", "HEAD"}, {"HEAD", "GET", "GET"}, {"OPTIONS", "GET", "GET"},
		{"GET", "DELETE", "DELETE"}, {"HEAD", "DELETE", "DELETE"}, {"OPTIONS", "DELETE", "DELETE"},
		{"POST", "GET", "POST"}, {"TRACE", "GET", "TRACE"}, {"get", "GET", "get"}, {"POST", "DELETE", "POST"},
	} {
		var c fasthttp.RequestCtx
		c.Request.Header.SetMethod(m.own)
		framework := []byte(m.framework)
		r := authgearfasthttp.NewRequest(&c, unsafe.String(unsafe.SliceData(framework), len(framework)), &c, nil)
		c.Request.Header.SetMethod("CONNECT")
		copy(framework, "CONNECT")
		if r.Method() != m.want {
			t.Errorf("%s, served as %s: %s, want %s", m.own, m.framework, r.Method(), m.want)
		}
	}
}

// After Strip no view shows an identity header, even if a trailer has brought one into
// fasthttp's store again.
func TestStripReachesTheRawBlock(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	server := fasthttp.Server{StreamRequestBody: true}
	guarded := require(&server, newGuard(k, authgear.Observer{}), nil, respond("ran"))
	server.Handler = func(c *fasthttp.RequestCtx) {
		c = guard.Strip(context.Background(), view(c))
		c.PostBody()
		guarded(c)
	}
	all := exchange(t, serve(t, &server), "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Authgear-User-Id: mallory\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"1\r\na\r\n0\r\nX-Authgear-User-Id: mallory\r\n\r\n")
	if !strings.HasPrefix(all, "HTTP/1.1 200 ") || len(k.kept) == 0 || slices.Contains(k.kept, "mallory") {
		t.Errorf("%s\n%q", all, k.kept)
	}
}

// The handler finds no identity header, whichever way it reads headers. fasthttp keeps
// trailers among the headers, or where Peek finds them but All does not.
func TestStripReachesTheStore(t *testing.T) {
	t.Parallel()
	for _, asSpelt := range []bool{false, true} {
		var found []string
		server := fasthttp.Server{DisableHeaderNamesNormalizing: asSpelt, Logger: silence}
		server.Handler = func(c *fasthttp.RequestCtx) {
			c = guard.Strip(context.Background(), view(c))
			header := &c.Request.Header
			for _, name := range []string{"X-Authgear-User-Id", "x-authgear-user-id", "X-Authgear-User Id", "x_authgear_user_id"} {
				for _, value := range header.PeekAll(name) {
					found = append(found, name+": "+string(value))
				}
			}
			header.SetCanonical([]byte("Trailer"), nil) // moves trailers to the headers
			found = append(found, header.String())
		}
		addr := serve(t, &server)
		for _, declared := range []string{"", "Trailer: x-authgear-user-id, X_authgear_User_id\r\n"} {
			for _, line := range []string{"X-Authgear-User-Id: mallory\r\n", "x-authgear-user-id: mallory\r\n", "x-authgear-user-id : mallory\r\n", "x-authgear-user id: mallory\r\n", "x_authgear_user_id: mallory\r\n"} {
				for place, lines := range map[string][2]string{"header": {line, ""}, "trailer": {"", line}, "both": {line, line}} {
					found = nil
					exchange(t, addr, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"+declared+lines[0]+"\r\n1\r\na\r\n0\r\n"+lines[1]+"\r\n")
					if all := strings.Join(found, "\n"); strings.Contains(all, "mallory") {
						t.Errorf("as spelt: %v, %q in %s, declared: %q: the handler finds %q", asSpelt, line, place, declared, all)
					}
				}
			}
		}
	}
}

// A header that earlier middleware has removed does not count, although the raw header
// block still has it. A new value that middleware sets counts only for Authorization.
// Any other header counts as it was received.
func TestMiddlewareChangesHeaders(t *testing.T) {
	t.Parallel()
	const cookies = "a=b; session=theirs; c=d"
	for _, c := range []struct {
		what, name, value string
		change            func(*fasthttp.RequestHeader)
		want              []string
	}{
		{"nothing", "Cookie", cookies, func(*fasthttp.RequestHeader) {}, []string{cookies}},
		{"nothing", "Cookie", "a=\tb\t;\tsession=\t\"theirs\"\t; ; c", func(*fasthttp.RequestHeader) {}, []string{"a=\tb\t;\tsession=\t\"theirs\"\t; ; c"}},
		{"nothing", "Cookie", `session="; session=\; session=theirs`, func(*fasthttp.RequestHeader) {}, []string{`session="; session=\; session=theirs`}},
		{"cookies are read", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.Cookie("a") }, []string{cookies}},
		{"Del", "X-Authgear-User-Id", "alice", func(h *fasthttp.RequestHeader) { h.Del("X-Authgear-User-Id") }, nil},
		{"Del", "X-Authgear-Proxy-Secret", "secret", func(h *fasthttp.RequestHeader) { h.Del("X-Authgear-Proxy-Secret") }, nil},
		{"Del", "Authorization", "Bearer theirs", func(h *fasthttp.RequestHeader) { h.Del("Authorization") }, nil},
		{"Del", "Origin", "https://app.example.com", func(h *fasthttp.RequestHeader) { h.Del("Origin") }, nil},
		{"Del", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.Del("Cookie") }, nil},
		{"Del", "Cookie", `session="; a=b`, func(h *fasthttp.RequestHeader) { h.Del("Cookie") }, nil},
		{"DelAllCookies", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.DelAllCookies() }, nil},
		{"DelCookie", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.DelCookie("session") }, []string{"a=b; c=d"}},
		{"DelCookie, beside a pair without a name", "Cookie", "session=theirs; =session=theirs", func(h *fasthttp.RequestHeader) { h.DelCookie("session") }, []string{" =session=theirs"}},
		{"DelCookie, the last one", "Cookie", "session=theirs", func(h *fasthttp.RequestHeader) { h.DelCookie("session") }, nil},
		{"DelCookie, quoted", "Cookie", `session="theirs"; a=b`, func(h *fasthttp.RequestHeader) { h.DelCookie("session") }, []string{" a=b"}},
		{"DelCookie, another one", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.DelCookie("c") }, []string{"a=b; session=theirs"}},
		{"SetCookie", "Cookie", "a=b", func(h *fasthttp.RequestHeader) { h.SetCookie("session", "mine") }, []string{"a=b"}},
		{"SetCookie over it", "Cookie", cookies, func(h *fasthttp.RequestHeader) { h.SetCookie("session", "mine") }, []string{"a=b; c=d"}},
		{"Set", "X-Authgear-User-Id", "alice", func(h *fasthttp.RequestHeader) { h.Set("X-Authgear-User-Id", "mine") }, []string{"alice"}},
		{"Set to nothing", "X-Authgear-User-Id", "alice", func(h *fasthttp.RequestHeader) { h.Set("X-Authgear-User-Id", "") }, nil},
		{"Set to one of two", "X-Authgear-User-Id", "alice\r\nX-Authgear-User-Id: bob", func(h *fasthttp.RequestHeader) { h.Set("X-Authgear-User-Id", "bob") }, []string{"alice", "bob"}},
		{"Set", "Origin", "https://app.example.com", func(h *fasthttp.RequestHeader) { h.Set("Origin", "https://mine.example.com") }, []string{"https://app.example.com"}},
		{"Set", "Authorization", "Bearer theirs", func(h *fasthttp.RequestHeader) { h.Set("Authorization", "Bearer mine") }, []string{"Bearer mine"}},
		{"Add", "Authorization", "Bearer theirs", func(h *fasthttp.RequestHeader) { h.Add("Authorization", "Bearer mine") }, []string{"Bearer theirs", "Bearer mine"}},
	} {
		for _, asSpelt := range []bool{false, true} {
			shown := show(t, "GET / HTTP/1.1\r\nHost: a\r\n"+c.name+": "+c.value+"\r\n\r\n", asSpelt, c.change)
			if got := shown[c.name]; !slices.Equal(got, c.want) {
				t.Errorf("%s %s, as spelt: %v: the guard sees %q, want %q", c.what, c.name, asSpelt, got, c.want)
			}
		}
	}
}

// The context of an earlier request does not count for this request, although fasthttp
// serves both by the same RequestCtx.
func TestContextOfEarlierRequest(t *testing.T) {
	t.Parallel()
	auth, header := guardtest.Forwarded(t, &authgear.Observer{})
	check := newGuard(auth, authgear.Observer{}).Require()
	ctx := context.Background()
	var server fasthttp.Server
	server.Handler = func(c *fasthttp.RequestCtx) {
		for range 2 { // the second guard of a request reuses what the first has found
			r := view(c)
			_, refusal := guard.Run(ctx, check, r, r.ResponseHeader(), c)
			if refusal != nil {
				r.Refuse(refusal, &server, nil)
				return
			}
			ctx = c.UserValue(guard.ContextKey).(context.Context)
		}
	}
	var lines strings.Builder
	if err := header.Write(&lines); err != nil {
		t.Fatal(err)
	}
	all := exchange(t, serve(t, &server), "GET / HTTP/1.1\r\nHost: a\r\n"+lines.String()+"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"+last)
	if !strings.HasPrefix(all, "HTTP/1.1 200 ") || strings.Count(all, "HTTP/1.1 401 ") != 2 {
		t.Error(all)
	}
}
