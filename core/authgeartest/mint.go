package authgeartest

import (
	"net/http"
	"strconv"
	"time"
)

// refusal is why a shell gets no token.
type refusal struct {
	status int
	text   string
}

// mint answers a token, for shells: no real Authgear gives one to whoever asks.
// A page that has rebound its own name to this address asks for another host,
// and gets none; what it can forward does not count.
func (s *Server) mint(w http.ResponseWriter, r *http.Request, token func() (string, *refusal)) {
	if r.Method != http.MethodGet {
		methodNotAllowed(w, []string{http.MethodGet})
		return
	}
	if !s.owns(r.Host) {
		http.Error(w, "this is another host", http.StatusNotFound)
		return
	}
	minted, refused := token()
	if refused != nil {
		http.Error(w, refused.text, refused.status)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(minted))
}

// mintToken mints an access token of a user.
func (s *Server) mintToken(r *http.Request, userID string) (string, *refusal) {
	query := r.URL.Query()
	token := Token{ClientID: query.Get("client_id")}
	if lifetime := query.Get("expires_in"); lifetime != "" {
		seconds, err := strconv.Atoi(lifetime)
		if err != nil {
			return "", &refusal{http.StatusBadRequest, "expires_in is no number of seconds"}
		}
		token.ExpiresIn = time.Duration(seconds) * time.Second
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[userID] == nil {
		return "", &refusal{http.StatusNotFound, "there is no such user here"}
	}
	return s.accessToken(userID, token), nil
}
