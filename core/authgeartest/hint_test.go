package authgeartest_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// An id_token_hint names the user. Only if its client asks, it also names the login.
// Tokens are for the client that asks, with the scopes that it asks for (RFC 6749 §3.3,
// OpenID Connect Core §2).
func TestHintOfAnotherClient(t *testing.T) {
	const fullAccess = "https://authgear.com/scopes/full-access"
	w := newWorld(t, authgeartest.Config{Clients: []authgeartest.Client{
		{ID: "spa", RedirectURIs: []string{callback}}, {ID: "other", RedirectURIs: []string{callback}},
		{ID: "web", Secret: "s", RedirectURIs: []string{callback}},
	}})
	w.clock.Store(time.Now().UnixNano())
	w.AddUser(authgeartest.User{ID: "alice"})
	res, _ := call(t, w.Server, authorizePath("x_sso_enabled", "true"), "user=alice")
	session := [2]string{"Cookie", "session=" + cookieOf(res, "session")}
	spas := exchange(t, w.Server, codeForm("spa", located(t, res).Get("code")), 200)
	began := w.time()
	browsers := exchange(t, w.Server, url.Values{"grant_type": {idTokenGrant}, "client_id": {"spa"}}, 200, session)
	w.clock.Add(int64(time.Minute))
	for name, c := range map[string]struct {
		client, scope, user string
		hint                any
		more                []string
		same                bool // the same login
	}{
		"silently":                 {"web", "openid", "", spas["id_token"], []string{"prompt", "none"}, false},
		"by a click":               {"other", "openid " + fullAccess, "user=alice", spas["id_token"], []string{"max_age", "0"}, false},
		"the browser's session":    {"other", "openid", "", browsers["id_token"], []string{"prompt", "none"}, false},
		"own client, fewer scopes": {"spa", "openid", "", spas["id_token"], []string{"prompt", "none"}, true},
	} {
		changes := append([]string{"client_id", c.client, "scope", c.scope, "id_token_hint", c.hint.(string)}, c.more...)
		res, _ := call(t, w.Server, authorizePath(changes...), c.user, session)
		form := codeForm(c.client, located(t, res).Get("code"))
		if c.client == "web" {
			form.Set("client_secret", "s")
		}
		tokens := exchange(t, w.Server, form, 200)
		access, id := read(t, tokens["access_token"].(string)).Claims, read(t, tokens["id_token"].(string)).Claims
		expect(t, name+": client, scope, audience", access["client_id"].(string)+", "+access["scope"].(string)+", "+id["aud"].([]any)[0].(string), c.client+", "+c.scope+", "+c.client)
		if same := id["sid"] == read(t, c.hint.(string)).Claims["sid"]; same != c.same {
			t.Errorf("%s: the same login %v", name, same)
		}
	}
	expect(t, "the first login, not renewed", w.authTime(t, credential{spas["access_token"].(string), "Authorization", "Bearer "}), seconds(began))
	again := read(t, refreshed(t, w.Server, spas)).Claims["scope"].(string)
	expect(t, "its scopes, the same", again, "openid offline_access "+fullAccess)

	_, guest := callAPI(t, w.Server, "/api/anonymous_user/signup", `{"session_type":"refresh_token","client_id":"spa"}`)
	if _, raw := callAPI(t, w.Server, "/api/anonymous_user/signup", `{"session_type":"refresh_token","client_id":"other","refresh_token":"`+cookiePattern.FindString(guest)+`"}`); !strings.Contains(raw, "invalid refresh token") {
		t.Errorf("a guest of another client: %s", raw)
	}
}
