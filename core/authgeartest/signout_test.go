package authgeartest_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// Without proof that the request comes from the same site, the user is asked first.
func TestSignOutByQuestion(t *testing.T) {
	s := authgeartest.New(t)
	session := [2]string{"Cookie", "session=" + s.SessionCookie(s.AddUser(authgeartest.User{ID: "alice"})).Value}
	live := func() string { return resolve(t, s, session[0], session[1]).Get("X-Authgear-Session-Valid") }
	after := url.Values{"post_logout_redirect_uri": {callback + "/bye"}, "state": {"s"}}

	res, _ := call(t, s, "/oauth2/end_session", after.Encode(), session) // a POST becomes a GET
	res, _ = call(t, s, strings.TrimPrefix(res.Header.Get("Location"), s.Endpoint()), "", session)
	ask := strings.TrimPrefix(res.Header.Get("Location"), s.Endpoint())
	another := signInFor(t, s, "alice", "spa", "x_sso_enabled", "true")["id_token"].(string)
	res, _ = call(t, s, "/oauth2/end_session?"+after.Encode()+"&id_token_hint="+another, "", session)
	expect(t, "with an ID token of another sign-in", strings.TrimPrefix(res.Header.Get("Location"), s.Endpoint()), ask)
	if res.StatusCode != 302 || !strings.HasPrefix(ask, "/logout?redirect_uri=") {
		t.Fatalf("%d %s", res.StatusCode, ask)
	}
	if res, page := call(t, s, ask, "", session); res.StatusCode != 200 || !strings.Contains(page, "<button>Sign out</button>") {
		t.Errorf("%d %s", res.StatusCode, page)
	}
	call(t, s, ask, "x=y", session, [2]string{"Sec-Fetch-Site", "cross-site"})
	expect(t, "after another site's answer", live(), "true")
	res, _ = call(t, s, ask, "x=y", session)
	expect(t, "afterwards", live(), "false")
	res, _ = call(t, s, strings.TrimPrefix(res.Header.Get("Location"), s.Endpoint()), "")
	expect(t, "where to", res.Header.Get("Location"), callback+"/bye?state=s")

	for _, uri := range []string{"https://example.com/", ""} {
		res, _ := call(t, s, "/oauth2/end_session?"+url.Values{"post_logout_redirect_uri": {uri}}.Encode(), "")
		expect(t, uri, res.Header.Get("Location"), s.Endpoint()+"/settings")
	}
	named := authgeartest.New(t, authgeartest.Config{Clients: recordedClients})
	for uri, want := range map[string]string{callback: named.Endpoint() + "/settings", callback + "/after-logout": callback + "/after-logout"} {
		res, _ := call(t, named, "/oauth2/end_session?"+url.Values{"post_logout_redirect_uri": {uri}}.Encode(), "")
		expect(t, uri, res.Header.Get("Location"), want)
	}
	for _, uri := range []string{"https://example.com/", "%25zz", ""} {
		res, _ := call(t, s, "/logout?redirect_uri="+uri, "x=y")
		expect(t, "no open redirect to "+uri, res.Header.Get("Location"), s.Endpoint())
	}
}

// An app session token signs a browser in, once.
func TestAppSession(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	w.AddUser(authgeartest.User{ID: "alice"})
	tokens := signInFor(t, w.Server, "alice", "spa")
	ask := func(body string) (int, string) {
		return callAPI(t, w.Server, "/oauth2/app_session_token", body)
	}
	handoff := func() string {
		_, raw := ask(`{"refresh_token":"` + tokens["refresh_token"].(string) + `"}`)
		return authorizePath("response_type", "none", "login_hint", "https://authgear.com/login_hint?type=app_session_token&app_session_token="+opaquePattern.FindString(raw))
	}
	path := handoff()
	res, _ := call(t, w.Server, path, "")
	if res.StatusCode != 302 || res.Header.Get("Location") != callback {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	expect(t, "who", resolve(t, w.Server, "Cookie", "app_session="+cookieOf(res, "app_session")).Get("X-Authgear-User-Id"), "alice")
	res, _ = call(t, w.Server, path, "")
	expect(t, "a second time", located(t, res).Get("error"), "invalid_request")
	path = handoff()
	w.clock.Add(int64(5 * time.Minute))
	res, _ = call(t, w.Server, path, "")
	expect(t, "too late", located(t, res).Get("error"), "invalid_request")
	path = handoff()
	w.RevokeSessions("alice")
	res, _ = call(t, w.Server, path, "")
	expect(t, "ended", located(t, res).Get("error"), "invalid_request")

	tokens = signInFor(t, w.Server, "alice", "spa", "scope", "openid offline_access")
	for body, want := range map[string]int{
		"": 400, `{"refresh_token":"x"}`: 403, `{"refresh_token":"` + tokens["refresh_token"].(string) + `"}`: 403, // no full access
	} {
		if status, raw := ask(body); status != want || !strings.HasPrefix(raw, `{"error":{"name":`) {
			t.Errorf("%s: %d %s", body, status, raw)
		}
	}
}

func TestAnonymousAPI(t *testing.T) {
	s := authgeartest.New(t, authgeartest.Config{Clients: append(recordedClients, authgeartest.Client{ID: "spa", RedirectURIs: []string{callback}})})
	alice := signInFor(t, s, s.AddUser(authgeartest.User{ID: "alice"}), "spa")["refresh_token"].(string)
	session := [2]string{"Cookie", "session=" + s.SessionCookie("alice").Value}
	ask := func(api, body string, fields ...[2]string) (int, string) {
		return callAPI(t, s, "/api/anonymous_user/"+api, body, fields...)
	}
	guestSession := [2]string{"Cookie", "session=" + s.SessionCookie(s.AddUser(authgeartest.User{Anonymous: true})).Value}
	_, signedUp := ask("signup", `{"session_type":"refresh_token","client_id":"spa"}`)
	guest := cookiePattern.FindString(signedUp)
	for name, c := range map[string]struct {
		api, body string
		fields    [][2]string
		want      int
	}{
		"no JSON":                    {"signup", "x", nil, 400},
		"another site's form":        {"signup", `{"session_type":"cookie"}`, [][2]string{{"Content-Type", "text/plain"}}, 400},
		"JSON with a charset":        {"signup", `{"session_type":"cookie"}`, [][2]string{{"Content-Type", "application/json; charset=utf-8"}}, 200},
		"no session type":            {"signup", `{}`, nil, 400},
		"no client":                  {"signup", `{"session_type":"refresh_token"}`, nil, 400},
		"not first party":            {"signup", `{"session_type":"refresh_token","client_id":"thirdparty-jwt"}`, nil, 400},
		"unknown refresh token":      {"signup", `{"session_type":"refresh_token","client_id":"spa","refresh_token":"x"}`, nil, 400},
		"a user's refresh token":     {"signup", `{"session_type":"refresh_token","client_id":"spa","refresh_token":"` + alice + `"}`, nil, 400},
		"a user's cookie":            {"signup", `{"session_type":"cookie"}`, [][2]string{session}, 400},
		"a guest's cookie":           {"signup", `{"session_type":"cookie"}`, [][2]string{guestSession}, 200},
		"a guest's refresh token":    {"signup", `{"session_type":"refresh_token","client_id":"spa","refresh_token":"` + guest + `"}`, nil, 200},
		"promotion without session":  {"promotion_code", `{"session_type":"refresh_token"}`, nil, 401},
		"promotion of a user":        {"promotion_code", `{"session_type":"cookie"}`, [][2]string{session}, 400},
		"promotion, no session type": {"promotion_code", `{}`, nil, 400},
		"promotion, no JSON":         {"promotion_code", ``, nil, 400},
		"promotion of a guest":       {"promotion_code", `{"session_type":"refresh_token","refresh_token":"` + guest + `"}`, nil, 200},
		"another host":               {"signup", `{"session_type":"cookie"}`, [][2]string{{"X-Forwarded-Host", "elsewhere.example"}}, 404},
	} {
		if status, raw := ask(c.api, c.body, c.fields...); status != c.want {
			t.Errorf("%s: %d %s", name, status, raw)
		}
	}
	for name, fail := range map[string]func(bool){"database": s.SetOutage, "Redis": s.SetRedisDown} {
		fail(true)
		if status, _ := ask("signup", `{"session_type":"cookie"}`); status != 500 {
			t.Errorf("without the %s: %d", name, status)
		}
		fail(false)
	}
}

// An anonymous user signs up by a click, and stays the same user.
func TestPromotion(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	w.AddUser(authgeartest.User{ID: "alice"})
	cookie := w.SessionCookie(w.AddUser(authgeartest.User{ID: "guest", Anonymous: true})).Value
	path := func() string {
		_, raw := callAPI(t, w.Server, "/api/anonymous_user/promotion_code", `{"session_type":"cookie"}`, [2]string{"Cookie", "session=" + cookie})
		return authorizePath("login_hint", "https://authgear.com/login_hint?type=anonymous&promotion_code="+opaquePattern.FindString(raw))
	}
	late := path()
	w.clock.Add(int64(5 * time.Minute))
	res, _ := call(t, w.Server, late, "user=guest")
	expect(t, "too late", located(t, res).Get("error"), "invalid_request")
	if res, _ := call(t, w.Server, path(), "user=alice"); res.StatusCode != 403 {
		t.Errorf("as somebody else: %d", res.StatusCode)
	}
	first, second := path(), path()
	res, _ = call(t, w.Server, first, "user=guest")
	h := resolve(t, w.Server, "Cookie", "session="+cookieOf(res, "session"))
	expect(t, "who, and what", h.Get("X-Authgear-User-Id")+" "+h.Get("X-Authgear-User-Anonymous"), "guest false")
	for name, path := range map[string]string{"again": first, "by another code": second} {
		res, _ := call(t, w.Server, path, "user=guest")
		expect(t, name, located(t, res).Get("error"), "invalid_request")
	}
}

// callAPI calls Authgear's own API, with JSON unless fields have another content type.
func callAPI(t *testing.T, s *authgeartest.Server, path, body string, fields ...[2]string) (int, string) {
	t.Helper()
	fields = append(fields, [2]string{"Host", strings.TrimPrefix(s.URL(), "http://")}, [2]string{"Content-Type", "application/json"})
	res, raw := send(t, s.URL(), "POST", path, fields, body)
	return res.StatusCode, raw
}
