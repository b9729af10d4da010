package authgeartest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// refusal says why a shell gets no token.
type refusal struct {
	status int
	text   string
}

const (
	noSuchUser = "there is no such user here"
	noSignIn   = "this user may not sign in"
)

// mint answers with a token, for shells. No real Authgear gives tokens to everybody who
// asks. A page that has rebound its own name to this address (DNS rebinding) sends another
// host and gets none. X-Forwarded-Host does not count, since such a page can set it.
func (s *Server) mint(w http.ResponseWriter, r *http.Request, token func() (string, *refusal)) {
	if r.Method != http.MethodGet {
		methodNotAllowed(w, []string{http.MethodGet})
		return
	}
	if !s.owns(r.Host) {
		http.Error(w, "this is another host", http.StatusNotFound)
		return
	}
	if err := checkLengths(r.URL.Query()); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
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
	token := Token{ClientID: strings.Clone(query.Get("client_id"))} // a copy, so that the rest of the URL is not kept
	if lifetime := query.Get("expires_in"); lifetime != "" {
		seconds, err := strconv.Atoi(lifetime)
		if err != nil {
			return "", &refusal{http.StatusBadRequest, "expires_in is no number of seconds"}
		}
		token.ExpiresIn = time.Duration(seconds) * time.Second
	}
	if query.Has("login_age") {
		seconds, err := strconv.ParseUint(query.Get("login_age"), 10, 30) // 30 bits, so that auth_time is never negative
		if err != nil {
			return "", &refusal{http.StatusBadRequest, "login_age is no number of seconds"}
		}
		token.AuthTime = s.now().Add(-time.Duration(seconds) * time.Second)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.users[userID] == nil:
		return "", &refusal{http.StatusNotFound, noSuchUser}
	case !s.maySignIn(userID):
		return "", &refusal{http.StatusForbidden, noSignIn}
	}
	return s.accessToken(s.newLogin(userID, token), token), nil
}

// mintClientToken mints a client's own token.
func (s *Server) mintClientToken(r *http.Request, client string) (string, *refusal) {
	query := r.URL.Query()
	switch {
	case client == "":
		return "", &refusal{http.StatusNotFound, "the path ends with a client's ID"}
	case query.Get("resource") == "":
		return "", &refusal{http.StatusBadRequest, "resource is missing"}
	}
	return s.ClientToken(client, query.Get("resource"), strings.Fields(query.Get("scope"))...), nil
}

// mintReauthenticated reauthenticates the session of the request.
func (s *Server) mintReauthenticated(r *http.Request) (string, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, refused := s.sessionOf(r)
	switch {
	case refused != nil:
		return "", refused
	case !found.user.canReauthenticate():
		return "", &refusal{http.StatusForbidden, cannotReauthenticate}
	}
	return s.reauthenticate(found.session.login), nil
}

// sessionOf finds the session of a shell's request, as the resolver does for a request to
// the public origin. The caller holds s.mu.
func (s *Server) sessionOf(r *http.Request) (resolved, *refusal) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-Host", s.endpoint.Host)
	r.Header.Set("X-Forwarded-Proto", s.endpoint.Scheme)
	found, outcome := s.resolve(r)
	switch outcome {
	case resolvedSession:
		return found, nil
	case resolvedFailure, resolvedLate:
		return found, &refusal{http.StatusInternalServerError, "unexpected error occurred"}
	default:
		return found, &refusal{http.StatusUnauthorized, "there is no live session"}
	}
}
