package authgeartest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

const callback = "http://localhost:4000"

// verifier has all kinds of characters and the minimum length of RFC 7636 §4.1.
const verifier = "a-verifier_of.43~characters-0123456789-ABCD"

// recordedClients are the clients of the recorded project.
var recordedClients = []authgeartest.Client{
	{ID: "spa-jwt", RedirectURIs: []string{callback}, PostLogoutRedirectURIs: []string{callback + "/after-logout"}},
	{ID: "spa-opaque", RedirectURIs: []string{callback}, OpaqueTokens: true},
	{ID: "web-cookie", RedirectURIs: []string{callback}},
	{ID: "confidential-jwt", RedirectURIs: []string{callback}, Secret: "secret-confidential-jwt"},
	{ID: "thirdparty-jwt", RedirectURIs: []string{callback}, Secret: "secret-thirdparty-jwt"},
	{ID: "m2m-opaque", Secret: "secret-m2m-opaque", OpaqueTokens: true, Resources: map[string][]string{"https://api.example.com": {"read:orders", "write:orders"}}},
	{ID: "m2m-jwt", Secret: "secret-m2m-jwt", Resources: map[string][]string{"https://api.example.com": {"read:orders", "write:orders"}}},
}

// authorizePath returns the path of a request for a code. changes has names and values of
// parameters in turn. An empty value removes the parameter.
func authorizePath(changes ...string) string {
	query := url.Values{
		"client_id": {"spa"}, "redirect_uri": {callback}, "response_type": {"code"},
		"scope":          {"openid offline_access https://authgear.com/scopes/full-access"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if query.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			query.Del(changes[i])
		}
	}
	return "/oauth2/authorize?" + query.Encode()
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// call sends a form, or a GET if form is empty, as a client does at the endpoint.
func call(t *testing.T, s *authgeartest.Server, path, form string, fields ...[2]string) (*http.Response, string) {
	t.Helper()
	endpoint, _ := url.Parse(s.Endpoint())
	method, headers := "GET", [][2]string{{"Host", endpoint.Host}}
	if endpoint.Scheme == "https" {
		headers = append(headers, [2]string{"X-Forwarded-Proto", "https"})
	}
	if form != "" {
		method, headers = "POST", append(headers, [2]string{"Content-Type", "application/x-www-form-urlencoded"})
	}
	return send(t, s.URL(), method, path, append(headers, fields...), form)
}

// located returns the parameters of an answer's Location.
func located(t *testing.T, res *http.Response) url.Values {
	t.Helper()
	to, err := res.Location()
	if err != nil || res.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d, %v", res.StatusCode, err)
	}
	return to.Query()
}

// codeOf signs somebody in and returns the code.
func codeOf(t *testing.T, s *authgeartest.Server, user string, changes ...string) string {
	t.Helper()
	res, _ := call(t, s, authorizePath(changes...), "user="+url.QueryEscape(user))
	return located(t, res).Get("code")
}

var codePattern = regexp.MustCompile(`code=[0-9A-Za-z]{32}`)

func TestSignInAsRecorded(t *testing.T) {
	for name, origin := range map[string]string{"login-cookie-alice": liveOrigin, "https-login-cookie-zoe": httpsOrigin} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, authgeartest.Config{Endpoint: origin, Clients: recordedClients})
			r := recordings.Load(t, name)
			w.begin(t, r)
			path := authorizePath("client_id", "web-cookie", "x_sso_enabled", "true")
			res, page := call(t, w.Server, path, "")
			if res.StatusCode != 200 || strings.Contains(page, w.id("alice")) {
				t.Fatalf("a page of nobody: %d %s", res.StatusCode, page)
			}
			res, raw := call(t, w.Server, path, "user="+w.id("alice"), [2]string{"Cookie", "csp_nonce=NONCE"})
			var set []string
			for _, cookie := range r.SetCookies {
				if !strings.HasPrefix(cookie, "csp_nonce=") && !strings.HasPrefix(cookie, "oauth_ui=") {
					set = append(set, cookiePattern.ReplaceAllString(cookie, "VALUE"))
				}
			}
			got := normalize(res.StatusCode, res.Header, codePattern.ReplaceAllString(raw, "CODE"))
			for i, cookie := range got.fields["Set-Cookie"] {
				got.fields["Set-Cookie"][i] = cookiePattern.ReplaceAllString(cookie, "VALUE")
			}
			want := answerOf(r)
			want.body = regexp.MustCompile(`nonce="[^"]*"`).ReplaceAllString(codePattern.ReplaceAllString(want.body.(string), "CODE"), `nonce="NONCE"`)
			want.fields["Set-Cookie"] = set
			for _, a := range []answer{want, got} {
				a.fields["Location"][0] = codePattern.ReplaceAllString(a.fields["Location"][0], "CODE")
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%v, recorded\n%v", got, want)
			}
			cookie := res.Cookies()[0]
			expect(t, "whose cookie", resolve(t, w.Server, "Cookie", cookie.Name+"="+cookie.Value).Get("X-Authgear-User-Id"), w.id("alice"))
		})
	}
}

func TestTokenEndpointAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin, Clients: recordedClients})
	tokenShapes := func(want, got *answer) { want.body, got.body = shape(want.body), shape(got.body) }
	ask := func(t *testing.T, r recordings.Recording, form url.Values) map[string]any {
		t.Helper()
		res, raw := call(t, w.Server, "/oauth2/token", form.Encode())
		got, want := normalize(res.StatusCode, res.Header, raw), answerOf(r)
		var body map[string]any
		if err := json.Unmarshal([]byte(raw), &body); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == 200 {
			expect(t, "order", strings.Join(members(raw), " "), strings.Join(members(r.Response.Body), " "))
			tokenShapes(&want, &got)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%v, recorded\n%v", got, want)
		}
		return body
	}
	signedIn := func(t *testing.T, name string) (map[string]any, url.Values) {
		t.Helper()
		r := recordings.Load(t, name)
		w.begin(t, r)
		w.clock.Store(int64(r.IDToken.Claims["auth_time"].(float64)) * 1e9)
		id := w.id("alice")
		form, _ := url.ParseQuery(*r.Request.Body)
		changes := []string{"client_id", form.Get("client_id"), "code_challenge", challenge(form.Get("code_verifier"))}
		if scope, ok := r.AccessToken.Claims["scope"].(string); ok {
			changes = append(changes, "scope", scope)
		}
		form.Set("code", codeOf(t, w.Server, id, changes...))
		w.clock.Store(int64(r.IDToken.Claims["iat"].(float64)) * 1e9)
		body := ask(t, r, form)
		same(t, r.IDToken, body["id_token"].(string))
		if access := body["access_token"].(string); r.AccessToken.Raw != "" {
			same(t, r.AccessToken, access)
		} else if !opaquePattern.MatchString(access) || len(access) != 32 {
			t.Errorf("opaque token %q", access)
		}
		expect(t, "whose token", resolve(t, w.Server, "Authorization", "Bearer "+body["access_token"].(string)).Get("X-Authgear-User-Id"), id)
		form.Set("refresh_token", stringOf(body["refresh_token"]))
		return body, form
	}
	for _, name := range []string{
		"token-jwt-alice", "token-jwt-alice-no-offline", "token-jwt-alice-scope-email", "token-jwt-alice-scope-openid",
		"token-jwt-alice-sso", "token-jwt-alice-confidential", "token-jwt-alice-thirdparty", "token-opaque-alice",
	} {
		t.Run(name, func(t *testing.T) { signedIn(t, name) })
	}
	t.Run("token-refresh-alice", func(t *testing.T) {
		first, form := signedIn(t, "token-jwt-alice")
		refresh := form.Get("refresh_token")
		r := recordings.Load(t, "token-refresh-alice")
		w.clock.Store(int64(r.AccessToken.Claims["iat"].(float64)) * 1e9)
		sid := read(t, first["id_token"].(string)).Claims["sid"]
		name, _, _ := strings.Cut(refresh, ".")
		expect(t, "sid", sid.(string), base64.RawURLEncoding.EncodeToString([]byte("offline_grant:"+name)))
		body := ask(t, r, url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa-jwt"}, "refresh_token": {refresh}})
		same(t, r.AccessToken, body["access_token"].(string))
		if again := read(t, body["id_token"].(string)).Claims; again["sid"] != sid || again["amr"] != nil {
			t.Errorf("ID token %v", again)
		}
		expect(t, "the old one", valid(t, w.Server, first["access_token"].(string)), "true")
	})
	for name, happens := range map[string]func(user string){
		"lifecycle-disabled-refresh": w.DisableUser, "lifecycle-deleted-refresh": w.DeleteUser, "lifecycle-revoke-all-refresh": w.RevokeSessions,
		"rotation-3-refresh-old": func(string) { w.RotateKeys(); w.RemoveOldKeys() },
	} {
		t.Run(name, func(t *testing.T) {
			first, form := signedIn(t, "token-jwt-alice")
			happens(w.id("alice"))
			r := recordings.Load(t, name)
			w.clock.Store(r.RecordedAt.UnixNano())
			body := ask(t, r, url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa-jwt"}, "refresh_token": {form.Get("refresh_token")}})
			expect(t, "the first token", valid(t, w.Server, first["access_token"].(string)), "")
			if access := stringOf(body["access_token"]); access != "" {
				expect(t, "the second token", valid(t, w.Server, access), "true")
			}
		})
	}
	for _, name := range []string{"token-m2m-jwt", "token-m2m-opaque", "token-m2m-wrong-secret", "token-refresh-invalid"} {
		t.Run(name, func(t *testing.T) {
			r := recordings.Load(t, name)
			w.begin(t, r)
			form, _ := url.ParseQuery(*r.Request.Body)
			if body := ask(t, r, form); r.AccessToken.Raw != "" {
				same(t, r.AccessToken, body["access_token"].(string), "sub")
			}
		})
	}
}

// members returns the names of the members of an answer, in their order.
func members(body string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`"([a-z_]+)":`).FindAllStringSubmatch(body, -1) {
		names = append(names, m[1])
	}
	return names
}

func stringOf(v any) string {
	s, _ := v.(string)
	return s
}

func TestAppSessionAndAnonymousAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin, Clients: recordedClients})
	for _, name := range []string{"app-session-token", "login-cookie-anonymous", "token-jwt-anonymous"} {
		t.Run(name, func(t *testing.T) {
			r := recordings.Load(t, name)
			w.begin(t, r)
			if r.AccessToken.Raw != "" {
				w.clock.Store(int64(r.AccessToken.Claims["iat"].(float64)) * 1e9)
			}
			body := *r.Request.Body
			if name == "app-session-token" {
				body = cookiePattern.ReplaceAllString(body, stringOf(signInFor(t, w.Server, w.id("alice"), "spa-jwt")["refresh_token"]))
			}
			res, raw := send(t, w.URL(), "POST", r.Request.Path, r.Request.Headers, body)
			got, want := normalize(res.StatusCode, res.Header, raw), answerOf(r)
			want.body, got.body = shape(want.body), shape(got.body)
			for _, a := range []answer{want, got} {
				for i, cookie := range a.fields["Set-Cookie"] {
					a.fields["Set-Cookie"][i] = cookiePattern.ReplaceAllString(cookie, "VALUE")
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%v, recorded\n%v", got, want)
			}
			var result struct{ Result map[string]any }
			if err := json.Unmarshal([]byte(raw), &result); err != nil {
				t.Fatal(err)
			}
			if token := stringOf(result.Result["access_token"]); token != "" {
				same(t, r.AccessToken, token)
			}
		})
	}
}

// signInFor returns the tokens of a new sign-in.
func signInFor(t *testing.T, s *authgeartest.Server, user, client string, changes ...string) map[string]any {
	t.Helper()
	code := codeOf(t, s, user, append([]string{"client_id", client}, changes...)...)
	return exchange(t, s, codeForm(client, code), http.StatusOK)
}

// exchange asks the token endpoint and checks the status.
func exchange(t *testing.T, s *authgeartest.Server, form url.Values, status int, fields ...[2]string) map[string]any {
	t.Helper()
	res, raw := call(t, s, "/oauth2/token", form.Encode(), fields...)
	var body map[string]any
	if err := json.Unmarshal([]byte(raw), &body); err != nil || res.StatusCode != status {
		t.Fatalf("%d %s", res.StatusCode, raw)
	}
	return body
}

func TestEndSessionAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin, Clients: recordedClients})
	trace := regexp.MustCompile(`&(amp;)?x_traceparent=[0-9a-f-]+`)
	for name, left := range map[string]string{"end-session-get": "true", "end-session-id-token-hint": "false"} {
		t.Run(name, func(t *testing.T) {
			r := recordings.Load(t, name)
			w.begin(t, r)
			res, _ := call(t, w.Server, authorizePath("client_id", "spa-jwt", "x_sso_enabled", "true"), "user="+w.id("alice"))
			session, body := cookieOf(res, "session"), exchange(t, w.Server, codeForm("spa-jwt", located(t, res).Get("code")), http.StatusOK)
			headers := slices.Clone(r.Request.Headers)
			for i, h := range headers {
				headers[i][1] = cookiePattern.ReplaceAllString(h[1], session)
			}
			answered, raw := send(t, w.URL(), "GET", jwtPattern.ReplaceAllString(r.Request.Path, body["id_token"].(string)), headers, "")
			got, want := normalize(answered.StatusCode, answered.Header, raw), answerOf(r)
			want.body = trace.ReplaceAllString(want.body.(string), "")
			want.fields["Location"][0] = trace.ReplaceAllString(want.fields["Location"][0], "")
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%v, recorded\n%v", got, want)
			}
			expect(t, "cookie afterwards", resolve(t, w.Server, "Cookie", "session="+session).Get("X-Authgear-Session-Valid"), left)
			if token := valid(t, w.Server, body["access_token"].(string)); (token == "true") != (left == "true") {
				t.Errorf("token afterwards: %q", token)
			}
		})
	}
}
