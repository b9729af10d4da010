package authgeartest

import (
	"encoding/base64"
	"time"
)

// login is shared by the credentials of one sign-in. It is what Authgear calls an offline
// grant, or a browser's session.
type login struct {
	id       string // a UUID
	browser  bool   // a browser's session
	userID   string
	clientID string
	authTime time.Time
	scopes   []string
	// sso is the ID of the browser's session that this login came from, if the two
	// end together. For a browser's session it is its own ID.
	sso string
}

// newLogin begins a login. The caller holds s.mu.
func (s *Server) newLogin(userID string, t Token) *login {
	scopes := t.Scopes
	if scopes == nil {
		scopes = []string{"openid", "offline_access", scopeFullAccess}
	}
	return &login{
		id: newUUID(), userID: s.user(userID).ID, clientID: clientID(t.ClientID),
		authTime: t.authTime(s.now()), scopes: scopes,
	}
}

// newBrowserLogin begins a browser's session. The caller holds s.mu.
func (s *Server) newBrowserLogin(userID string, t Token) *login {
	l := s.newLogin(userID, t)
	l.browser, l.sso = true, l.id
	return l
}

// sid returns the sid claim that names the login in ID tokens.
func (l *login) sid() string {
	kind := "offline_grant:"
	if l.browser {
		kind = "idp:"
	}
	return base64.RawURLEncoding.EncodeToString([]byte(kind + l.id))
}

// loginBySID finds a login that has not ended, nil if there is none. The caller
// holds s.mu.
func (s *Server) loginBySID(sid any) *login {
	for _, session := range s.sessions {
		if session.sid() == sid {
			return session.login
		}
	}
	return nil
}

// loginBy finds the login of a cookie or a refresh token. It is nil if the credential is
// not valid any longer. The caller holds s.mu.
func (s *Server) loginBy(credential string, kind sessionKind) *login {
	if found := s.alive(credential, kind); found != nil && s.maySignIn(found.userID) {
		return found.login
	}
	return nil
}

// lives reports whether a login has not ended. The caller holds s.mu.
func (s *Server) lives(l *login) bool {
	for _, session := range s.sessions {
		if session.login == l {
			return true
		}
	}
	return false
}

// ends notes that a login or an opaque token has ended. Only a server with a seed needs
// the note: find could restore the session from its credential. The caller holds s.mu.
func (s *Server) ends(id string) {
	if s.lasting {
		s.ended[id] = true
	}
}

// end ends a login and all logins that end with it. The caller holds s.mu.
func (s *Server) end(l *login) {
	for credential, session := range s.sessions {
		if session.login == l || l.sso != "" && session.sso == l.sso {
			delete(s.sessions, credential)
			s.ends(session.id)
			if session.kind == kindOpaque { // find would restore it for another login
				s.ends(credential)
			}
		}
	}
}
