package proxytest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// large: a token of 8 KiB gets through, and so do cookies of 8 KiB.
func (s *suite) large(t *testing.T) {
	token := s.token(s.bob, authgeartest.Token{Claims: map[string]any{"https://example.com/padding": strings.Repeat("x", 5800)}})
	if len(token) < 8<<10 {
		t.Fatalf("the token has only %d bytes", len(token))
	}
	t.Run("token", func(t *testing.T) {
		s.ask(t, request{path: "/me", headers: []string{bearer(token)}}, want{status: 200, user: "bob", authorization: "Bearer " + token, forwarded: "bob"})
	})
	t.Run("cookies", func(t *testing.T) {
		cookie := s.cookie(s.bob)
		s.ask(t, request{path: "/me", headers: []string{"Cookie: padding=" + strings.Repeat("x", 8<<10) + "; " + cookie}}, want{status: 200, user: "bob", cookie: cookie, forwarded: "bob"})
	})
	t.Run("token and cookies", func(t *testing.T) {
		headers := []string{bearer(token), "Cookie: padding=" + strings.Repeat("x", 8<<10)}
		s.ask(t, request{path: "/me", headers: headers}, want{status: 200, user: "bob", authorization: "Bearer " + token, forwarded: "bob"})
	})
	t.Run("session cookie", func(t *testing.T) {
		cookie := "session=" + strings.Repeat("x", 8<<10)
		s.ask(t, request{path: "/me", headers: []string{"Cookie: " + cookie}}, want{status: 401, err: "invalid_token", cookie: cookie, forwarded: "false"})
	})
}

// manyRoles: the resolver's answer about a user with many roles has 8 KiB.
func (s *suite) manyRoles(t *testing.T) {
	cookie := s.cookie(s.dave)
	s.ask(t, request{path: "/me", headers: []string{"Cookie: " + cookie}}, want{status: 200, user: "dave", roles: manyRoles(), cookie: cookie, forwarded: "dave"})
}

func manyRoles() []string {
	roles := make([]string, 800)
	for i := range roles {
		roles[i] = fmt.Sprintf("role:%04d", i)
	}
	return roles
}

// bodies: the backend gets the method and the body. The resolver does not.
func (s *suite) bodies(t *testing.T) {
	bob := s.token(s.bob)
	w := want{status: 200, user: "bob", authorization: "Bearer " + bob, forwarded: "bob"}
	// Each body ends with a line feed, after which the relay finds the next request.
	requests := []request{
		{method: "POST", body: "short\n"},
		{method: "POST", body: "short\n", chunked: true},
		{method: "DELETE"},
	}
	if s.framework == recorder {
		// An example answers without reading the body, and closes. A proxy that is
		// still sending may take this for a failure.
		body := strings.Repeat("0123456789abcdef", 6<<10) + "\n" // more than proxies keep in memory
		requests = append(requests, request{method: "PUT", body: body}, request{method: "PATCH", body: body, chunked: true})
	}
	for _, r := range requests {
		t.Run(fmt.Sprintf("%s %d chunked %v", r.method, len(r.body), r.chunked), func(t *testing.T) {
			r.path = "/me"
			r.headers = []string{bearer(bob), "Content-Type: text/plain"}
			_, found := s.ask(t, r, w)
			if s.framework == recorder && (found.method != r.method || !strings.Contains(unchunked(found), r.body)) {
				t.Errorf("the backend got %s with a body of %d bytes", found.method, len(found.rest))
			}
		})
	}
	t.Run("HEAD", func(t *testing.T) {
		mark := s.mark()
		before := s.resolver.count()
		got, err := request{method: "HEAD", path: "/me" + mark, headers: []string{bearer(bob)}}.send(s.addr)
		if err != nil {
			t.Fatal(err)
		}
		found := s.relay.find(mark)
		if got.status != 200 || got.body != "" || len(found) != 1 || found[0].method != "HEAD" {
			t.Errorf("status %d, body %q; the backend got %+v", got.status, got.body, found)
		}
		s.checkResolver(t, s.resolver.since(before), w)
	})
}

// unchunked removes the lines with the sizes of chunks.
func unchunked(r relayed) string {
	if len(r.values("transfer-encoding")) == 0 {
		return r.rest
	}
	var body strings.Builder
	rest := r.rest
	for {
		line, after, _ := strings.Cut(rest, "\r\n")
		var length int
		if _, err := fmt.Sscanf(line, "%x", &length); err != nil || length == 0 || length > len(after) {
			return body.String()
		}
		body.WriteString(after[:length])
		rest = strings.TrimPrefix(after[length:], "\r\n")
	}
}
