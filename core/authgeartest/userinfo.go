package authgeartest

import "net/http"

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	found, outcome := s.ask(r)
	switch outcome {
	case resolvedSession:
		writeJSON(w, found.user.info())
	case resolvedFailure:
		writeFailure(w, http.StatusInternalServerError)
	default:
		w.Header().Set("Www-Authenticate", `Bearer error="invalid_grant", error_description="invalid session"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"invalid session"}` + "\n"))
	}
}

// info returns what the userinfo endpoint says about a user.
func (u *user) info() map[string]any {
	roles := u.Roles
	if roles == nil {
		roles = []string{}
	}
	info := map[string]any{
		"custom_attributes":                   map[string]any{},
		"sub":                                 u.ID,
		"updated_at":                          u.updated.Unix(),
		"x_web3":                              map[string]any{},
		claimPrefix + "authenticators":        []any{},
		claimPrefix + "can_reauthenticate":    u.canReauthenticate(),
		claimPrefix + "identities":            []any{},
		claimPrefix + "is_anonymous":          u.Anonymous,
		claimPrefix + "is_verified":           u.Verified,
		claimPrefix + "recovery_code_enabled": false,
		claimPrefix + "roles":                 roles,
	}
	if u.Email != "" {
		info["email"], info["email_verified"] = u.Email, u.Verified
	}
	return info
}
