package examples_test

import (
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// expectation is a request and its expected answer on every framework.
type expectation struct {
	method, path string
	headers      []string
	status       int
	body         string // a part of it
}

// agree starts each example and expects these answers. All examples must give the same
// answers, which agree returns.
func agree(t *testing.T, env []string, wanted []expectation) []answer {
	t.Helper()
	first := make([]answer, len(wanted))
	for i, framework := range frameworks {
		s := start(t, framework, env...)
		for j, w := range wanted {
			got := s.send(t, w.method, w.path, w.headers...)
			if got.status != w.status || !strings.Contains(got.body, w.body) {
				t.Errorf("%s: %s %s %q: %d %s", framework, w.method, w.path, w.headers, got.status, got.body)
			}
			if got.status == 200 { // frameworks send JSON in different ways
				got = answer{status: 200, body: strings.TrimSpace(got.body)}
			}
			if i == 0 {
				first[j] = got
			} else if got != first[j] {
				t.Errorf("%s: %s %s %q: %+v\n%s: %+v", framework, w.method, w.path, w.headers, got, frameworks[0], first[j])
			}
		}
		s.stop(t)
	}
	return first
}

func TestResolverMode(t *testing.T) {
	t.Parallel()
	project := authgeartest.New(t, authgeartest.Config{CookiePrefix: "app_"})
	alice := project.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"editor", "admin"}})
	bob := project.AddUser(authgeartest.User{ID: "bob"})
	cookie := func(user string) string { return "Cookie: app_session=" + project.SessionCookie(user).Value }
	dave := project.AddUser(authgeartest.User{ID: "dave"})
	disabled, disabledCookie := bearer(project.AccessToken(dave)), cookie(dave)
	project.DisableUser(dave)

	const identity = `{"identity":{"kind":"user","id":"alice","anonymous":false,"verified":true,"can_reauthenticate":true,"roles":["admin","editor"],`
	agree(t, []string{
		"AUTHGEAR_MODE=resolver", "AUTHGEAR_ENDPOINT=" + project.Endpoint(), "AUTHGEAR_COOKIES=app_session",
		"AUTHGEAR_CACHE_TTL=1m", "AUTHGEAR_STALE_IF_ERROR=10m", "AUTHGEAR_TOKEN_COOKIE=token",
		"AUTHGEAR_TRUSTED_ORIGINS=https://app.example.com", "CORS_ORIGINS=https://app.example.com",
	}, []expectation{
		{"GET", "/readyz", nil, 200, ""},
		{"GET", "/public", nil, 200, `{"identity":null}`},
		{"GET", "/me", nil, 401, "authentication_required"},
		{"GET", "/me", []string{bearer(project.AccessToken(alice))}, 200, identity},
		{"GET", "/me", []string{bearer(project.OpaqueToken(alice))}, 200, identity},
		{"GET", "/me", []string{cookie(alice)}, 200, identity},
		{"GET", "/live", []string{cookie(alice)}, 200, identity},
		{"HEAD", "/live", []string{cookie(alice)}, 200, ""},
		{"GET", "/live", nil, 401, "authentication_required"},
		{"GET", "/me", []string{"Cookie: token=" + project.AccessToken(alice)}, 200, identity},
		{"GET", "/me", []string{cookie(alice), bearer(project.AccessToken(bob))}, 200, `"id":"bob"`},
		{"GET", "/me", []string{cookie(alice), disabled}, 401, "The access token is not, or no longer, valid."},
		{"GET", "/public", []string{disabled}, 401, "invalid_token"},
		{"GET", "/me", []string{disabledCookie}, 401, "The session is not, or no longer, valid."},
		{"GET", "/public", []string{disabledCookie}, 200, `{"identity":null}`},
		{"GET", "/me", []string{"Cookie: session=" + project.SessionCookie(alice).Value}, 401, "authentication_required"},
		{"GET", "/admin", []string{cookie(alice)}, 200, identity},
		{"GET", "/admin", []string{cookie(bob)}, 403, "role_missing"},
		{"POST", "/me", []string{cookie(alice), "Sec-Fetch-Site: same-origin"}, 200, identity},
		{"POST", "/me", []string{cookie(alice), "Sec-Fetch-Site: same-site", "Origin: https://app.example.com"}, 200, identity},
		{"POST", "/me", []string{cookie(alice), "Sec-Fetch-Site: cross-site"}, 403, "cross_origin"},
		{"POST", "/me", []string{cookie(alice), "Origin: https://evil.example.com"}, 403, "cross_origin"},
		{"GET", "/me", []string{cookie(alice), "Origin: https://evil.example.com"}, 200, identity},
		{"GET", "/me", []string{cookie(alice), "Upgrade: websocket", "Sec-Fetch-Site: cross-site"}, 403, "cross_origin"},
		{"POST", "/me", []string{bearer(project.AccessToken(alice)), "Sec-Fetch-Site: cross-site"}, 200, identity},
	})
}

// The resolver's answer is cached for a while, and during an outage, but not on /live.
func TestResolverModeFreshness(t *testing.T) {
	t.Parallel()
	for _, framework := range frameworks {
		project := authgeartest.New(t)
		alice := project.AddUser(authgeartest.User{ID: "alice"})
		cookie := "Cookie: session=" + project.SessionCookie(alice).Value
		s := start(t, framework, "AUTHGEAR_MODE=resolver", "AUTHGEAR_ENDPOINT="+project.Endpoint(), "AUTHGEAR_CACHE_TTL=1h", "AUTHGEAR_STALE_IF_ERROR=1h")
		want := func(what, path string, status int) {
			t.Helper()
			if got := s.send(t, "GET", path, cookie); got.status != status {
				t.Errorf("%s: %s: %+v", framework, what, got)
			}
		}
		want("good", "/me", 200)
		project.SetOutage(true)
		want("in an outage", "/me", 200)
		want("in an outage, fresh", "/live", 503)
		project.SetOutage(false)
		project.DisableUser(alice)
		want("disabled, from the cache", "/me", 200)
		for end := time.Now().Add(time.Minute); s.send(t, "GET", "/live", cookie).status == 503 && time.Now().Before(end); {
			time.Sleep(50 * time.Millisecond) // the outage lasts for a second after the last check
		}
		want("disabled, fresh", "/live", 401)
		want("disabled, and known", "/me", 401)
		s.stop(t)
	}
}

func TestForwardedMode(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	proven := func(headers ...string) []string {
		return append([]string{"X-Authgear-Proxy-Secret: " + secret}, headers...)
	}
	valid := []string{
		"X-Authgear-Session-Valid: true", "X-Authgear-User-Id: alice", "X-Authgear-User-Anonymous: false",
		"X-Authgear-User-Verified: true", "X-Authgear-User-Can-Reauthenticate: true", "X-Authgear-User-Roles: editor,admin",
	}
	const identity = `{"identity":{"kind":"user","id":"alice","anonymous":false,"verified":true,"can_reauthenticate":true,"roles":["admin","editor"],"source":"forwarded"}}`
	wanted := []expectation{
		{"GET", "/readyz", nil, 200, ""},
		{"GET", "/me", proven(valid...), 200, identity},
		{"GET", "/admin", proven(valid...), 200, identity},
		{"GET", "/me", valid, 401, "authentication_required"},
		{"GET", "/public", valid, 200, `{"identity":null}`},
		{"GET", "/me", append(proven(valid...), "X-Authgear-Proxy-Secret: "+secret), 401, "authentication_required"},
		{"GET", "/me", append(proven(valid...), "X-Authgear-User-Id: bob"), 503, "temporarily_unavailable"},
		{"GET", "/me", proven("Authorization: Bearer token"), 401, "invalid_token"},
		{"GET", "/me", proven("X-Authgear-Session-Valid: false"), 401, "invalid_token"},
		{"GET", "/public", proven("X-Authgear-Session-Valid: false"), 200, `{"identity":null}`},
		{"POST", "/me", append(proven(valid...), "Sec-Fetch-Site: cross-site"), 403, "cross_origin"},
		{"POST", "/me", append(proven(valid...), "Sec-Fetch-Site: cross-site", "Authorization: Bearer token"), 200, identity},
	}
	agree(t, []string{"AUTHGEAR_MODE=forwarded", "AUTHGEAR_PROXY_SECRET=" + secret, "AUTHGEAR_TRUSTED_PROXIES=127.0.0.0/8,::1/128", "AUTHGEAR_FORWARDED_ROLES=true"}, wanted)
}
