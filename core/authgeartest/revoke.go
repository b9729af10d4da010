package authgeartest

import "net/http"

// revoke is the OAuth revocation endpoint (RFC 7009).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	down := s.databaseDown()
	s.mu.Unlock()
	if down {
		writeFailure(w, http.StatusInternalServerError)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.Revoke(r.PostFormValue("token"))
	w.WriteHeader(http.StatusOK)
}

// Revoke does what the revocation endpoint does. It ends an opaque token, or
// the session of a session cookie's value. With a refresh token it ends all
// that was issued by its login. A JWT, and what it does not know, it ignores;
// see [Server.RevokeSession].
func (s *Server) Revoke(credential string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.find(credential)
	switch {
	case found == nil || found.kind == kindJWT:
	case found.kind == kindOpaque:
		delete(s.sessions, credential)
		s.ends(credential)
	default:
		s.end(found.login)
	}
}

// RevokeSession ends the session that a credential of any kind belongs to, as
// an administrator or a sign-out does, with all that was issued by its login. A
// JWT is refused by the resolver from now on, its signature stays good.
func (s *Server) RevokeSession(credential string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.find(credential); found != nil {
		s.end(found.login)
	}
}
