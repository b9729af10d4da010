package authgeartest

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	scopeFullAccess = "https://authgear.com/scopes/full-access"
	claimPrefix     = "https://authgear.com/claims/user/"

	idTokenLifetime = 5 * time.Minute
	sessionLifetime = 24 * time.Hour
)

// Token changes what a credential says. Its zero value is that of a login just
// now with the project's own single-page app.
type Token struct {
	// ClientID is the OAuth client. For a session, [Server.Reauthenticate] makes
	// the ID token for this client. Empty: "spa".
	ClientID string
	// Scopes are the granted scopes. nil: openid, offline_access and
	// https://authgear.com/scopes/full-access.
	Scopes []string
	// AuthTime is the time of the login. Zero: now.
	AuthTime time.Time
	// ExpiresIn is the credential's lifetime. A negative one makes a credential
	// that has expired already. 0: [Config].Lifetime for access tokens, five
	// minutes for ID tokens, a day for cookies.
	ExpiresIn time.Duration
	// NoAMR leaves the amr claim out, as a refresh does.
	NoAMR bool
	// Claims are added to a JWT, and replace claims of the same name. A nil value
	// removes a claim.
	Claims map[string]any
	// Header is the same for a JWT's header.
	Header map[string]any
}

type sessionKind int

const (
	kindJWT sessionKind = iota
	kindOpaque
	kindCookie
	kindAppSession
	kindRefresh
)

// session is a credential of a login and what the server remembers of it.
type session struct {
	kind sessionKind
	*login
	expires time.Time

	// Only for a JWT, as decoded from JSON.
	header, claims map[string]any
}

// start makes a credential that begins with begins, and its session. The caller holds s.mu.
func (s *Server) start(kind sessionKind, of *login, begins string, lifetime time.Duration) string {
	expires := s.now().Add(lifetime)
	credential := begins + s.seal(kind, of, expires)
	for s.sessions[credential] != nil { // of an opaque token only three bytes are random
		credential = begins + s.seal(kind, of, expires)
	}
	s.remember(credential, &session{kind: kind, login: of, expires: expires})
	return credential
}

// remember stores the session of a credential. The caller holds s.mu.
func (s *Server) remember(credential string, of *session) {
	put(s.sessions, credential, of, func(old *session) bool { return !s.now().Before(old.expires) })
}

func (t Token) authTime(now time.Time) time.Time {
	if t.AuthTime.IsZero() {
		return now
	}
	return t.AuthTime
}

// scopes returns the scopes of a token. They may differ from those of its login.
func (t Token) scopes(of *login) []string {
	if t.Scopes == nil {
		return of.scopes
	}
	return t.Scopes
}

func (t Token) lifetime(usual time.Duration) time.Duration {
	if t.ExpiresIn == 0 {
		return usual
	}
	return t.ExpiresIn
}

func first(tokens []Token) Token {
	if len(tokens) == 0 {
		return Token{}
	}
	return tokens[0]
}

// AccessToken mints a JWT access token in a new session of a user. At most one
// [Token] is used.
func (s *Server) AccessToken(userID string, token ...Token) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accessToken(s.newLogin(userID, first(token)), first(token))
}

// accessToken mints a JWT of a login. User and time are taken from the login, not from the
// Token. The caller holds s.mu.
func (s *Server) accessToken(of *login, t Token) string {
	now := s.now()
	t.AuthTime = of.authTime
	claims := s.user(of.userID).claims(t, s.Endpoint(), now)
	claims["aud"] = []string{s.Endpoint()}
	claims["client_id"] = of.clientID
	claims["exp"] = now.Add(t.lifetime(s.lifetime)).Unix()
	claims["jti"] = s.jti(of)
	claims["scope"] = strings.Join(t.scopes(of), " ")
	change(claims, t.Claims)

	header := s.header("at+jwt")
	change(header, t.Header)
	signed := s.sign(header, claims)

	s.remember(signed, &session{
		kind: kindJWT, login: of, expires: now.Add(t.lifetime(s.lifetime)),
		header: throughJSON(header), claims: throughJSON(claims),
	})
	return signed
}

// IDToken mints an ID token of a user for a client. It is not accepted as an
// access token anywhere. At most one [Token] is used; its Scopes do not count,
// and its ClientID counts only if client is empty.
func (s *Server) IDToken(userID, client string, token ...Token) string {
	t := first(token)
	if client != "" {
		t.ClientID = client
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.idToken(s.newLogin(userID, t), t)
}

// idToken mints an ID token of a login. The caller holds s.mu.
func (s *Server) idToken(of *login, t Token) string {
	now := s.now()
	t.AuthTime = of.authTime
	claims := s.user(of.userID).claims(t, s.Endpoint(), now)
	claims["aud"] = []string{of.clientID}
	claims["exp"] = now.Add(t.lifetime(idTokenLifetime)).Unix()
	claims["sid"] = of.sid()
	change(claims, t.Claims)
	header := s.header("JWT")
	change(header, t.Header)
	return s.sign(header, claims)
}

// ClientToken mints a client's own access token (client credentials) for a
// resource URI. The resolver does not accept it.
func (s *Server) ClientToken(clientID, resource string, scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clientToken(clientID, resource, scopes)
}

// clientToken mints a client's own token. The caller holds s.mu.
func (s *Server) clientToken(clientID, resource string, scopes []string) string {
	now := s.now()
	return s.sign(s.header("at+jwt"), map[string]any{
		"aud":       []string{resource},
		"client_id": clientID,
		"exp":       now.Add(s.lifetime).Unix(),
		"iat":       now.Unix(),
		"iss":       s.Endpoint(),
		"jti":       randomHex(32),
		"scope":     strings.Join(scopes, " "),
		"sub":       "client_id_" + clientID,
	})
}

// OpaqueToken mints an opaque access token, 32 letters and digits, in a new
// session of a user. At most one [Token] is used, and only its ClientID, AuthTime
// and ExpiresIn.
func (s *Server) OpaqueToken(userID string, token ...Token) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opaqueToken(s.newLogin(userID, first(token)), first(token))
}

// opaqueToken makes an opaque token of a login. The caller holds s.mu.
func (s *Server) opaqueToken(of *login, t Token) string {
	return s.start(kindOpaque, of, "", t.lifetime(s.lifetime))
}

// SessionCookie makes the cookie of a new session of a user, with the
// attributes that Authgear sets. At most one [Token] is used, and only its
// ClientID, AuthTime and ExpiresIn.
func (s *Server) SessionCookie(userID string, token ...Token) *http.Cookie {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessionCookie(s.newBrowserLogin(userID, first(token)), first(token))
}

// sessionCookie makes the cookie of a browser's session. The caller holds s.mu.
func (s *Server) sessionCookie(of *login, t Token) *http.Cookie {
	cookie := s.cookie(s.endpoint.Scheme == "https")
	cookie.Value = s.start(kindCookie, of, of.id+".", t.lifetime(sessionLifetime))
	cookie.MaxAge = int(t.lifetime(sessionLifetime) / time.Second)
	return cookie
}

// AppSessionCookie makes the app_session cookie of a new session of a user, by
// which mobile apps open web pages. At most one [Token] is used, and only its
// ClientID, AuthTime and ExpiresIn.
func (s *Server) AppSessionCookie(userID string, token ...Token) *http.Cookie {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.appSessionCookie(s.newLogin(userID, first(token)), first(token))
}

// appSessionCookie makes an app_session cookie of a login. The caller holds s.mu.
func (s *Server) appSessionCookie(of *login, t Token) *http.Cookie {
	cookie := s.cookie(s.endpoint.Scheme == "https")
	cookie.Name = "app_session"
	cookie.Value = s.start(kindAppSession, of, "", t.lifetime(sessionLifetime))
	return cookie
}

// cookie returns a session cookie without a value.
func (s *Server) cookie(secure bool) *http.Cookie {
	return &http.Cookie{
		Name: s.cookiePrefix + "session", Path: "/", Domain: s.cookieDomain,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// Sign signs any claims with the key that signs now, for negative tests. The
// header has alg, kid and typ of an access token, unless header says otherwise;
// a nil value removes a member. Sign signs with RS256 whatever alg says. The
// resolver accepts none of these tokens, since no session belongs to them.
func (s *Server) Sign(header, claims map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.header("at+jwt")
	change(full, header)
	if claims == nil {
		claims = map[string]any{}
	}
	return s.sign(full, claims)
}

// claims returns the claims that access tokens and ID tokens of a user share.
func (u *user) claims(t Token, issuer string, now time.Time) map[string]any {
	roles := slices.Clone(u.Roles)
	if roles == nil {
		roles = []string{}
	}
	claims := map[string]any{
		"auth_time":                        t.authTime(now).Unix(),
		"iat":                              now.Unix(),
		"iss":                              issuer,
		"sub":                              u.ID,
		claimPrefix + "can_reauthenticate": u.canReauthenticate(),
		claimPrefix + "is_anonymous":       u.Anonymous,
		claimPrefix + "is_verified":        u.Verified,
		claimPrefix + "roles":              roles,
	}
	if amr := u.amr(); len(amr) > 0 && !t.NoAMR {
		claims["amr"] = amr
	}
	return claims
}

func clientID(id string) string {
	if id == "" {
		return "spa"
	}
	return id
}

// header returns the header of a token that is signed now. The caller holds s.mu.
func (s *Server) header(typ string) map[string]any {
	return map[string]any{"alg": "RS256", "kid": s.keys[0].id, "typ": typ}
}

// change sets members, and removes those whose new value is nil.
func change(members, changes map[string]any) {
	maps.Copy(members, changes)
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
}

// sign makes a compact JWS. The caller holds s.mu.
func (s *Server) sign(header, claims map[string]any) string {
	input := base64.RawURLEncoding.EncodeToString(mustJSON(header)) + "." + base64.RawURLEncoding.EncodeToString(mustJSON(claims))
	signature, err := jwt.SigningMethodRS256.Sign(input, s.keys[0].private)
	if err != nil {
		panic("authgeartest: signing: " + err.Error())
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func mustJSON(v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("authgeartest: header or claims are no JSON: " + err.Error())
	}
	return encoded
}

func throughJSON(members map[string]any) map[string]any {
	var read map[string]any
	if err := json.Unmarshal(mustJSON(members), &read); err != nil {
		panic("authgeartest: " + err.Error())
	}
	return read
}
