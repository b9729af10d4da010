package authgeartest

import "net/http"

// discovery answers at both well-known addresses.
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	origin := s.Endpoint()
	writeJSON(w, map[string]any{
		"authorization_endpoint": origin + "/oauth2/authorize",
		"claims_supported": []string{
			"iss", "aud", "iat", "exp", "sub", "email", "email_verified", "phone_number", "phone_number_verified",
			"preferred_username", "family_name", "given_name", "middle_name", "name", "nickname", "picture", "profile",
			"website", "gender", "birthdate", "zoneinfo", "locale", "address", "updated_at",
		},
		"code_challenge_methods_supported":      []string{"S256"},
		"dpop_signing_alg_values_supported":     []string{"ES256", "RS256"},
		"end_session_endpoint":                  origin + "/oauth2/end_session",
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "client_credentials"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"issuer":                                origin,
		"jwks_uri":                              origin + "/oauth2/jwks",
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"response_types_supported":              []string{"code", "urn:authgear:params:oauth:response-type:settings-action", "none"},
		"revocation_endpoint":                   origin + "/oauth2/revoke",
		"scopes_supported": []string{
			"offline_access", "device_sso", "openid", "profile", "email", "address", "phone", scopeFullAccess,
			"https://authgear.com/scopes/full-userinfo", "https://authgear.com/scopes/pre-authenticated-url",
		},
		"subject_types_supported":               []string{"public"},
		"token_endpoint":                        origin + "/oauth2/token",
		"token_endpoint_auth_methods_supported": []string{"none", "client_secret_post", "client_secret_basic"},
		"userinfo_endpoint":                     origin + "/oauth2/userinfo",
	})
}
