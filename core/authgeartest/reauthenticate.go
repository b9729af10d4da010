package authgeartest

import "time"

// SetAuthTime changes the time of the login of the session that a JWT, an
// opaque token or a cookie's value belongs to: an earlier one for a login that
// was long ago. The resolver tells it from now on, a JWT keeps what it says. It
// panics if there is no such session; an expired token still has its session.
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
	u := s.user(found.userID)
	if !u.canReauthenticate() {
		panic("authgeartest: " + cannotReauthenticate)
	}
	return s.reauthenticate(found, u)
}

const cannotReauthenticate = "this user cannot reauthenticate"

// session finds a session or panics. The caller holds s.mu.
func (s *Server) session(credential string) *session {
	found := s.sessions[credential]
	if found == nil {
		panic("authgeartest: there is no session that this credential belongs to")
	}
	return found
}

// reauthenticate renews a session's login. The caller holds s.mu.
func (s *Server) reauthenticate(of *session, u *user) string {
	of.authTime = s.now()
	s.emit("user.reauthenticated", u, of.event(u), map[string]any{
		"triggered_by":  "user",
		"audit_context": map[string]any{"http_url": s.Endpoint() + "/oauth2/token"},
		"client_id":     of.clientID,
	})
	return s.idToken(u, of.sid, Token{ClientID: of.clientID, AuthTime: of.authTime})
}
