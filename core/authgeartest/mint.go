package authgeartest

import (
	"net/http"
	"strconv"
	"time"
)

// mint answers a new access token of a user, for shells: no real Authgear gives
// a token to whoever asks. A page that has rebound its own name to this address
// asks for another host, and gets none.
func (s *Server) mint(w http.ResponseWriter, r *http.Request, userID string) {
	if r.Method != http.MethodGet {
		methodNotAllowed(w, []string{http.MethodGet})
		return
	}
	query := r.URL.Query()
	token := Token{ClientID: query.Get("client_id")}
	if lifetime := query.Get("expires_in"); lifetime != "" {
		seconds, err := strconv.Atoi(lifetime)
		if err != nil {
			http.Error(w, "expires_in is no number of seconds", http.StatusBadRequest)
			return
		}
		token.ExpiresIn = time.Duration(seconds) * time.Second
	}
	minted := ""
	s.mu.Lock()
	if s.ours(r) && s.users[userID] != nil {
		minted = s.accessToken(userID, token)
	}
	s.mu.Unlock()
	if minted == "" {
		http.Error(w, "there is no such user here", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(minted))
}
