package authgeartest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// resolver answers who sent a request, by its session.
func (s *Server) resolver(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		methodNotAllowed(w, []string{http.MethodGet, http.MethodHead, http.MethodOptions})
		return
	}
	if s.ours(r) && !validProto(r) {
		writeFailure(w, http.StatusInternalServerError)
		return
	}
	commonFields(w.Header())
	if !s.ours(r) {
		http.Error(w, "app not found", http.StatusNotFound)
		return
	}
	found, outcome := s.ask(r)
	h := w.Header()
	switch outcome {
	case resolvedFailure:
		writeFailure(w, http.StatusInternalServerError)
	case resolvedInvalid:
		s.clearCookie(w, r)
		h.Set("X-Authgear-Session-Valid", "false")
	case resolvedSession:
		// A real resolver sends an empty AMR, and roles in any order.
		h.Set("X-Authgear-Session-Amr", "")
		h.Set("X-Authgear-Session-Authenticated-At", strconv.FormatInt(found.authTime.Unix(), 10))
		h.Set("X-Authgear-Session-Valid", "true")
		h.Set("X-Authgear-User-Anonymous", strconv.FormatBool(found.user.Anonymous))
		h.Set("X-Authgear-User-Can-Reauthenticate", strconv.FormatBool(found.user.canReauthenticate()))
		h.Set("X-Authgear-User-Id", found.user.ID)
		h.Set("X-Authgear-User-Verified", strconv.FormatBool(found.user.Verified))
		if roles := slices.Clone(found.user.Roles); len(roles) > 0 {
			slices.Reverse(roles)
			h.Set("X-Authgear-User-Roles", strings.Join(roles, ","))
		}
	}
}

// clearCookie clears the session cookie if the request has one.
func (s *Server) clearCookie(w http.ResponseWriter, r *http.Request) {
	cookie := s.cookie(requestProto(r) == "https")
	if _, err := r.Cookie(cookie.Name); err != nil {
		return
	}
	cookie.Expires = time.Unix(0, 0)
	http.SetCookie(w, cookie)
}

type resolution int

const (
	resolvedNothing resolution = iota // as if nothing had been sent
	resolvedSession
	resolvedInvalid
	resolvedFailure
	resolvedLate // a failure after the time that Redis hangs
)

// resolved has a session, and copies of its user and of the time of its login.
type resolved struct {
	session  *session
	user     user
	authTime time.Time
}

// ask resolves a request, and waits as long as Redis hangs.
func (s *Server) ask(r *http.Request) (resolved, resolution) {
	s.mu.Lock()
	found, outcome := s.resolve(r)
	hangs := s.redisHangs
	s.mu.Unlock()
	if outcome == resolvedLate {
		pause(r, hangs)
		outcome = resolvedFailure
	}
	return found, outcome
}

// resolve finds the session of a request. The caller holds s.mu.
func (s *Server) resolve(r *http.Request) (resolved, resolution) {
	found, outcome := s.findSession(r)
	if found == nil {
		return resolved{}, outcome
	}
	if !s.maySignIn(found.userID) {
		return resolved{}, resolvedInvalid
	}
	return resolved{session: found, user: *s.users[found.userID], authTime: found.authTime}, resolvedSession
}

// findSession tries the request's credentials in Authgear's order: the token, then the
// cookies. Only the refusal of a session cookie is reported. So a session cookie that is
// sent with a refused token makes the refusal explicit. The caller holds s.mu.
func (s *Server) findSession(r *http.Request) (*session, resolution) {
	var found *session
	// Redis holds the sessions. It is not asked for a session cookie without a dot,
	// which cannot be a session.
	database, redis, refused := false, false, false
	if token, ok := bearerToken(r); ok {
		database, redis = true, true
		found = s.byToken(token, r)
	}
	if cookie, err := r.Cookie("app_session"); err == nil && found == nil {
		database, redis = true, true
		found = s.alive(cookie.Value, kindAppSession)
	}
	if cookie, err := r.Cookie("app_access_token"); err == nil && found == nil {
		database, redis = true, true
		found = s.byToken(cookie.Value, r)
	}
	if cookie, err := r.Cookie(s.cookiePrefix + "session"); err == nil && found == nil {
		database, redis = true, redis || strings.Contains(cookie.Value, ".")
		found = s.alive(cookie.Value, kindCookie)
		refused = found == nil
	}
	switch {
	case database && s.databaseDown(), redis && s.redisDown:
		return nil, resolvedFailure
	case redis && s.redisHangs > 0:
		return nil, resolvedLate
	case found != nil && s.redisReadOnly:
		return nil, resolvedFailure
	case found != nil && s.databaseFails():
		return nil, resolvedNothing
	case found != nil:
		return found, resolvedSession
	case refused:
		return nil, resolvedInvalid
	}
	return nil, resolvedNothing
}

// bearerToken reads the first Authorization field: the scheme in upper or lower case,
// exactly one space, the token.
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, token != "" && strings.EqualFold(scheme, "bearer")
}

// alive finds a session that has not expired. The caller holds s.mu.
func (s *Server) alive(credential string, kind sessionKind) *session {
	found := s.find(credential)
	if found == nil || found.kind != kind || !s.now().Before(found.expires) {
		return nil
	}
	return found
}

// byToken finds the session of an access token. A JWT's audience has to be the origin
// that the request is for. The caller holds s.mu.
func (s *Server) byToken(token string, r *http.Request) *session {
	if found := s.alive(token, kindOpaque); found != nil {
		return found
	}
	found := s.find(token)
	if found == nil || found.kind != kindJWT {
		return nil
	}
	now := float64(s.now().UnixNano()) / 1e9
	exp, _ := found.claims["exp"].(float64)
	nbf, _ := found.claims["nbf"].(float64)
	audience, _ := found.claims["aud"].([]any)
	if !s.published(found.header["kid"]) || found.header["alg"] != "RS256" || found.header["typ"] != "at+jwt" ||
		now >= exp || now < nbf ||
		found.claims["iss"] != s.Endpoint() || found.claims["sub"] != found.userID ||
		!slices.Contains(audience, any(requestOrigin(r))) {
		return nil
	}
	return found
}
