package doctor_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
)

const resource = "https://api.example.com"

// world is a project with a user, and another project.
type world struct {
	*authgeartest.Server
	other       *authgeartest.Server
	alice, mary string
}

func newWorld(t *testing.T, other *authgeartest.Server) world {
	s := authgeartest.New(t)
	return world{s, other, s.AddUser(authgeartest.User{Verified: true, Roles: []string{"editor"}}), other.AddUser(authgeartest.User{})}
}

func TestToken(t *testing.T) {
	t.Parallel()
	type check struct {
		step   string
		status doctor.Status
		says   string
	}
	const ok, warning, failed, skipped = doctor.StatusOK, doctor.StatusWarning, doctor.StatusFailed, doctor.StatusSkipped
	other := authgeartest.New(t)
	refresh := func(world) string { return "12345678-1234-1234-1234-123456789012.abcdefghijklmnopqrstuvwxyz012345" }
	for name, c := range map[string]struct {
		token  func(world) string
		change func(*doctor.Config)
		want   []check
	}{
		"good": {token: func(w world) string { return w.AccessToken(w.alice) }, want: []check{
			{"token", ok, "a JWT of"}, {"header", ok, "alg RS256, typ at+jwt, kid"}, {"iss", ok, "http://127"}, {"aud", ok, "http://127"},
			{"sub", ok, "not shown"}, {"client_id", ok, `"spa"`}, {"exp", ok, ", in "}, {"nbf", ok, "none"}, {"iat", ok, "ago"},
			{"scope", ok, `"openid"`}, {"roles", ok, `"editor"`}, {"signature", ok, "by a key"}, {"jwt", ok, "accepts"}, {"session", ok, `a user, verified, roles "editor"`},
		}},
		"with its word":  {token: func(w world) string { return "bearer " + w.AccessToken(w.alice) + "\n" }, want: []check{{"token", ok, `the word "Bearer" before it was left out`}}},
		"the word twice": {token: func(w world) string { return "Bearer Bearer " + w.AccessToken(w.alice) }, want: []check{{"token", failed, "twice"}}},
		"undefined":      {token: func(world) string { return "Bearer undefined" }, want: []check{{"token", failed, `the word "undefined" in place of a token`}}},
		"null":           {token: func(world) string { return "null" }, want: []check{{"token", failed, `the word "null"`}}},
		"a header line":  {token: func(w world) string { return "authorization: Bearer " + w.AccessToken(w.alice) }, want: []check{{"token", ok, `the word "Bearer" before it was left out`}}},
		"its word alone": {token: func(world) string { return "Bearer " }, want: []check{{"token", failed, "no space and token after the Bearer scheme"}}},
		"in quotes":      {token: func(w world) string { return `"` + w.AccessToken(w.alice) + `"` }, want: []check{{"token", failed, "do quotes stand around it"}, {"token", failed, "without a header's name"}}},
		"too large":      {token: func(world) string { return strings.Repeat("a", 17<<10) }, want: []check{{"token", failed, "at most 16384"}}},
		"cut":            {token: func(w world) string { return w.AccessToken(w.alice)[:300] }, want: []check{{"token", failed, "was it cut off?"}}},
		"ID token":       {token: func(w world) string { return w.IDToken(w.alice, "spa") }, want: []check{{"token", failed, `typ is "JWT", not at+jwt`}}},
		"alg none":       {token: func(w world) string { return w.Sign(map[string]any{"alg": "none"}, nil) }, want: []check{{"token", failed, "alg"}}},
		"refresh token":  {token: refresh, want: []check{{"token", failed, "refresh token"}}},
		"opaque":         {token: func(w world) string { return w.OpaqueToken(w.alice) }, want: []check{{"token", warning, "Issue JWT as access token"}, {"session", ok, "a user"}}},
		"opaque, with ClientIDs": {token: func(w world) string { return w.OpaqueToken(w.alice) }, change: func(c *doctor.Config) { c.ClientIDs = []string{"spa"} }, want: []check{
			{"token", failed, "does not tell whether its client is one of ClientIDs"}, {"token", failed, "Issue JWT as access token"}, {"session", ok, "a user"},
		}},
		"opaque, ended": {token: func(w world) string { token := w.OpaqueToken(w.alice); w.Revoke(token); return token }, want: []check{{"session", failed, "has ended"}}},
		"expired": {token: func(w world) string { return w.AccessToken(w.alice, authgeartest.Token{ExpiresIn: -time.Minute}) }, want: []check{
			{"exp", failed, "expired at"}, {"signature", ok, ""}, {"jwt", failed, "token_expired"}, {"session", failed, "expired at"},
		}},
		"from the future": {token: func(w world) string {
			return w.AccessToken(w.alice, authgeartest.Token{Claims: map[string]any{"iat": time.Now().Add(time.Hour).Unix(), "nbf": time.Now().Add(time.Hour).Unix()}})
		}, want: []check{
			{"iat", failed, "clock"}, {"nbf", failed, "clock"}, {"jwt", failed, "token_not_yet_valid"},
		}},
		"expired within Leeway": {token: func(w world) string { return w.AccessToken(w.alice, authgeartest.Token{ExpiresIn: -30 * time.Second}) }, change: func(c *doctor.Config) { c.Leeway = time.Minute }, want: []check{
			{"exp", ok, "ago, which the Leeway of 1m0s allows"}, {"jwt", ok, ""},
		}},
		"neither a user nor a machine": {token: func(w world) string {
			return w.AccessToken(w.alice, authgeartest.Token{Claims: map[string]any{"sub": "client_id_x"}})
		}, want: []check{{"sub", failed, "do not fit"}}},
		"another project's": {token: func(w world) string { return w.other.AccessToken(w.mary) }, want: []check{
			{"iss", failed, "the endpoint is"}, {"aud", failed, "a user's token has"}, {"exp", ok, ""},
			{"signature", failed, "none of the project's keys"}, {"jwt", failed, "issuer_mismatch"}, {"session", failed, "the token's issuer is"},
		}},
		"tampered": {token: func(w world) string { t := w.AccessToken(w.alice); return t[:len(t)-9] + "AAAAAAAAA" }, want: []check{{"signature", failed, ""}, {"jwt", failed, "signature_invalid"}}},
		"key removed": {token: func(w world) string { t := w.AccessToken(w.alice); w.RotateKeys(); w.RemoveOldKeys(); return t }, want: []check{
			{"signature", failed, "none of the project's keys"}, {"session", failed, "its key was removed"},
		}},
		"a bad claim":   {token: func(w world) string { return w.Sign(nil, map[string]any{"iss": 1}) }, want: []check{{"claims", failed, "iss"}, {"signature", ok, ""}, {"jwt", failed, "claims_invalid"}}},
		"wrong client":  {token: func(w world) string { return w.AccessToken(w.alice) }, change: func(c *doctor.Config) { c.ClientIDs = []string{"web"} }, want: []check{{"client_id", failed, `"spa" is not one of ClientIDs`}}},
		"session ended": {token: func(w world) string { t := w.AccessToken(w.alice); w.DisableUser(w.alice); return t }, want: []check{{"jwt", ok, ""}, {"session", failed, "its session has ended, or its user is disabled"}}},
		"a guest's":     {token: func(w world) string { return w.AccessToken(w.AddUser(authgeartest.User{Anonymous: true})) }, want: []check{{"session", ok, "a user, anonymous, roles none"}}},
		"key not used": {token: func(w world) string { t := w.AccessToken(w.alice); w.RotateKeys(); disuseOldKey(w.Server); return t }, want: []check{
			{"signature", failed, `is a key of the project that is not used: its use is "enc"`},
		}},
		"a machine's": {token: func(w world) string { return w.ClientToken("worker", resource, "read") }, change: func(c *doctor.Config) { c.Resources = []string{resource} }, want: []check{
			{"aud", ok, resource}, {"sub", ok, `"client_id_worker", a machine`}, {"scope", ok, `"read"`}, {"jwt", ok, ""}, {"session", skipped, "Resources"},
		}},
		"a machine's without Resources": {token: func(w world) string { return w.ClientToken("worker", resource) }, want: []check{{"aud", failed, "Add the resource to Resources"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, other)
			config := doctor.Config{Endpoint: w.Endpoint(), Token: c.token(w)}
			if c.change != nil {
				c.change(&config)
			}
			r := doctor.Run(t.Context(), config)
			for _, check := range c.want {
				wantStep(t, r, check.step, check.status, check.says)
			}
			wantNoSecret(t, r, config.Token, w.alice, w.mary)
		})
	}
}

// disuseOldKey publishes the last key as one for encryption.
func disuseOldKey(s *authgeartest.Server) {
	s.Handle("/oauth2/jwks", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		body := answer.Body.String()
		use := strings.LastIndex(body, `"sig"`)
		_, _ = w.Write([]byte(body[:use] + `"enc"` + body[use+5:]))
	}))
}

func TestTokenWithoutKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authgeartest.New(t))
	token := w.AccessToken(w.alice)
	w.SetFailing(500)
	r := doctor.Run(t.Context(), doctor.Config{Endpoint: w.Endpoint(), Token: token, Cookie: "session=a.b"})
	wantStep(t, r, "iss", doctor.StatusOK)
	if n := w.Requests("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("keys asked for %d times", n)
	}
	for _, step := range []string{"signature", "jwt", "session", "cookie"} {
		wantStep(t, r, step, doctor.StatusSkipped)
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	prefixed := authgeartest.New(t, authgeartest.Config{CookiePrefix: "myapp_"})
	w := newWorld(t, prefixed)
	good, ended := w.SessionCookie(w.alice).Value, w.SessionCookie(w.alice).Value
	w.Revoke(ended)
	mine := prefixed.SessionCookie(prefixed.AddUser(authgeartest.User{})).Value
	for name, c := range map[string]struct {
		config doctor.Config
		status doctor.Status
		says   []string
	}{
		"a whole line":  {doctor.Config{Endpoint: w.Endpoint(), Cookie: "Set-Cookie: session=" + good + "; Path=/"}, doctor.StatusOK, nil},
		"in quotes":     {doctor.Config{Endpoint: w.Endpoint(), Cookie: `"session=` + good + `"`}, doctor.StatusOK, nil},
		"its value":     {doctor.Config{Endpoint: w.Endpoint(), Cookie: good}, doctor.StatusOK, []string{"a user, verified"}},
		"with its name": {doctor.Config{Endpoint: w.Endpoint(), Cookie: "a=b; session=" + good}, doctor.StatusOK, nil},
		"ended":         {doctor.Config{Endpoint: w.Endpoint(), Cookie: ended}, doctor.StatusFailed, []string{"has ended, or is of another project", "sign in again"}},
		"no session":    {doctor.Config{Endpoint: w.Endpoint(), Cookie: "hello"}, doctor.StatusFailed, []string{"another form than Authgear's"}},
		"a token":       {doctor.Config{Endpoint: w.Endpoint(), Cookie: w.AccessToken(w.alice)}, doctor.StatusFailed, []string{"TokenCookie"}},
		"wrong name":    {doctor.Config{Endpoint: prefixed.Endpoint(), Cookie: "myapp_session=" + mine}, doctor.StatusFailed, []string{"none of the cookies is named session", "http.cookie_prefix"}},
		"right name":    {doctor.Config{Endpoint: prefixed.Endpoint(), Cookies: []string{"myapp_session"}, Cookie: mine}, doctor.StatusOK, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := doctor.Run(t.Context(), c.config)
			wantStep(t, r, "cookie", c.status, c.says...)
			wantNoSecret(t, r, c.config.Cookie, w.alice)
		})
	}
}

// An opaque token of Authgear is 32 letters and digits. A token of another form has no
// session that could have ended, and no switch of the portal makes it a JWT.
func TestNeitherJWTNorOpaque(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authgeartest.New(t))
	jwt, _, _ := strings.Cut(w.AccessToken(w.alice), ".")
	for _, token := range []string{"None", "NaN", "true", "YOUR_ACCESS_TOKEN", jwt, strings.Repeat("a", 31), strings.Repeat("a", 33), strings.Repeat("a", 31) + "_"} {
		for _, clients := range [][]string{nil, {"spa"}} {
			r := doctor.Run(t.Context(), doctor.Config{Endpoint: w.Endpoint(), Token: token, ClientIDs: clients})
			wantStep(t, r, "token", doctor.StatusFailed, "alone and whole")
			if text := r.String(); strings.Contains(text, "Issue JWT") || strings.Contains(text, "has ended") {
				t.Errorf("%s:\n%s", token, text)
			}
		}
	}
}

// wantNoSecret looks for parts of secrets, too.
func wantNoSecret(t *testing.T, r doctor.Report, secrets ...string) {
	t.Helper()
	text := r.String()
	for _, secret := range secrets {
		for _, part := range regexp.MustCompile(`[.= ]`).Split(secret, -1) {
			if len(part) > 12 && strings.Contains(text, part[:12]) && strings.ContainsAny(part, "0123456789") {
				t.Errorf("a secret is shown:\n%s", text)
			}
		}
	}
}
