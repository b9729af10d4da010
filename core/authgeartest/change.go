package authgeartest

import "net/http"

// change answers a POST by which a shell changes a user or ends a session. No real
// Authgear lets everybody do this. A page of another origin is refused.
// CrossOriginProtection refuses its requests to this server's name. local refuses its
// requests to its own name (DNS rebinding).
func (s *Server) change(w http.ResponseWriter, r *http.Request, change http.HandlerFunc) {
	if r.Method != http.MethodPost {
		methodNotAllowed(w, []string{http.MethodPost})
		return
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	s.local(change)(w, r)
}

// changeUser returns a handler that changes the user with this ID.
func (s *Server) changeUser(userID string, change func(*user)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		u := s.users[userID]
		if u == nil {
			http.Error(w, noSuchUser, http.StatusNotFound)
			return
		}
		change(u)
	}
}

// signOutShell ends the session of the request.
func (s *Server) signOutShell(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, refused := s.sessionOf(r)
	if refused != nil {
		http.Error(w, refused.text, refused.status)
		return
	}
	s.end(found.session.login)
}
