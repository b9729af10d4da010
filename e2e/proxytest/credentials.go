package proxytest

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// bearer returns the header with a token.
func bearer(token string) string { return "Authorization: Bearer " + token }

func (s *suite) token(user string, change ...authgeartest.Token) string {
	return s.resolver.project.AccessToken(user, change...)
}

// cookie returns the cookie of a new session, as name=value.
func (s *suite) cookie(user string) string {
	cookie := s.resolver.project.SessionCookie(user)
	return cookie.Name + "=" + cookie.Value
}

const invalidCookie = "session=00000000-0000-4000-8000-000000000000.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func (s *suite) credentials(t *testing.T) {
	alice, bob := s.token(s.alice), s.token(s.bob)
	opaque := s.resolver.project.OpaqueToken(s.alice)
	aliceCookie, bobCookie := s.cookie(s.alice), s.cookie(s.bob)
	carol, carolOpaque, carolCookie := s.token(s.carol), s.resolver.project.OpaqueToken(s.carol), s.cookie(s.carol)
	s.resolver.project.DisableUser(s.carol)
	expired := s.token(s.alice, authgeartest.Token{ExpiresIn: -time.Minute})
	admin := []string{"admin", "editor"}

	none := want{status: 401, err: "authentication_required"}
	refusedToken := func(token string) want {
		return want{status: 401, err: "invalid_token", authorization: "Bearer " + token, forwarded: "false"}
	}
	for _, c := range []struct {
		name    string
		path    string
		headers []string
		want    want
	}{
		{"token", "/me", []string{bearer(alice)}, want{status: 200, user: "alice", roles: admin, authorization: "Bearer " + alice, forwarded: "alice"}},
		{"token on an optional route", "/public", []string{bearer(bob)}, want{status: 200, user: "bob", authorization: "Bearer " + bob, forwarded: "bob"}},
		{"scheme in lower case", "/me", []string{"authorization: bearer " + alice}, want{status: 200, user: "alice", roles: admin, authorization: "bearer " + alice, forwarded: "alice"}},
		{"opaque token", "/me", []string{bearer(opaque)}, want{status: 200, user: "alice", roles: admin, authorization: "Bearer " + opaque, forwarded: "alice"}},
		{"cookie", "/me", []string{"Cookie: " + aliceCookie}, want{status: 200, user: "alice", roles: admin, cookie: aliceCookie, forwarded: "alice"}},
		{"cookie among others", "/me", []string{"Cookie: xsession=1; theme=dark; " + bobCookie + "; session2=2"}, want{status: 200, user: "bob", cookie: bobCookie, forwarded: "bob"}},
		{"cookie in the second line", "/me", []string{"Cookie: theme=dark", "Cookie: " + bobCookie}, want{status: 200, user: "bob", cookie: bobCookie, forwarded: "bob"}},
		{"cookie beside Basic", "/me", []string{"Authorization: Basic dTpw", "Cookie: " + bobCookie}, want{status: 200, user: "bob", cookie: bobCookie, forwarded: "bob"}},
		{"none", "/me", nil, none},
		{"none on an optional route", "/public", nil, want{status: 200}},
		{"Basic only", "/me", []string{"Authorization: Basic dTpw"}, none},
		{"other cookies only", "/me", []string{"Cookie: app_session=1; app_access_token=2; xsession=3; Session=4; theme=session=5"}, none},
		{"invalid token", "/me", []string{bearer("nonsense")}, refusedToken("nonsense")},
		{"invalid token on an optional route", "/public", []string{bearer("nonsense")}, refusedToken("nonsense")},
		{"expired token", "/me", []string{bearer(expired)}, refusedToken(expired)},
		{"invalid cookie", "/me", []string{"Cookie: " + invalidCookie}, want{status: 401, err: "invalid_token", cookie: invalidCookie, forwarded: "false"}},
		{"invalid cookie on an optional route", "/public", []string{"Cookie: " + invalidCookie}, want{status: 200, cookie: invalidCookie, forwarded: "false"}},
		{"empty cookie", "/me", []string{"Cookie: session="}, want{status: 401, err: "invalid_token", cookie: "session=", forwarded: "false"}},
		{"cookie with a forbidden byte", "/me", []string{`Cookie: session="` + bobCookie}, none},
		{"token and another person's cookie", "/me", []string{bearer(bob), "Cookie: " + aliceCookie}, want{status: 200, user: "bob", authorization: "Bearer " + bob, forwarded: "bob"}},
		{"invalid token and another person's cookie", "/me", []string{bearer("nonsense"), "Cookie: " + aliceCookie}, refusedToken("nonsense")},
		{"token after two spaces, and a cookie", "/me", []string{"Authorization: Bearer  " + alice, "Cookie: " + bobCookie}, want{status: 401, err: "invalid_token", authorization: "Bearer  " + alice, forwarded: "false"}},
		{"scheme alone and a cookie", "/me", []string{"Authorization: Bearer", "Cookie: " + aliceCookie}, want{status: 400, err: "invalid_request", authorization: "Bearer", forwarded: "false"}},
		{"malformed scheme and a cookie", "/me", []string{"Authorization: Bearer," + bob, "Cookie: " + aliceCookie}, want{status: 400, err: "invalid_request", authorization: "Bearer," + bob, forwarded: "false"}},
		{"disabled user's token", "/me", []string{bearer(carol)}, refusedToken(carol)},
		{"disabled user's opaque token", "/me", []string{bearer(carolOpaque)}, refusedToken(carolOpaque)},
		{"disabled user's cookie", "/me", []string{"Cookie: " + carolCookie}, want{status: 401, err: "invalid_token", cookie: carolCookie, forwarded: "false"}},
		{"role", "/admin", []string{bearer(alice)}, want{status: 200, user: "alice", roles: admin, authorization: "Bearer " + alice, forwarded: "alice"}},
		{"role missing", "/admin", []string{bearer(bob)}, want{status: 403, err: "role_missing", authorization: "Bearer " + bob, forwarded: "bob"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := s.ask(t, request{path: c.path, headers: c.headers}, c.want)
			wantCookie := c.want.cookie != "" && c.want.forwarded == "false" && !s.proxy.NoClearingCookie
			if cookie := got.header.Get("Set-Cookie"); strings.HasPrefix(cookie, "session=;") != wantCookie {
				t.Errorf("Set-Cookie %q; the resolver's clearing cookie must reach the client: %v", cookie, wantCookie)
			}
		})
	}

	t.Run("two Authorization lines", func(t *testing.T) {
		for _, lines := range [][]string{
			{bearer(alice), bearer(bob)},
			{"Authorization: Basic dTpw", bearer(bob), "Cookie: " + aliceCookie},
			{bearer(bob), "Authorization: Basic dTpw", "Cookie: " + aliceCookie},
		} {
			mark := s.mark()
			got, err := request{path: "/me" + mark, headers: lines}.send(s.addr)
			if err != nil {
				t.Fatal(err)
			}
			reached := len(s.relay.find(mark)) > 0
			if reached == s.proxy.RefusesTwoTokens {
				t.Errorf("%q: reached the backend: %v", lines, reached)
			}
			if s.framework != recorder && got.status != http.StatusBadRequest {
				t.Errorf("%q: status %d: %s", lines, got.status, got.body)
			}
		}
	})
}

// many: clients that ask at the same time, on shared connections, each get their own
// answer.
func (s *suite) many(t *testing.T) {
	alice, bob := s.token(s.alice), s.token(s.bob)
	people := []struct {
		headers []string
		want    want
	}{
		{[]string{bearer(alice)}, want{status: 200, user: "alice", roles: []string{"admin", "editor"}}},
		{nil, want{status: 200}},
		{[]string{"Cookie: " + s.cookie(s.bob)}, want{status: 200, user: "bob"}},
		{[]string{"Cookie: " + invalidCookie}, want{status: 200}},
		{[]string{bearer("nonsense")}, want{status: 401, err: "invalid_token"}},
		{[]string{"Cookie: " + s.cookie(s.alice)}, want{status: 200, user: "alice", roles: []string{"admin", "editor"}}},
		{[]string{bearer(bob)}, want{status: 200, user: "bob"}},
	}
	var running sync.WaitGroup
	for client := range 8 {
		running.Go(func() {
			var requests []request
			for i := range 3 * len(people) {
				requests = append(requests, request{path: "/public", headers: people[(client+i)%len(people)].headers})
			}
			answers, err := send(s.addr, requests...)
			if err != nil {
				t.Error(err)
				return
			}
			for i, got := range answers {
				s.checkAnswer(t, got, people[(client+i)%len(people)].want)
			}
		})
	}
	running.Wait()
}
