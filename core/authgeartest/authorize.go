package authgeartest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// codeLifetime is the lifetime of codes, and of tokens that are exchanged at once.
const codeLifetime = 5 * time.Minute

// allowedScopes are the scopes that Authgear knows for users.
var allowedScopes = []string{
	"openid", "offline_access", "profile", "email", "address", "phone",
	scopeFullAccess, "https://authgear.com/scopes/full-userinfo",
}

// authorization is an authorization request (RFC 6749 §4.1.1) that may be granted.
type authorization struct {
	form   url.Values
	client *Client
	to     target
	scopes []string

	hint    *login // the login that id_token_hint names, if it is the browser's or the client's; else nil
	hinted  string // the user that id_token_hint names
	relogin bool   // prompt or max_age require a new login

	promotes string // the anonymous user who signs up, empty for none
}

// code is the grant of an authorization code, with the parts of its request that the
// token endpoint needs.
type code struct {
	clientID, redirectURI, challenge, nonce string
	scopes                                  []string
	hint                                    *login
	sso                                     bool

	userID   string
	authTime time.Time
	browser  *login // the browser's session, nil if there is none
	expires  time.Time
}

// authorize is the authorization endpoint. It shows a page on which to choose a user, or
// answers without a page.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	s.locked(func() http.HandlerFunc {
		a, answer := s.authorization(r.Form)
		switch chosen := r.PostForm.Get("user"); {
		case answer != nil:
			return answer
		case slices.Contains(strings.Fields(a.form.Get("prompt")), "none"):
			return s.authorizeSilently(r, a)
		case chosen != "":
			return s.signIn(r, a, chosen)
		}
		return s.signInPage(a, "")
	})(w, r)
}

// authorization reads an authorization request, or returns the answer to it. The caller
// holds s.mu.
func (s *Server) authorization(form url.Values) (*authorization, http.HandlerFunc) {
	a := &authorization{form: form, client: s.client(form.Get("client_id")), scopes: strings.Fields(form.Get("scope"))}
	a.to = target{mode: form.Get("response_mode"), state: form.Get("state")}
	if a.client == nil {
		return nil, target{}.refuse(&failure{code: "unauthorized_client", description: "invalid client ID"})
	}
	if a.client.machine() {
		return nil, target{}.refuse(&failure{code: "unauthorized_client", description: "m2m clients are not allowed to use the authorize endpoint"})
	}
	uri, ok := s.redirectURI(a.client, form.Get("redirect_uri"))
	if !ok {
		return nil, target{}.refuse(&failure{code: "invalid_request", description: "redirect URI is not allowed"})
	}
	if a.to.mode == "form_post" && !web(uri) {
		return nil, target{}.refuse(&failure{code: "invalid_request", description: "a form cannot be posted to this redirect URI"})
	}
	a.to.uri = uri
	if f := a.validate(); f != nil {
		return nil, a.to.refuse(f)
	}
	if f := s.takeHint(a); f != nil {
		return nil, a.to.refuse(f)
	}
	if hint, err := url.Parse(form.Get("login_hint")); err == nil {
		switch query := hint.Query(); query.Get("type") {
		case "app_session_token":
			return nil, s.openAppSession(a, query.Get("app_session_token"))
		case "anonymous":
			if a.promotes = s.promoted(query.Get("promotion_code")); a.promotes == "" {
				return nil, a.to.refuse(&failure{code: "invalid_request", description: "invalid promotion code"})
			}
			a.hinted = a.promotes
		}
	}
	return a, nil
}

// validate checks an authorization request in Authgear's order.
func (a *authorization) validate() *failure {
	prompt, invalid := strings.Fields(a.form.Get("prompt")), func(text string) *failure {
		return &failure{code: "invalid_request", description: text}
	}
	switch response := a.form.Get("response_type"); {
	case response != "code" && response != "none":
		return &failure{code: "unauthorized_client", description: "response type is not allowed for this client"}
	case slices.Contains(prompt, "none") && len(prompt) > 1:
		return invalid("prompt cannot have other values when none is set")
	case slices.Contains(prompt, "none") && a.form.Has("max_age"):
		return invalid("max_age could imply prompt=login so max_age cannot be present when prompt=none")
	case len(a.scopes) == 0:
		return invalid("scope is required")
	case response == "code" && !a.client.confidential() && a.form.Get("code_challenge") == "":
		return invalid("PKCE code challenge is required for public clients")
	case response == "code" && a.form.Get("code_challenge") != "" && a.form.Get("code_challenge_method") != "S256":
		return invalid("only 'S256' PKCE transform is supported")
	}
	asked := a.scopes
	a.scopes = nil
	for _, scope := range asked {
		i := slices.Index(allowedScopes, scope)
		if i < 0 {
			return &failure{code: "invalid_scope", description: "specified scope is not allowed: " + scope}
		}
		if scope == scopeFullAccess && a.client.confidential() {
			return &failure{code: "invalid_scope", description: "full access is not allowed for this client"}
		}
		if !slices.Contains(a.scopes, scope) {
			a.scopes = append(a.scopes, allowedScopes[i])
		}
	}
	if !slices.Contains(a.scopes, "openid") {
		return &failure{code: "invalid_scope", description: "must request 'openid' scope"}
	}
	return nil
}

// takeHint reads id_token_hint. By max_age it decides whether the login that the hint
// names is too old (OpenID Connect Core §3.1.2.1). The caller holds s.mu.
func (s *Server) takeHint(a *authorization) *failure {
	if hint := a.form.Get("id_token_hint"); hint != "" {
		claims := s.idTokenClaims(hint)
		if claims == nil {
			return &failure{code: "invalid_request", description: "invalid id_token_hint"}
		}
		a.hinted, _ = claims["sub"].(string)
		if of := s.loginBySID(claims["sid"]); of != nil && (of.browser || of.clientID == a.client.ID) {
			a.hint = of
		}
	}
	a.relogin = slices.Contains(strings.Fields(a.form.Get("prompt")), "login")
	if age, err := strconv.ParseUint(a.form.Get("max_age"), 10, 31); err == nil {
		since := time.Duration(-1)
		if a.hint != nil {
			since = s.now().Sub(a.hint.authTime)
		}
		a.relogin = a.relogin || age == 0 || since < 0 || since > time.Duration(age)*time.Second
	}
	return nil
}

// authorizeSilently answers prompt=none. The caller holds s.mu.
func (s *Server) authorizeSilently(r *http.Request, a *authorization) http.HandlerFunc {
	browser := s.browser(r)
	if browser == nil || a.hinted != "" && a.hinted != browser.userID {
		return a.to.refuse(&failure{code: "login_required", description: "authentication required"})
	}
	return s.grantCode(a, browser.userID, browser.authTime, browser)
}

// grantCode grants an authorization request. The answer has a code if response_type asks
// for one. The caller holds s.mu.
func (s *Server) grantCode(a *authorization, userID string, authTime time.Time, browser *login) http.HandlerFunc {
	answer := map[string]string{}
	if a.form.Get("response_type") == "code" {
		answer["code"] = randomString(32, alphanumeric)
		kept := func(name string) string { return strings.Clone(a.form.Get(name)) }
		put(s.codes, answer["code"], &code{
			clientID: a.client.ID, redirectURI: kept("redirect_uri"), challenge: kept("code_challenge"), nonce: kept("nonce"),
			scopes: a.scopes, hint: a.hint, sso: a.sso(),
			userID: userID, authTime: authTime, browser: browser, expires: s.now().Add(codeLifetime),
		}, func(c *code) bool { return !s.now().Before(c.expires) })
	}
	return a.to.answer(answer)
}

// browser returns the live session of the request's cookie, nil if there is none. The
// caller holds s.mu.
func (s *Server) browser(r *http.Request) *login {
	cookie, err := r.Cookie(s.cookiePrefix + "session")
	if err != nil {
		return nil
	}
	return s.loginBy(cookie.Value, kindCookie)
}
