package authgeartest

import "time"

// SetAuthTime changes the time of a session's login, such as to one that was
// long ago. credential is a JWT, an opaque token or a cookie's value that
// belongs to the session. The resolver tells the new time from now on; a JWT
// keeps what it says. SetAuthTime panics if there is no such session. An
// expired token still has its session, until there are a thousand others.
func (s *Server) SetAuthTime(credential string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session(credential).authTime = at
}

// Reauthenticate sets the time of the session's login to now, as
// [Server.SetAuthTime] does, and returns a new ID token for the session's user
// and client, as a reauthentication by the web SDK does. There is no new access
// token. It panics if there is no such session, and if the user cannot
// reauthenticate.
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

// renew changes the time of a login. The caller holds s.mu.
func (s *Server) renew(l *login, at time.Time) {
	l.authTime = at
	u := s.user(l.userID)
	s.emit("user.reauthenticated", u, l.event(u), map[string]any{
		"triggered_by":  "user",
		"audit_context": map[string]any{"http_url": s.Endpoint() + "/oauth2/token"},
		"client_id":     l.clientID,
	})
}
