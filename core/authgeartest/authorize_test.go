package authgeartest_test

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// RFC 6749 §4.1.2.1: an error goes to the redirect URI, unless the client or this URI is
// wrong.
func TestAuthorizeErrors(t *testing.T) {
	s := authgeartest.New(t, authgeartest.Config{Clients: append(recordedClients, authgeartest.Client{ID: "spa", RedirectURIs: []string{callback}}, authgeartest.Client{ID: "native", RedirectURIs: []string{"com.example.app:/callback"}})})
	alice := s.AddUser(authgeartest.User{ID: "alice"})
	native := []string{"client_id", "native", "redirect_uri", "com.example.app:/callback"}
	for name, c := range map[string]struct {
		changes []string
		want    string
	}{
		"no client":         {[]string{"client_id", ""}, "page unauthorized_client"},
		"unknown client":    {[]string{"client_id", "nobody"}, "page unauthorized_client"},
		"machine":           {[]string{"client_id", "m2m-jwt"}, "page unauthorized_client"},
		"other redirect":    {[]string{"redirect_uri", callback + "/"}, "page invalid_request"},
		"no URI":            {[]string{"redirect_uri", "%zz"}, "page invalid_request"},
		"relative URI":      {[]string{"redirect_uri", "/callback"}, "page invalid_request"},
		"form to an app":    {append(native, "response_mode", "form_post"), "page invalid_request"}, // a browser cannot post a form to an app
		"query to an app":   {native, ""},
		"no response type":  {[]string{"response_type", ""}, "unauthorized_client"},
		"implicit":          {[]string{"response_type", "token"}, "unauthorized_client"},
		"no scope":          {[]string{"scope", ""}, "invalid_request"},
		"no openid":         {[]string{"scope", "offline_access"}, "invalid_scope"},
		"unknown scope":     {[]string{"scope", "openid read:orders"}, "invalid_scope"},
		"no PKCE":           {[]string{"code_challenge", ""}, "invalid_request"},
		"plain PKCE":        {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"confidential":      {[]string{"client_id", "confidential-jwt", "scope", "openid", "code_challenge_method", "plain"}, "invalid_request"},
		"no method":         {[]string{"code_challenge_method", ""}, "invalid_request"},
		"not first party":   {[]string{"client_id", "thirdparty-jwt"}, "invalid_scope"},
		"none and login":    {[]string{"prompt", "none login"}, "invalid_request"},
		"none and max_age":  {[]string{"prompt", "none", "max_age", "60"}, "invalid_request"},
		"none, no session":  {[]string{"prompt", "none"}, "login_required"},
		"no ID token":       {[]string{"id_token_hint", s.AccessToken(alice)}, "invalid_request"},
		"expired handoff":   {[]string{"login_hint", "https://authgear.com/login_hint?type=app_session_token&app_session_token=x"}, "invalid_request"},
		"unknown promotion": {[]string{"login_hint", "https://authgear.com/login_hint?type=anonymous&promotion_code=x"}, "invalid_request"},
		"only URI left out": {[]string{"redirect_uri", ""}, ""},
		"own origin":        {[]string{"redirect_uri", s.Endpoint() + "/settings"}, ""},
	} {
		res, body := call(t, s, authorizePath(append(c.changes, "state", "a state")...), "user=alice")
		if code, ok := strings.CutPrefix(c.want, "page "); ok {
			if res.StatusCode != 400 || !strings.HasPrefix(body, "Invalid OAuth authorization request:\nerror: "+code+"\nerror_description: ") || res.Header.Get("Location") != "" {
				t.Errorf("%s: %d %q", name, res.StatusCode, body)
			}
			continue
		}
		answer := located(t, res)
		if answer.Get("error") != c.want || answer.Get("state") != "a state" || answer.Has("error_description") != (c.want != "") || answer.Has("code") != (c.want == "") {
			t.Errorf("%s: %v", name, answer)
		}
	}
}

// Without configured clients, only redirect URIs of this machine are accepted.
func TestRedirectURIsOfThisMachine(t *testing.T) {
	s := authgeartest.New(t)
	s.AddUser(authgeartest.User{ID: "alice"})
	for uri, want := range map[string]int{
		"http://localhost:5173/callback": 303, "http://127.0.0.1:1/": 303, "http://[::1]:8080": 303, "https://app.localhost/x?y=z": 303, "http://localhost": 303,
		"https://example.com/": 400, "http://localhost.example.com/": 400, "http://localhost@example.com/": 400, "http://127.0.0.2/": 400,
		"javascript:alert(1)": 400, "javascript://localhost/%0aalert(1)": 400, "": 400, "//localhost/": 400,
	} {
		if res, _ := call(t, s, authorizePath("client_id", "any", "redirect_uri", uri), "user=alice"); res.StatusCode != want {
			t.Errorf("%s: %d", uri, res.StatusCode)
		}
	}
}

func TestResponseModes(t *testing.T) {
	s := authgeartest.New(t)
	s.AddUser(authgeartest.User{ID: "alice"})
	uri := callback + "/?tab=1"
	for mode, want := range map[string]string{
		"":          `^http://localhost:4000/\?code=[0-9A-Za-z]{32}&state=s%22&tab=1$`,
		"query":     `^http://localhost:4000/\?code=[0-9A-Za-z]{32}&state=s%22&tab=1$`,
		"fragment":  `^http://localhost:4000/\?tab=1#code=[0-9A-Za-z]{32}&state=s%22$`,
		"form_post": `(?s)<form method="post" action="http://localhost:4000/\?tab=1">.*name="code" value="[0-9A-Za-z]{32}">.*name="state" value="s&#34;">`,
		"web":       `^oauth: invalid response_mode web`,
	} {
		res, body := call(t, s, authorizePath("redirect_uri", uri, "response_mode", mode, "state", `s"`), "user=alice")
		got := res.Header.Get("Location")
		if res.StatusCode != 303 {
			got = body
		}
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %d %s", mode, res.StatusCode, got)
		}
	}
	res, _ := call(t, s, authorizePath("response_type", "none", "code_challenge", "", "state", "s"), "user=alice")
	if answer := located(t, res); answer.Encode() != "state=s" || len(res.Cookies()) != 3 {
		t.Errorf("none: %v %v", answer, res.Cookies())
	}
}

// The page lists all users. A click on a user signs in, without any script.
func TestSignInPage(t *testing.T) {
	s := authgeartest.New(t)
	s.AddUser(authgeartest.User{ID: "alice", Email: "alice@example.com", Verified: true, Roles: []string{"admin", "editor"}})
	s.AddUser(authgeartest.User{ID: `b<o>"b`})
	s.DisableUser(s.AddUser(authgeartest.User{ID: "carol", Anonymous: true}))
	res, page := call(t, s, authorizePath("state", "a&b"), "")
	if res.StatusCode != 200 || res.Header.Get("Cache-Control") != "no-store" || strings.Contains(page, "<script") {
		t.Fatalf("%d %v %s", res.StatusCode, res.Header, page)
	}
	var people []string
	for _, m := range regexp.MustCompile(`<button name="user" value="([^"]*)">([^<]*)</button> ([^<]*)</p>`).FindAllStringSubmatch(page, -1) {
		people = append(people, html.UnescapeString(m[1]+": "+m[3]))
	}
	if want := []string{"alice: alice@example.com · admin, editor · verified", `b<o>"b: `, "carol: anonymous · disabled"}; !slices.Equal(people, want) {
		t.Errorf("%q", people)
	}
	action := html.UnescapeString(regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(page)[1])
	res, _ = call(t, s, action, "user="+url.QueryEscape(`b<o>"b`))
	if answer := located(t, res); answer.Get("state") != "a&b" || answer.Get("code") == "" {
		t.Errorf("%v", answer)
	}
	for user, problem := range map[string]string{"carol": "may not sign in", "dave": "no such user"} {
		if res, page := call(t, s, action, "user="+user); res.StatusCode != 403 || !strings.Contains(page, problem) {
			t.Errorf("%s: %d %s", user, res.StatusCode, page)
		}
	}
	for name, field := range map[string][2]string{"another site": {"Sec-Fetch-Site", "cross-site"}, "an older browser": {"Origin", "https://evil.example"}} {
		if res, _ := call(t, s, action, "user=alice", field); res.StatusCode != 403 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	rebound := [][2]string{{"Host", "rebound.example"}, {"X-Forwarded-Host", "127.0.0.1"}, {"Content-Type", "application/x-www-form-urlencoded"}}
	if res, body := send(t, s.URL(), "POST", action, rebound, "user=alice"); res.StatusCode == 303 {
		t.Errorf("rebound: %d %s", res.StatusCode, body)
	}
}

// A browser's session is used, silently or after a click, until the request demands a new
// login.
func TestBrowserSession(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	w.AddUser(authgeartest.User{ID: "alice"})
	w.AddUser(authgeartest.User{ID: "bob"})
	idToken := func(res *http.Response) string {
		t.Helper()
		return exchange(t, w.Server, codeForm("spa", located(t, res).Get("code")), 200)["id_token"].(string)
	}
	authTime := func(res *http.Response) string {
		t.Helper()
		return seconds(time.Unix(int64(read(t, idToken(res)).Claims["auth_time"].(float64)), 0))
	}
	res, _ := call(t, w.Server, authorizePath(), "user=alice")
	cookie, hint, began := cookieOf(res, "session"), idToken(res), w.time()
	session := [2]string{"Cookie", "session=" + cookie}
	id, _, _ := strings.Cut(cookie, ".")
	claims := read(t, exchange(t, w.Server, url.Values{"grant_type": {idTokenGrant}, "client_id": {"mobile"}}, 200, session)["id_token"].(string)).Claims
	if sid := base64.RawURLEncoding.EncodeToString([]byte("idp:" + id)); claims["sid"] != sid || !reflect.DeepEqual(claims["aud"], []any{"mobile"}) {
		t.Errorf("ID token of the cookie: %v", claims)
	}
	w.clock.Add(int64(time.Minute))
	for name, c := range map[string]struct {
		changes []string
		user    string
		renewed bool
	}{
		"silently":             {[]string{"prompt", "none"}, "", false},
		"by a click":           {nil, "alice", false},
		"new login demanded":   {[]string{"prompt", "login"}, "alice", true},
		"max_age 0":            {[]string{"max_age", "0"}, "alice", true},
		"no hint, so no age":   {[]string{"max_age", "3600"}, "alice", true},
		"another user":         {nil, "bob", true},
		"max_age is no number": {[]string{"max_age", "soon"}, "alice", false},
		"young enough":         {[]string{"max_age", "60", "id_token_hint", hint}, "alice", false},
	} {
		form := ""
		if c.user != "" {
			form = "user=" + c.user
		}
		res, _ := call(t, w.Server, authorizePath(c.changes...), form, session)
		if got := authTime(res); (got == seconds(began)) == c.renewed {
			t.Errorf("%s: %v, began %v", name, got, began)
		}
		if set := cookieOf(res, "session") != ""; set != c.renewed {
			t.Errorf("%s: cookie set %v", name, set)
		}
	}
	res, _ = call(t, w.Server, authorizePath("max_age", "59", "id_token_hint", hint), "user=alice", session)
	expect(t, "too old", authTime(res), seconds(w.time()))
	expect(t, "the session, renewed", w.authTime(t, credential{cookie, "Cookie", "session="}), seconds(w.time()))
	res, _ = call(t, w.Server, authorizePath("prompt", "none", "id_token_hint", w.IDToken("bob", "spa")), "", session)
	expect(t, "another user's hint", located(t, res).Get("error"), "login_required")
	for _, changes := range [][]string{{"x_suppress_idp_session_cookie", "true"}, {"x_sso_enabled", "false"}} {
		if res, _ := call(t, w.Server, authorizePath(changes...), "user=alice"); cookieOf(res, "session") != "" {
			t.Errorf("%v: a cookie", changes)
		}
	}
	w.ValidUntil("alice", w.time().Add(1))
	w.clock.Add(1)
	res, _ = call(t, w.Server, authorizePath("prompt", "none"), "", session)
	expect(t, "account ended", located(t, res).Get("error"), "login_required")
}

// The web SDK reauthenticates like this: the access token stays, the login time is new.
func TestReauthenticateBySignIn(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	for _, u := range []authgeartest.User{{ID: "alice"}, {ID: "bob"}, {ID: "google", CannotReauthenticate: true}} {
		w.AddUser(u)
	}
	began := signInFor(t, w.Server, "alice", "spa", "x_sso_enabled", "false")
	access := began["access_token"].(string)
	w.clock.Add(int64(time.Hour))
	fresh := exchange(t, w.Server, url.Values{"grant_type": {idTokenGrant}, "client_id": {"spa"}}, 200, [2]string{"Authorization", "Bearer " + refreshed(t, w.Server, began)})
	hint := fresh["id_token"].(string)
	if other := signInFor(t, w.Server, "alice", "spa", "id_token_hint", hint); read(t, other["id_token"].(string)).Claims["sid"] == read(t, hint).Claims["sid"] {
		t.Error("offline_access without a login of its own")
	}
	changes := []string{"scope", "openid https://authgear.com/scopes/full-access", "id_token_hint", hint, "max_age", "0", "nonce", "n"}
	_, page := call(t, w.Server, authorizePath(changes...), "")
	if !strings.Contains(page, "alice") || strings.Contains(page, "bob") {
		t.Errorf("page %s", page)
	}
	if res, _ := call(t, w.Server, authorizePath(changes...), "user=bob"); res.StatusCode != 403 {
		t.Errorf("as bob: %d", res.StatusCode)
	}
	if res, _ := call(t, w.Server, authorizePath(changes...), "user=alice"); cookieOf(res, "session") != "" {
		t.Error("a cookie where there was none")
	}
	again := signInFor(t, w.Server, "alice", "spa", changes...)
	claims := read(t, again["id_token"].(string)).Claims
	if claims["sid"] != read(t, hint).Claims["sid"] || claims["auth_time"] != float64(w.time().Unix()) || claims["nonce"] != "n" || again["refresh_token"] != nil {
		t.Errorf("%v", again)
	}
	w.clock.Add(-int64(31 * time.Minute)) // back to a time when the first access token is valid
	expect(t, "the first token's login", resolve(t, w.Server, "Authorization", "Bearer "+access).Get("X-Authgear-Session-Authenticated-At"), seconds(w.time().Add(31*time.Minute)))
	google := signInFor(t, w.Server, "google", "spa")
	if res, page := call(t, w.Server, authorizePath("id_token_hint", google["id_token"].(string), "max_age", "0"), "user=google"); res.StatusCode != 403 || !strings.Contains(page, "cannot reauthenticate") {
		t.Errorf("%d %s", res.StatusCode, page)
	}
}

// cookieOf returns the value of a cookie that an answer sets, empty for none.
func cookieOf(res *http.Response, name string) string {
	for _, c := range res.Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// refreshed returns a new access token, by the refresh token of a sign-in.
func refreshed(t *testing.T, s *authgeartest.Server, of map[string]any) string {
	t.Helper()
	return exchange(t, s, url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {of["refresh_token"].(string)}}, 200)["access_token"].(string)
}

func codeForm(client, code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

func basic(id, secret string) [2]string {
	return [2]string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))}
}
