package authgeartest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Everything that expires is forgotten some time later, and not before.
func TestForgets(t *testing.T) {
	var clock atomic.Int64
	clock.Store(time.Now().UnixNano())
	s := New(t, Config{Now: func() time.Time { return time.Unix(0, clock.Load()) }})
	s.AddUser(User{ID: "alice"})
	ask := func(path, kind, body string, cookies ...*http.Cookie) string {
		t.Helper()
		r := httptest.NewRequest("POST", s.Endpoint()+path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code >= 400 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	form := url.Values{
		"client_id": {"spa"}, "redirect_uri": {"http://localhost/"}, "response_type": {"code"}, "scope": {"openid"},
		"code_challenge": {"x"}, "code_challenge_method": {"S256"}, "user": {"alice"},
	}.Encode()
	const rounds, each = 3, crowd
	for round := range rounds {
		guest := s.SessionCookie(s.AddUser(User{Anonymous: true}))
		refresh := regexp.MustCompile(`"refresh_token":"([^"]*)"`).FindStringSubmatch(ask("/api/anonymous_user/signup", "application/json", `{"session_type":"refresh_token","client_id":"spa"}`))[1]
		for range each {
			ask("/oauth2/authorize", "application/x-www-form-urlencoded", form)
			ask("/api/anonymous_user/signup", "application/json", `{"session_type":"cookie"}`)
			ask("/api/anonymous_user/promotion_code", "application/json", `{"session_type":"cookie"}`, guest)
			ask("/oauth2/app_session_token", "application/json", `{"refresh_token":"`+refresh+`"}`)
		}
		for name, n := range map[string]int{
			"codes": len(s.codes), "hand-offs": len(s.handoffs), "promotions": len(s.promotions), "users": len(s.users), "sessions": len(s.sessions),
		} {
			if n < each || n >= 3*each {
				t.Errorf("round %d: %d %s", round, n, name)
			}
		}
		clock.Add(int64(refreshLifetime))
	}
}

// Without a seed, the server keeps no list of the sessions and tokens that have ended.
func TestForgetsEnds(t *testing.T) {
	s := New(t)
	alice := s.AddUser(User{})
	s.RevokeSession(s.AccessToken(alice))
	s.Revoke(s.OpaqueToken(alice))
	if len(s.ended)+len(s.sessions) > 0 {
		t.Errorf("%d IDs of ended sessions and %d sessions are kept", len(s.ended), len(s.sessions))
	}
}

// Little is kept of a request, even when it has no credential.
func TestKeepsLittle(t *testing.T) {
	s := New(t)
	for i := range 2 * maxPaths {
		res, err := http.Get(fmt.Sprintf("%s/%d", s.URL(), i))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	res, err := http.Get(s.URL() + "/" + strings.Repeat("x", maxPath))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if first, late, all := s.Requests("/0"), s.Requests(fmt.Sprintf("/%d", 2*maxPaths-1)), len(s.requests); first != 1 || late != 0 || all != maxPaths {
		t.Errorf("%d %d of %d paths", first, late, all)
	}
	s.client(strings.Repeat("x", maxClientID+1))
	if len(s.names) != 1 { // the name of "spa" only
		t.Errorf("%d names", len(s.names))
	}
	long := strings.Repeat("x", maxParameter+1)
	for _, c := range []struct{ path, body, want string }{
		{"/token/alice?client_id=" + long, "", `"client_id" is longer`},
		{"/oauth2/authorize?nonce=" + long, "", `"nonce" is longer`},
		{"/oauth2/authorize?nonce=" + long[1:], "", "invalid client ID"},
		{"/oauth2/authorize?id_token_hint=" + long, "", "invalid client ID"},
		{"/oauth2/token", "x=" + strings.Repeat(long+"&", maxBody/maxParameter), "too large"},
	} {
		method := "GET"
		if c.body != "" {
			method = "POST"
		}
		r := httptest.NewRequest(method, s.Endpoint()+c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != 400 || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%.50s: %d %s", c.path, w.Code, w.Body)
		}
	}
}
