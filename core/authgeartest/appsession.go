package authgeartest

import (
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"time"
)

// handoff is an app session token: with it an app signs its user in to a browser.
type handoff struct {
	of      *login
	expires time.Time
}

// appSessionToken answers a refresh token with an app session token.
func (s *Server) appSessionToken(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		RefreshToken string `json:"refresh_token"`
	}
	if !readJSON(w, r, &asked) {
		return
	}
	s.locked(func() http.HandlerFunc {
		of := s.loginBy(asked.RefreshToken, kindRefresh)
		switch {
		case of == nil:
			return apiError(http.StatusForbidden, "Forbidden", "InvalidGrant", "invalid refresh token")
		case !slices.Contains(of.scopes, scopeFullAccess):
			return apiError(http.StatusForbidden, "Forbidden", "Forbidden", "the client is not authorized to have full user access")
		}
		token, expires := randomString(32, alphanumeric), s.now().Add(codeLifetime)
		put(s.handoffs, token, handoff{of, expires}, func(h handoff) bool { return !s.now().Before(h.expires) })
		return apiResult(map[string]any{"app_session_token": token, "expire_at": expires.UTC()})
	})(w, r)
}

// openAppSession exchanges an app session token for a cookie and redirects to a page. The
// caller holds s.mu.
func (s *Server) openAppSession(a *authorization, token string) http.HandlerFunc {
	found, ok := s.handoffs[token]
	delete(s.handoffs, token)
	if !ok || !s.now().Before(found.expires) || !s.lives(found.of) {
		return a.to.refuse(&failure{code: "invalid_request", description: "invalid app session token"})
	}
	cookie := s.appSessionCookie(found.of, Token{})
	return func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, cookie)
		http.Redirect(w, r, a.to.uri.String(), http.StatusFound)
	}
}

// readJSON reads a request to Authgear's own API. If that fails, it answers the request
// and returns false. A page of another site cannot send this content type without a
// preflight request (CORS).
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		apiError(http.StatusBadRequest, "BadRequest", "BadRequest", "request content type is invalid")(w, r)
		return false
	}
	if json.NewDecoder(r.Body).Decode(into) != nil {
		apiError(http.StatusBadRequest, "BadRequest", "BadRequest", "invalid request body")(w, r)
		return false
	}
	return true
}

func apiError(status int, name, reason, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeError(w, status, name, reason, message) }
}

func apiResult(result any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(mustJSON(map[string]any{"result": result}))
	}
}
