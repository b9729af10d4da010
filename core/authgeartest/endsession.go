package authgeartest

import (
	"html/template"
	"net/http"
	"net/url"
	"time"
)

// endSession is the end session endpoint (OpenID Connect RP-Initiated Logout 1.0). It
// signs out at once for a page of the same site, or with an ID token of the same sign-in.
// Otherwise it asks the user first.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost { // a POST from another site has no cookies, the redirected GET has them
		http.Redirect(w, r, s.Endpoint()+"/oauth2/end_session?"+r.Form.Encode(), http.StatusFound)
		return
	}
	s.locked(func() http.HandlerFunc {
		hint, answer := r.Form.Get("id_token_hint"), s.leave(r.Form)
		browser := s.browser(r)
		if browser == nil {
			return answer
		}
		direct := false
		if hint == "" {
			cookie, err := r.Cookie(s.cookiePrefix + "same_site_strict")
			direct = err == nil && cookie.Value == "true"
		} else if claims := s.idTokenClaims(hint); claims != nil {
			named := s.loginBySID(claims["sid"])
			direct = named != nil && named.sso == browser.sso
		}
		if direct {
			return s.signOut(browser, answer)
		}
		r.Form.Del("id_token_hint")
		back := s.Endpoint() + "/oauth2/end_session"
		if len(r.Form) > 0 {
			back += "?" + r.Form.Encode()
		}
		ask := s.Endpoint() + "/logout?" + url.Values{"redirect_uri": {back}}.Encode()
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, ask, http.StatusFound) }
	})(w, r)
}

// leave sends a browser on after it is signed out.
func (s *Server) leave(form url.Values) http.HandlerFunc {
	uri := form.Get("post_logout_redirect_uri")
	if !s.postLogoutRedirectURI(uri) {
		return func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, s.Endpoint()+"/settings", http.StatusFound)
		}
	}
	to, _ := url.Parse(uri)
	return target{uri: to, state: form.Get("state")}.answer(map[string]string{})
}

// signOut ends a browser's session and clears its cookies. The caller holds s.mu.
func (s *Server) signOut(browser *login, then http.HandlerFunc) http.HandlerFunc {
	s.end(browser)
	session := s.cookie(s.endpoint.Scheme == "https")
	session.Expires = time.Unix(0, 0)
	strict := *session
	strict.Name, strict.SameSite = s.cookiePrefix+"same_site_strict", http.SameSiteStrictMode
	return withCookies([]*http.Cookie{session, &strict}, then)
}

var signOutTemplate = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign out</title>
</head>
<body>
<h1>Sign out?</h1>
<form method="post">
<p><button>Sign out</button></p>
</form>
</body>
</html>
`))

// logout is the question before a sign-out. A page of another site cannot answer it.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || http.NewCrossOriginProtection().Check(r) != nil {
		writePage(w, http.StatusOK, signOutTemplate, nil)
		return
	}
	s.locked(func() http.HandlerFunc {
		uri, _ := url.Parse(r.Form.Get("redirect_uri"))
		if uri == nil || uri.Scheme+"://"+uri.Host != s.Endpoint() {
			uri = s.endpoint
		}
		then := seeOther(uri.String())
		if browser := s.browser(r); browser != nil {
			return s.signOut(browser, then)
		}
		return then
	})(w, r)
}
