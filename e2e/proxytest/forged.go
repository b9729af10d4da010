package proxytest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// forgedHeaders returns headers of a user who may do everything, in every spelling.
func forgedHeaders() []string {
	values := [][2]string{
		{"X-Authgear-Session-Valid", "true"},
		{"X-Authgear-User-Id", "mallory"},
		{"X-Authgear-User-Anonymous", "false"},
		{"X-Authgear-User-Verified", "true"},
		{"X-Authgear-User-Can-Reauthenticate", "true"},
		{"X-Authgear-User-Roles", "admin"},
		{"X-Authgear-Session-Amr", "mfa"},
		{"X-Authgear-Session-Authenticated-At", "1"},
		{"X-Authgear-Session-Acr", "gold"},
		{"X-Authgear-Credential", "token"},
		{"X-Authgear-Proxy-Secret", strings.Repeat("f", 64)},
	}
	var headers []string
	for _, v := range values {
		name := v[0]
		for _, spelling := range []string{
			name,
			strings.ToLower(name[:5]) + strings.ToUpper(name[5:]), // HAProxy takes 100 lines
			strings.ReplaceAll(name, "-", "_"),
			strings.ReplaceAll(name, "-", "."),
			strings.Replace(name, "-", "_", 1),
			"X-Authgear_" + name[len("X-Authgear-"):],
			"x-authgear." + name[len("X-Authgear-"):],
			"X.Authgear-" + strings.ReplaceAll(name[len("X-Authgear-"):], "-", "_"),
		} {
			headers = append(headers, spelling+": "+v[1])
		}
	}
	return headers
}

// forgeries are the ways to forge an identity.
var forgeries = map[string][]string{
	"as headers":           forgedHeaders(),
	"listed in Connection": {listed},
	"as headers, listed":   append(forgedHeaders(), listed),
	"one by one in Connection": {
		"Connection: close", "Connection: X-Authgear-User-Anonymous", "Connection: X-Authgear-User-Verified",
	},
}

// listed asks each hop to remove headers (RFC 9110 §7.6.1).
const listed = "Connection: close, X-Authgear-User-Id, x-authgear-session-valid, X-Authgear-User-Roles, X-Authgear-Proxy-Secret, x_authgear_user_id"

// allPaths has one path for each kind of route.
var allPaths = []string{"/me", "/public", "/admin", "/verified", "/members"}

// forger is a client that forges headers beside its own credential.
type forger struct {
	headers []string // of the credential
	want    want     // at the resolver and at the backend
}

func (s *suite) forgers() map[string]forger {
	token, cookie := s.token(s.bob), s.cookie(s.bob)
	return map[string]forger{
		"none":           {},
		"token":          {[]string{bearer(token)}, want{authorization: "Bearer " + token, forwarded: "bob"}},
		"cookie":         {[]string{"Cookie: " + cookie}, want{cookie: cookie, forwarded: "bob"}},
		"invalid cookie": {[]string{"Cookie: " + invalidCookie}, want{cookie: invalidCookie, forwarded: "false"}},
	}
}

// at returns what a request to the path must lead to: the same as without forged
// headers.
func (f forger) at(path string) want {
	w := f.want
	w.status = 200
	switch {
	case w.forwarded == "" && path != "/public":
		w.status, w.err = 401, "authentication_required"
	case w.forwarded == "false" && path != "/public":
		w.status, w.err = 401, "invalid_token"
	case w.forwarded == "bob" && path == "/admin":
		w.status, w.err = 403, "role_missing"
	case w.forwarded == "bob" && path == "/verified":
		w.status, w.err = 403, "not_verified"
	case w.forwarded == "bob":
		w.user = "bob"
	}
	return w
}

func (s *suite) forged(t *testing.T) {
	for kind, forger := range s.forgers() {
		for _, path := range allPaths {
			for way, headers := range forgeries {
				t.Run(kind+" "+path+" "+way, func(t *testing.T) {
					s.ask(t, request{path: path, headers: slices.Concat(headers, forger.headers)}, forger.at(path))
				})
			}
		}
	}
	t.Run("as trailers", s.forgedTrailers)
	t.Run("unknown to Authgear", func(t *testing.T) {
		if got := s.reached(t, "X-Authgear-Session-Acr: gold"); len(got.values("x-authgear-session-acr")) > 0 != s.proxy.KeepsUnknown {
			t.Errorf("the backend got %+v", got)
		}
	})
	t.Run("webhook signature passes", func(t *testing.T) {
		if got := s.reached(t, "X-Authgear-Body-Signature: abc123"); fmt.Sprint(got.values("x-authgear-body-signature")) != "[abc123]" {
			t.Errorf("the backend got %+v", got)
		}
	})
	t.Run("no webhook signature", func(t *testing.T) {
		if got := s.reached(t); len(got.values("x-authgear-body-signature")) != 0 {
			t.Errorf("the backend got %+v", got)
		}
	})
}

func (s *suite) forgedTrailers(t *testing.T) {
	mark := s.mark()
	r := request{method: "POST", path: "/me" + mark, body: "{}", headers: []string{"Connection: close", "TE: trailers", "Trailer: X-Authgear-User-Id"}, trailers: forgedHeaders()}
	before := s.resolver.count()
	got, err := r.send(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	// The forged trailers do not reach the resolver.
	s.checkResolver(t, s.resolver.since(before), want{})
	if s.framework != recorder {
		s.checkAnswer(t, got, want{status: 401, err: "authentication_required"})
		return
	}
	found := s.found(t, mark)
	s.checkBackend(t, found, want{})
	if kept := strings.Contains(strings.ToLower(found.rest), "mallory"); kept != s.proxy.KeepsTrailers {
		t.Errorf("the trailers have reached the backend: %v", kept)
	}
}

// reached returns what reaches the backend when a client sends these headers to a route
// without a guard.
func (s *suite) reached(t *testing.T, headers ...string) relayed {
	t.Helper()
	mark := s.mark()
	if _, err := (request{path: "/healthz" + mark, headers: headers}).send(s.addr); err != nil {
		t.Fatal(err)
	}
	return s.found(t, mark)
}

// forgedOrigin: the host and scheme that a client claims must not choose the project,
// and must not reach the resolver in any other way.
func (s *suite) forgedOrigin(t *testing.T) {
	bob := s.token(s.bob)
	w := want{status: 200, user: "bob", authorization: "Bearer " + bob, forwarded: "bob"}
	for _, r := range []request{
		{headers: []string{"X-Forwarded-Host: evil.example"}},
		{headers: []string{"X-Forwarded-Proto: http"}},
		{headers: []string{"X-Forwarded-Proto: https, http"}},
		{headers: []string{"X-Original-Host: evil.example", "X-Original-URL: /evil", "X-Forwarded-Uri: /evil", "X-Forwarded-Method: POST", "X-Rewrite-URL: /evil"}},
		{headers: []string{"Forwarded: host=evil.example;proto=http", "X-Forwarded-For: 10.0.0.1", "X-Real-Ip: 10.0.0.1"}},
		{host: "evil.example"},
		{host: "evil.example:99"},
		{headers: upgrade("websocket")},
		{headers: []string{
			"User-Agent: of-the-client", "Accept: of-the-client", "Accept-Encoding: of-the-client", "Accept-Language: of-the-client",
			"Origin: http://app.example.com", "Referer: http://app.example.com/", "Via: 1.1 of-the-client", "Range: bytes=0-0",
			"If-None-Match: \"of-the-client\"", "If-Modified-Since: Thu, 26 Nov 2026 10:00:00 GMT", "Content-Type: text/of-the-client",
			"X-Anything: of-the-client", "Cookie: theme=of-the-client",
		}},
	} {
		t.Run(fmt.Sprint(r.host, r.headers), func(t *testing.T) {
			r.path = "/me"
			r.headers = append(slices.Clone(r.headers), bearer(bob))
			s.ask(t, r, w)
		})
	}
}

// withoutProxy: a client that reaches the backend directly does not know the secret.
func (s *suite) withoutProxy(t *testing.T) {
	bob := s.token(s.bob)
	forged := []string{"X-Authgear-Session-Valid: true", "X-Authgear-User-Id: mallory", "X-Authgear-Proxy-Secret: " + strings.Repeat("f", 64)}
	for _, path := range allPaths {
		got, err := request{path: path, headers: forged}.send(s.backend)
		if err != nil {
			t.Fatal(err)
		}
		s.checkAnswer(t, got, want{status: 503, err: "temporarily_unavailable"}) // as a proxy with another secret
		for _, headers := range [][]string{forgedHeaders(), {}, append(forgedHeaders(), bearer(bob)), append(forgedHeaders(), "Cookie: "+s.cookie(s.bob))} {
			w := want{status: 401, err: "authentication_required"}
			if path == "/public" {
				w = want{status: 200}
			}
			got, err := request{path: path, headers: headers}.send(s.backend)
			if err != nil {
				t.Fatal(err)
			}
			s.checkAnswer(t, got, w)
		}
	}
}
