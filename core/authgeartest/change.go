package authgeartest

import "net/http"

// change changes a user or ends a session, for shells. No real Authgear lets everybody do
// so. A page of another origin may not, whether it asks by its own name (DNS rebinding)
// or by this server's.
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

// changeUser changes the user whose ID ends the path.
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
