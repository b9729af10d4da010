package authgeartest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// refreshLifetime is the lifetime of a refresh token.
const refreshLifetime = 30 * 24 * time.Hour

// verifierPattern is the pattern of a code verifier (RFC 7636 §4.1).
var verifierPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

var errInvalidCode = &failure{code: "invalid_grant", description: "invalid authorization code"}

// grantByCode exchanges an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5).
// A code can be used once. The caller holds s.mu.
func (s *Server) grantByCode(client *Client, secret string, form url.Values) (tokens, *failure) {
	grant := s.codes[form.Get("code")]
	if grant == nil || !s.now().Before(grant.expires) || grant.clientID != client.ID {
		return nil, errInvalidCode
	}
	if grant.redirectURI != form.Get("redirect_uri") {
		return nil, &failure{code: "invalid_request", description: "invalid redirect URI"}
	}
	verifier, challenge := form.Get("code_verifier"), grant.challenge
	if verifier != "" && !verifierPattern.MatchString(verifier) {
		return nil, &failure{code: "invalid_request", description: "PKCE code verifier is not 43 to 128 unreserved characters"}
	}
	if sum := sha256.Sum256([]byte(verifier)); (verifier != "" || challenge != "") && base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
		return nil, errInvalidCode
	}
	if f := client.checkSecret(secret); f != nil {
		return nil, f
	}
	if !s.maySignIn(grant.userID) {
		return nil, errInvalidCode
	}
	delete(s.codes, form.Get("code"))
	of := s.loginOfCode(grant)
	issued := s.issue(of, client, Token{Scopes: grant.scopes})
	if slices.Contains(grant.scopes, "offline_access") {
		issued["refresh_token"] = s.refreshToken(of)
	}
	claims := s.user(of.userID).personal(client, grant.scopes)
	if grant.nonce != "" {
		claims["nonce"] = grant.nonce
	}
	issued["id_token"] = s.idToken(of, Token{Claims: claims})
	return issued, nil
}

// loginOfCode returns a new login. If id_token_hint named a login by tokens and no refresh
// token is asked for, it returns that login. The caller holds s.mu.
func (s *Server) loginOfCode(grant *code) *login {
	if hint := grant.hint; hint != nil && !hint.browser {
		if grant.authTime.After(hint.authTime) {
			s.renew(hint, grant.authTime)
		}
		if !slices.Contains(grant.scopes, "offline_access") {
			return hint
		}
	}
	of := s.newLogin(grant.userID, Token{ClientID: grant.clientID, Scopes: grant.scopes, AuthTime: grant.authTime})
	if grant.browser != nil && grant.sso {
		of.sso = grant.browser.sso
	}
	return of
}

// refreshToken makes a refresh token. The caller holds s.mu.
func (s *Server) refreshToken(of *login) string {
	return s.start(kindRefresh, of, of.id+".", refreshLifetime)
}

var errInvalidRefreshToken = &failure{code: "invalid_grant", description: "invalid refresh token"}

// grantByRefresh grants tokens for a refresh token (RFC 6749 §6), which stays the same.
// The caller holds s.mu.
func (s *Server) grantByRefresh(client *Client, secret, token string) (tokens, *failure) {
	if f := client.checkSecret(secret); f != nil {
		return nil, f
	}
	of := s.loginBy(token, kindRefresh)
	if of == nil {
		return nil, errInvalidRefreshToken
	}
	if of.clientID != client.ID {
		return nil, &failure{code: "invalid_request", description: "client id doesn't match the refresh token"}
	}
	issued := s.issue(of, client, Token{NoAMR: true})
	issued["id_token"] = s.idToken(of, Token{NoAMR: true, Claims: s.user(of.userID).personal(client, of.scopes)})
	return issued, nil
}

// grantIDToken grants a new ID token for the request's session, as the web SDK asks for
// after a reauthentication. The caller holds s.mu.
func (s *Server) grantIDToken(client *Client, r *http.Request) (tokens, *failure) {
	if client.confidential() {
		return nil, &failure{code: "unauthorized_client", description: "this client may not refresh id token"}
	}
	found, outcome := s.resolve(r)
	if outcome != resolvedSession {
		return nil, &failure{code: "invalid_grant", description: "valid session is required", status: http.StatusUnauthorized}
	}
	as := *found.session.login
	as.clientID = client.ID
	return tokens{"id_token": s.idToken(&as, Token{NoAMR: true})}, nil
}

// grantToMachine is the client credentials grant (RFC 6749 §4.4) for a resource (RFC 8707).
// The caller holds s.mu.
func (s *Server) grantToMachine(client *Client, secret string, form url.Values) (tokens, *failure) {
	if f := client.checkSecret(secret); f != nil {
		return nil, f
	}
	resource, asked := form.Get("resource"), strings.Fields(form.Get("scope"))
	allowed, known := client.Resources[resource]
	u, err := url.Parse(resource)
	switch {
	case strings.HasPrefix(resource, s.Endpoint()):
		return nil, &failure{code: "invalid_target", description: "resource URI must not be a prefixed by authgear endpoint"}
	case !client.open && !known, err != nil, u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "":
		return nil, &failure{code: "invalid_target", description: "resource not found"}
	}
	if client.open {
		allowed = asked
	}
	for _, scope := range asked {
		if !slices.Contains(allowed, scope) {
			return nil, &failure{code: "invalid_scope", description: "specified scope is not allowed: " + scope}
		}
	}
	if len(asked) == 0 {
		asked = allowed
	}
	return tokens{
		"access_token": s.clientToken(client.ID, resource, asked),
		"expires_in":   int(s.lifetime.Seconds()),
		"scope":        strings.Join(asked, " "),
		"token_type":   "Bearer",
	}, nil
}
