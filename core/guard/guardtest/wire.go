package guardtest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// patience ends a case whose server does not answer. A case that passes never
// waits for it.
const patience = time.Minute

// dial opens a connection that ends with the test.
func (f *fixture) dial(t *testing.T) connection {
	t.Helper()
	conn := f.connect(t)
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// testWire reads refusals as bytes, since a client that parses them drops the
// body of an answer to HEAD and joins what is spelt differently.
func testWire(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default, Route{Path: "/", Steps: []Step{{Kind: Require}}, Handler: whoAmI})
	for _, reason := range []authgear.Reason{
		authgear.ReasonNoCredentials, authgear.ReasonAuthorizationMalformed, authgear.ReasonTokenExpired,
		authgear.ReasonKeysUnavailable, authgear.ReasonRoleMissing,
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
			conn := f.dial(t)
			if _, err := io.WriteString(conn, head(method, "/", "Authorization: Bearer error."+string(reason))); err != nil {
				t.Fatal(err)
			}
			all, err := io.ReadAll(conn)
			if err != nil {
				t.Fatalf("%s %s: %v", method, reason, err)
			}
			header, body, _ := strings.Cut(string(all), "\r\n\r\n")
			status, headers, _ := strings.Cut(header, "\r\n")

			want := refusal(reason, "1")
			if method == "HEAD" {
				want.body = ""
			}
			var lines []string
			for name, values := range want.header {
				lines = append(lines, name+": "+values[0])
			}
			slices.Sort(lines)
			got := slices.DeleteFunc(strings.Split(headers, "\r\n"), func(line string) bool {
				return strings.HasPrefix(line, "Date: ") || line == "Connection: close"
			})
			slices.Sort(got)
			if !strings.HasPrefix(status, fmt.Sprintf("HTTP/1.1 %d ", want.status)) || !slices.Equal(got, lines) || body != want.body {
				t.Errorf("%s %s: got %q, want status %d, headers %q, body %q", method, reason, all, want.status, lines, want.body)
			}
		}
	}
}

// testConnection sends everything at once and reads the answers in order, so
// that a buffer or a context that the server uses again shows.
func testConnection(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default,
		Route{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: whoAmI},
		Route{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: whoAmI},
		Route{Path: "/open", Handler: whoAmI},
	)
	smuggled := "GET /required HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer user.mallory\r\n\r\n"
	headOf := func(reason authgear.Reason) answer {
		want := refusal(reason, "1")
		want.body = ""
		return want
	}
	steps := []struct {
		what, method, path, token, body string
		answer                          string // of the handler
		refused                         *answer
	}{
		{what: "alice", path: "/required", token: "user.alice", answer: "alice"},
		{what: "nobody after alice", path: "/optional", answer: "nobody"},
		{what: "no guard after alice", path: "/open", token: "user.alice", answer: "nobody"},
		{what: "no credentials", path: "/required", refused: new(refusal(authgear.ReasonNoCredentials, ""))},
		{what: "HEAD", method: "HEAD", path: "/required", refused: new(headOf(authgear.ReasonNoCredentials))},
		{what: "nobody after a refusal", path: "/optional", answer: "nobody"},
		{what: "unavailable", path: "/optional", token: "error.internal", refused: new(refusal(authgear.ReasonInternal, "1"))},
		{what: "bob after a refusal", path: "/optional", token: "user.bob", answer: "bob"},
		{what: "a request in the body of a refused one", method: "POST", path: "/required", token: "error.token_expired",
			body: smuggled, refused: new(refusal(authgear.ReasonTokenExpired, ""))},
		{what: "nobody after that", path: "/optional", answer: "nobody"},
		{what: "a client", path: "/optional", token: "client.m2m", answer: "m2m"},
		{what: "alice again", path: "/required", token: "user.alice", answer: "alice"},
	}
	requests := make([]string, len(steps))
	for i := range steps {
		if steps[i].method == "" {
			steps[i].method = "GET"
		}
		s := steps[i]
		requests[i] = fmt.Sprintf("%s %s HTTP/1.1\r\nHost: api.example.com\r\n", s.method, s.path)
		if s.token != "" {
			requests[i] += "Authorization: Bearer " + s.token + "\r\n"
		}
		if s.body != "" {
			requests[i] += fmt.Sprintf("Content-Length: %d\r\n", len(s.body))
		}
		requests[i] += "\r\n" + s.body
	}
	var conn *connection
	for i, s := range steps {
		if conn == nil { // all that are left at once
			conn = new(f.dial(t))
			if _, err := io.WriteString(conn, strings.Join(requests[i:], "")); err != nil {
				t.Fatal(err)
			}
		}
		response, err := http.ReadResponse(conn.reader, &http.Request{Method: s.method})
		if err != nil {
			t.Fatalf("%s: %v", s.what, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatalf("%s: %v", s.what, err)
		}
		if response.Close && s.body != "" && s.refused != nil { // instead of reading what is left of the body
			conn = nil
		}
		got := answer{response.StatusCode, response.Header, string(body)}
		if s.refused != nil {
			same(t, s.what, got, *s.refused)
			continue
		}
		wantBody(t, s.what, got, 200, s.answer)
		for _, header := range []string{"Www-Authenticate", "Cache-Control", "Retry-After"} {
			if values := got.header.Values(header); len(values) > 0 {
				t.Errorf("%s: %s = %q from another answer", s.what, header, values)
			}
		}
	}
	if got := f.auth.called(); got != len(steps)-1 {
		t.Errorf("the authenticator was called %d times for %d guarded requests", got, len(steps)-1)
	}
}
