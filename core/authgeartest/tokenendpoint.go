package authgeartest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
)

const grantPrefix = "urn:authgear:params:oauth:grant-type:"

// tokens are a token endpoint's answer (RFC 6749 §5.1).
type tokens map[string]any

// token is the token endpoint.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.locked(func() http.HandlerFunc {
		granted, f := s.grant(r)
		if f != nil {
			return f.write
		}
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, granted) }
	})(w, r)
}

// write answers with an OAuth error (RFC 6749 §5.2). The status is 400 unless the failure
// has another, as with Authgear: 400 for a wrong client secret too.
func (f *failure) write(w http.ResponseWriter, _ *http.Request) {
	status := f.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": f.code, "error_description": f.description})
}

// grant makes the checks in Authgear's order, and then grants tokens. The caller holds
// s.mu.
func (s *Server) grant(r *http.Request) (tokens, *failure) {
	id, secret := r.Form.Get("client_id"), r.Form.Get("client_secret")
	if id == "" && secret == "" {
		var f *failure
		if id, secret, f = basicAuth(r); f != nil {
			return nil, f
		}
	}
	client := s.client(id)
	if client == nil {
		return nil, &failure{code: "invalid_client", description: "invalid client ID"}
	}
	asMachine := false
	switch grant := r.Form.Get("grant_type"); grant {
	case "authorization_code":
		switch {
		case r.Form.Get("code") == "":
			return nil, &failure{code: "invalid_request", description: "code is required"}
		case !client.confidential() && r.Form.Get("code_verifier") == "":
			return nil, &failure{code: "invalid_request", description: "PKCE code verifier is required"}
		case client.confidential() && secret == "":
			return nil, &failure{code: "invalid_client", description: "client secret is required"}
		}
	case "refresh_token":
		switch {
		case r.Form.Get("refresh_token") == "":
			return nil, &failure{code: "invalid_request", description: "refresh token is required"}
		case client.confidential() && secret == "":
			return nil, &failure{code: "invalid_client", description: "client secret is required"}
		}
	case grantPrefix + "id-token":
	case "client_credentials":
		asMachine = true
		switch {
		case r.Form.Get("resource") == "":
			return nil, &failure{code: "invalid_target", description: "resource is required"}
		case secret == "":
			return nil, &failure{code: "invalid_client", description: "client secret is required"}
		}
	default:
		return nil, &failure{code: "unsupported_grant_type", description: "grant type is not supported"}
	}
	if !client.open && asMachine != client.machine() {
		return nil, &failure{code: "unauthorized_client", description: "grant type is not allowed for this client"}
	}
	switch r.Form.Get("grant_type") {
	case "authorization_code":
		return s.grantByCode(client, secret, r.Form)
	case "refresh_token":
		return s.grantByRefresh(client, secret, r.Form.Get("refresh_token"))
	case "client_credentials":
		return s.grantToMachine(client, secret, r.Form)
	}
	return s.grantIDToken(client, r)
}

// basicAuth reads client_secret_basic (RFC 6749 §2.3.1). ID and secret are form-encoded.
func basicAuth(r *http.Request) (id, secret string, f *failure) {
	name, password, _ := r.BasicAuth()
	id, err := url.QueryUnescape(name)
	if err != nil {
		return "", "", &failure{code: "invalid_request", description: "invalid client_id in Authorization header"}
	}
	if secret, err = url.QueryUnescape(password); err != nil {
		return "", "", &failure{code: "invalid_request", description: "invalid client_secret in Authorization header"}
	}
	return id, secret, nil
}

// checkSecret authenticates a client. For a wrong secret Authgear does not answer
// invalid_client.
func (c *Client) checkSecret(secret string) *failure {
	if c.confidential() && secret != c.Secret {
		return &failure{code: "invalid_request", description: "invalid client secret"}
	}
	return nil
}

// issue makes the tokens of a login. The caller holds s.mu.
func (s *Server) issue(of *login, client *Client, t Token) tokens {
	t.Claims = s.user(of.userID).personal(client, t.scopes(of))
	issued := tokens{"token_type": "Bearer", "expires_in": int(s.lifetime.Seconds())}
	if client.OpaqueTokens {
		issued["access_token"] = s.opaqueToken(of, t)
	} else {
		issued["access_token"] = s.accessToken(of, t)
	}
	return issued
}

// personal returns the claims about a user that confidential clients get in tokens.
func (u *user) personal(client *Client, scopes []string) map[string]any {
	claims := make(map[string]any)
	if !client.confidential() {
		return claims
	}
	if u.Email != "" && slices.Contains(scopes, "email") {
		claims["email"], claims["email_verified"] = u.Email, u.Verified
	}
	if slices.Contains(scopes, "profile") {
		claims["updated_at"] = u.updated.Unix()
	}
	return claims
}

// idTokenClaims reads an ID token of this server, even if it has expired. It returns nil
// for any other text. The caller holds s.mu.
func (s *Server) idTokenClaims(token string) map[string]any {
	claims, _ := s.verified(token, "JWT")
	return claims
}
