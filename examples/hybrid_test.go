package examples_test

import (
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// A JWT is checked here and by Authgear, which knows more. Other credentials are
// checked only by Authgear.
func TestHybridMode(t *testing.T) {
	t.Parallel()
	project := authgeartest.New(t, authgeartest.Config{CookiePrefix: "app_"})
	alice := project.AddUser(authgeartest.User{ID: "alice", Roles: []string{"editor"}})
	dave := project.AddUser(authgeartest.User{ID: "dave"})
	session := func(user string) string { return "Cookie: app_session=" + project.SessionCookie(user).Value }
	spa := authgeartest.Token{ClientID: "spa"}
	jwt, disabled, disabledCookie := project.AccessToken(alice, spa), bearer(project.AccessToken(dave)), session(dave)
	project.DisableUser(dave)
	project.SetRoles(alice, "admin")

	const known = `"anonymous":false,"verified":false,"can_reauthenticate":true,"roles":["admin"],`
	const byJWT, bySession = `{"identity":{"kind":"user","id":"alice","client_id":"spa",` + known, `{"identity":{"kind":"user","id":"alice",` + known
	agree(t, []string{
		"AUTHGEAR_MODE=hybrid", "AUTHGEAR_ENDPOINT=" + project.Endpoint(), "AUTHGEAR_COOKIES=app_session", "AUTHGEAR_TOKEN_COOKIE=token",
		"AUTHGEAR_FRESHNESS=1m", "AUTHGEAR_MAX_STALE=2m", "AUTHGEAR_WEBHOOK_SECRET=new,old",
	}, []expectation{
		{"GET", "/readyz", nil, 200, ""},
		{"GET", "/public", nil, 200, `{"identity":null}`},
		{"GET", "/me", []string{bearer(jwt)}, 200, byJWT},
		{"GET", "/admin", []string{bearer(jwt)}, 200, `"source":"hybrid"`},
		{"GET", "/live", []string{bearer(jwt)}, 200, byJWT},
		{"HEAD", "/live", []string{bearer(jwt)}, 200, ""},
		{"GET", "/live", nil, 401, "authentication_required"},
		{"GET", "/me", []string{"Cookie: token=" + jwt}, 200, byJWT},
		{"POST", "/me", []string{"Cookie: token=" + jwt, "Sec-Fetch-Site: cross-site"}, 403, "cross_origin"},
		{"GET", "/me", []string{bearer(project.OpaqueToken(alice))}, 200, bySession},
		{"GET", "/me", []string{session(alice)}, 200, bySession},
		{"GET", "/live", []string{session(alice)}, 200, `"source":"resolver"`},
		{"POST", "/me", []string{session(alice), "Sec-Fetch-Site: cross-site"}, 403, "cross_origin"},
		{"GET", "/me", []string{session(alice), disabled}, 401, "The access token is not, or no longer, valid."},
		{"GET", "/public", []string{disabled}, 401, "invalid_token"},
		{"GET", "/me", []string{disabledCookie}, 401, "The session is not, or no longer, valid."},
		{"GET", "/public", []string{disabledCookie}, 200, `{"identity":null}`},
		{"GET", "/me", []string{bearer(project.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Hour}))}, 401, "The access token has expired."},
		{"POST", "/authgear/events", []string{bearer(jwt)}, 401, "Unauthorized"},
	})
}

// Without a secret the service takes no events, since nobody could have signed them.
func TestHybridModeWithoutWebhook(t *testing.T) {
	t.Parallel()
	for _, framework := range frameworks {
		s := start(t, framework, "AUTHGEAR_MODE=hybrid", "AUTHGEAR_ENDPOINT="+authgeartest.New(t).Endpoint())
		if got := s.send(t, "POST", "/authgear/events"); got.status != 404 {
			t.Errorf("%s: %+v", framework, got)
		}
		s.stop(t)
	}
}

// Every instance refuses a disabled user. Some instances get the event, and would not
// ask for an hour. The others ask.
func TestDisabledUserIsRefused(t *testing.T) {
	t.Parallel()
	project := authgeartest.New(t)
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	credentials := map[string]string{
		"a JWT":           bearer(project.AccessToken(alice)),
		"an opaque token": bearer(project.OpaqueToken(alice)),
		"a cookie":        cookie(project.SessionCookie(alice)),
	}
	instances := map[string]*server{}
	for _, framework := range frameworks {
		hears := start(t, framework, "AUTHGEAR_MODE=hybrid", "AUTHGEAR_ENDPOINT="+project.Endpoint(), "AUTHGEAR_FRESHNESS=1h", "AUTHGEAR_WEBHOOK_SECRET=new,old")
		project.SendEvents(hears.url+"/authgear/events", "old")
		instances[framework+", which hears of it"] = hears
		instances[framework+", which asks"] = start(t, framework, "AUTHGEAR_MODE=hybrid", "AUTHGEAR_ENDPOINT="+project.Endpoint(), "AUTHGEAR_FRESHNESS=500ms")
	}
	for name, s := range instances {
		for range 2 {
			for what, credential := range credentials {
				if got := s.send(t, "GET", "/me", credential); got.status != 200 {
					t.Errorf("%s: %s of a user who is not disabled: %+v", name, what, got)
				}
			}
		}
	}
	project.DisableUser(alice)
	for name, s := range instances {
		for what, credential := range credentials {
			for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
				if got := s.send(t, "GET", "/me", credential); got.status == 401 {
					break
				} else if got.status != 200 || time.Now().After(end) {
					t.Fatalf("%s: %s of a disabled user: %+v", name, what, got)
				}
			}
		}
	}
	for name, s := range instances { // and is not admitted again
		for what, credential := range credentials {
			if got := s.send(t, "GET", "/me", credential); got.status != 401 {
				t.Errorf("%s: %s of a disabled user, once more: %+v", name, what, got)
			}
		}
		s.stop(t)
	}
}
