package authgeartest

import (
	"net/http"
	"time"
)

// promotion lets an anonymous user sign up and stay the same user.
type promotion struct {
	userID  string
	expires time.Time
}

// anonymous is a request to Authgear's API for anonymous users.
type anonymous struct {
	ClientID     string `json:"client_id"`
	SessionType  string `json:"session_type"`
	RefreshToken string `json:"refresh_token"`
}

// anonymousSignUp makes an anonymous user. If the request has a session of an anonymous
// user, it goes on with that user.
func (s *Server) anonymousSignUp(w http.ResponseWriter, r *http.Request) {
	var asked anonymous
	if !readJSON(w, r, &asked) {
		return
	}
	s.locked(func() http.HandlerFunc {
		browser, of := s.browser(r), s.loginBy(asked.RefreshToken, kindRefresh)
		switch asked.SessionType {
		case "cookie":
			switch {
			case browser == nil:
				return withCookies(s.browserCookies(s.newBrowserLogin(s.newAnonymous(sessionLifetime), Token{})), apiResult(struct{}{}))
			case s.user(browser.userID).Anonymous:
				return apiResult(struct{}{})
			}
			return notAnonymous
		case "refresh_token":
			client := s.client(asked.ClientID)
			switch {
			case client == nil:
				return apiError(http.StatusBadRequest, "Invalid", "Invalid", "invalid client ID")
			case client.confidential():
				return apiError(http.StatusBadRequest, "Invalid", "Invalid", "anonymous users are not supported by this client")
			case asked.RefreshToken == "":
				of = s.newLogin(s.newAnonymous(refreshLifetime), Token{ClientID: client.ID})
				issued := s.issue(of, client, Token{})
				issued["refresh_token"] = s.refreshToken(of)
				return apiResult(issued)
			case of == nil || of.clientID != client.ID:
				return apiError(http.StatusBadRequest, "Invalid", "Invalid", "invalid refresh token")
			case !s.user(of.userID).Anonymous:
				return notAnonymous
			}
			return apiResult(s.issue(of, client, Token{}))
		}
		return unknownSessionType
	})(w, r)
}

var (
	notAnonymous       = apiError(http.StatusBadRequest, "Invalid", "Invalid", "user logged in as normal user")
	unknownSessionType = apiError(http.StatusBadRequest, "Invalid", "ValidationFailed", "session_type is cookie or refresh_token")
)

// newAnonymous adds an anonymous user. Unless promoted by then, the user is forgotten
// some time after lifetime, which is that of the first credential. The caller holds s.mu.
func (s *Server) newAnonymous(lifetime time.Duration) string {
	id, now := newUUID(), s.now()
	added := &user{User: User{ID: id, Anonymous: true}, updated: now, guestUntil: now.Add(lifetime)}
	put(s.users, id, added, func(u *user) bool { return u.Anonymous && !u.guestUntil.IsZero() && !now.Before(u.guestUntil) })
	return id
}

// promotionCode returns a code for login_hint. With it an anonymous user signs up and
// stays the same user.
func (s *Server) promotionCode(w http.ResponseWriter, r *http.Request) {
	var asked anonymous
	if !readJSON(w, r, &asked) {
		return
	}
	s.locked(func() http.HandlerFunc {
		of := s.loginBy(asked.RefreshToken, kindRefresh)
		if asked.SessionType == "cookie" {
			of = s.browser(r)
		} else if asked.SessionType != "refresh_token" {
			return unknownSessionType
		}
		switch {
		case of == nil:
			return apiError(http.StatusUnauthorized, "Unauthorized", "Unauthorized", "authentication required")
		case !s.user(of.userID).Anonymous:
			return notAnonymous
		}
		code, expires := randomString(32, alphanumeric), s.now().Add(codeLifetime)
		put(s.promotions, code, promotion{of.userID, expires}, func(p promotion) bool { return !s.now().Before(p.expires) })
		return apiResult(map[string]any{"promotion_code": code, "expire_at": expires.UTC()})
	})(w, r)
}

// promoted returns the anonymous user of a promotion code. It returns "" if there is none,
// or if the user has signed up since. The caller holds s.mu.
func (s *Server) promoted(code string) string {
	found, ok := s.promotions[code]
	if u := s.users[found.userID]; !ok || !s.now().Before(found.expires) || u == nil || !u.Anonymous {
		return ""
	}
	return found.userID
}
