package authgeartest

import "time"

// SetAuthTime changes the time of the login of the session that a JWT, an
// opaque token or a cookie's value belongs to: an earlier one for a login that
// was long ago. The resolver tells it from now on, a JWT keeps what it says. It
// panics if there is no such session; an expired token still has its session, until
// there are a thousand others.
func (s *Server) SetAuthTime(credential string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session(credential).authTime = at
}

// Reauthenticate does what [Server.SetAuthTime] does for a login just now, and
// returns a new ID token for the session's user and client, as a
// reauthentication by the web SDK does. There is no new access token. It panics
// if there is no such session, and if the user cannot reauthenticate.
func (s *Server) Reauthenticate(credential string) (idToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.session(credential)
	if !s.user(found.userID).canReauthenticate() {
		panic("authgeartest: " + cannotReauthenticate)
	}
	return s.reauthenticate(found.login)
}

const cannotReauthenticate = "this user cannot reauthenticate"

// session finds a session or panics. The caller holds s.mu.
func (s *Server) session(credential string) *session {
	found := s.find(credential)
	if found == nil {
		panic("authgeartest: there is no session that this credential belongs to")
	}
	return found
}

// reauthenticate renews a session's login. The caller holds s.mu.
func (s *Server) reauthenticate(of *login) string {
	s.renew(of, s.now())
	return s.idToken(of, Token{})
}

// renew makes a login one of another time. The caller holds s.mu.
func (s *Server) renew(l *login, at time.Time) {
	l.authTime = at
	u := s.user(l.userID)
	s.emit("user.reauthenticated", u, l.event(u), map[string]any{
		"triggered_by":  "user",
		"audit_context": map[string]any{"http_url": s.Endpoint() + "/oauth2/token"},
		"client_id":     l.clientID,
	})
}
