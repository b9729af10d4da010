package authgeartest

import (
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
)

var signInTemplate = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
</head>
<body>
<h1>Sign in to {{.Client}}</h1>
<p>This is a development Authgear: choose who you are.</p>
{{- with .Problem}}
<p role="alert">{{.}}</p>
{{- end}}
<form method="post" action="{{.Action}}">
{{- range .Users}}
<p><button name="user" value="{{.ID}}">{{.ID}}</button> {{.Facts}}</p>
{{- else}}
<p>There is nobody to choose: add users first.</p>
{{- end}}
</form>
</body>
</html>
`))

// signInPage lists the users who may sign in. If id_token_hint names a user, it lists only
// that one. The caller holds s.mu.
func (s *Server) signInPage(a *authorization, problem string) http.HandlerFunc {
	type line struct{ ID, Facts string }
	var lines []line
	for _, id := range slices.Sorted(maps.Keys(s.users)) {
		if a.hinted == "" || a.hinted == id {
			lines = append(lines, line{id, s.users[id].facts()})
		}
	}
	page := map[string]any{
		"Client": a.client.ID, "Users": lines, "Problem": problem,
		"Action": "/oauth2/authorize?" + a.form.Encode(),
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusForbidden
	}
	return func(w http.ResponseWriter, _ *http.Request) { writePage(w, status, signInTemplate, page) }
}

// facts returns what a page says about a user.
func (u *user) facts() string {
	facts := []string{u.Email, strings.Join(u.Roles, ", ")}
	if u.Anonymous {
		facts = append(facts, "anonymous")
	}
	if u.Verified {
		facts = append(facts, "verified")
	}
	if u.disabled {
		facts = append(facts, "disabled")
	}
	return strings.Join(slices.DeleteFunc(facts, func(s string) bool { return s == "" }), " · ")
}

// signIn is a click on a user. A page of another site cannot make it. The caller
// holds s.mu.
func (s *Server) signIn(r *http.Request, a *authorization, userID string) http.HandlerFunc {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return s.signInPage(a, "another site has sent this form")
	}
	u := s.users[userID]
	switch {
	case u == nil || a.hinted != "" && a.hinted != userID:
		return s.signInPage(a, noSuchUser)
	case !u.maySignIn(s.now()):
		return s.signInPage(a, noSignIn)
	case a.hint != nil && a.relogin && !u.canReauthenticate():
		return s.signInPage(a, cannotReauthenticate)
	}
	if a.promotes != "" {
		u.Anonymous = false
	}
	browser := s.browser(r)
	if browser != nil && browser.userID != userID {
		browser = nil // the session of another user; the new cookie replaces it
	}
	if browser != nil && !a.relogin {
		return s.grantCode(a, userID, browser.authTime, browser)
	}
	now := s.now()
	if a.hint != nil && browser != nil {
		s.renew(browser, now)
		return s.grantCode(a, userID, now, browser)
	}
	if a.hint != nil || a.suppressesCookie() {
		return s.grantCode(a, userID, now, nil)
	}
	browser = s.newBrowserLogin(userID, Token{ClientID: a.client.ID})
	return withCookies(s.browserCookies(browser), s.grantCode(a, userID, now, browser))
}

func withCookies(cookies []*http.Cookie, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, cookie := range cookies {
			http.SetCookie(w, cookie)
		}
		answer(w, r)
	}
}

// browserCookies returns the cookies that a browser gets when somebody signs in. The
// caller holds s.mu.
func (s *Server) browserCookies(of *login) []*http.Cookie {
	session := s.sessionCookie(of, Token{})
	strict := *session
	strict.Name, strict.Value, strict.SameSite = s.cookiePrefix+"same_site_strict", "true", http.SameSiteStrictMode
	return []*http.Cookie{session, &strict}
}

// sso reports whether the browser's session and the client's tokens end together.
func (a *authorization) sso() bool { return a.form.Get("x_sso_enabled") == "true" }

// suppressesCookie reports whether the client asks that the browser gets no session.
func (a *authorization) suppressesCookie() bool {
	if a.form.Get("x_sso_enabled") != "" {
		return !a.sso()
	}
	return a.form.Get("x_suppress_idp_session_cookie") == "true"
}
