package authgeartest

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Where Authgear's credentials have random characters, these ones encode their user,
// client, login and expiry. So a server that is started again with the same seed knows the
// credentials from before.

// seal makes the 32 characters of an opaque token, a refresh token or a cookie:
// user 3 bytes, client 2, time of the login 4, expiry 4, scopes 1, random 3, MAC 6. The
// caller holds s.mu.
func (s *Server) seal(kind sessionKind, of *login, expires time.Time) string {
	var b sealed
	copy(b[0:3], s.short("user", of.userID))
	copy(b[3:5], s.short("client", of.clientID))
	binary.BigEndian.PutUint32(b[5:], uint32(of.authTime.Unix()))
	binary.BigEndian.PutUint32(b[9:], uint32(expires.Unix()))
	for i, scope := range allowedScopes {
		if slices.Contains(of.scopes, scope) {
			b[13] |= 1 << i
		}
	}
	_, _ = rand.Read(b[14:17])
	copy(b[17:], s.sealOf(kind, of.id, b[:17]))
	return b.text()
}

// sealed holds the bytes of a seal. Their text is 32 characters of base 62.
type sealed [23]byte

func (b sealed) text() string {
	text := new(big.Int).SetBytes(b[:]).Text(62)
	return strings.Repeat("0", 32-len(text)) + text
}

// short returns a short hash of an ID, by which unseal finds the user or the client.
func (s *Server) short(purpose, id string) []byte {
	sum := s.seed.derive(purpose, id)
	return sum[:3]
}

// sealOf returns the MAC of the first bytes of a seal and of the login's ID. It leaves out
// the ID for an opaque token, which does not name its login.
func (s *Server) sealOf(kind sessionKind, loginID string, said []byte) []byte {
	if kind == kindOpaque {
		loginID = ""
	}
	sum := s.seed.derive("seal", int(kind), loginID, said)
	return sum[:6]
}

// jti returns the jti of a new JWT. It has the login's ID in it.
func (s *Server) jti(of *login) string {
	id, _ := hex.DecodeString(strings.ReplaceAll(of.id, "-", ""))
	id = append(id, make([]byte, 8)...)
	_, _ = rand.Read(id[16:])
	sum := s.seed.derive("jti", id)
	return hex.EncodeToString(append(id, sum[:8]...))
}

// find returns the session of a credential, nil if there is none. The caller holds s.mu.
func (s *Server) find(credential string) *session {
	if found := s.sessions[credential]; found != nil || !s.lasting || s.ended[credential] {
		return found
	}
	if strings.Count(credential, ".") == 2 {
		return s.unsealJWT(credential)
	}
	id, text, ok := strings.Cut(credential, ".")
	if !ok {
		return s.unseal(credential, kindOpaque, newUUID(), credential)
	}
	if found := s.unseal(credential, kindRefresh, id, text); found != nil {
		return found
	}
	return s.unseal(credential, kindCookie, id, text)
}

// unseal reads what seal made. The caller holds s.mu.
func (s *Server) unseal(credential string, kind sessionKind, loginID, text string) *session {
	n, ok := new(big.Int).SetString(text, 62)
	var b sealed
	if !ok || n.BitLen() > 8*len(b) {
		return nil
	}
	n.FillBytes(b[:])
	if b.text() != text || !hmac.Equal(b[17:], s.sealOf(kind, loginID, b[:17])) {
		return nil
	}
	of := &login{id: loginID, browser: kind == kindCookie, clientID: s.names[string(b[3:5])]}
	for id := range s.users {
		if string(s.short("user", id)) == string(b[:3]) {
			of.userID = id
		}
	}
	of.authTime = time.Unix(int64(binary.BigEndian.Uint32(b[5:])), 0)
	for i, scope := range allowedScopes {
		if b[13]&(1<<i) != 0 {
			of.scopes = append(of.scopes, scope)
		}
	}
	if of.browser {
		of.sso = loginID
	}
	return s.again(credential, kind, of, time.Unix(int64(binary.BigEndian.Uint32(b[9:])), 0))
}

// unsealJWT reads an access token of this server. The caller holds s.mu.
func (s *Server) unsealJWT(credential string) *session {
	claims, header := s.verified(credential, "at+jwt")
	jti, _ := claims["jti"].(string)
	id, err := hex.DecodeString(jti)
	if err != nil || len(id) != 32 {
		return nil
	}
	if sum := s.seed.derive("jti", id[:24]); !hmac.Equal(id[24:], sum[:8]) {
		return nil
	}
	text := func(name string) string { v, _ := claims[name].(string); return v }
	number := func(name string) time.Time { v, _ := claims[name].(float64); return time.Unix(int64(v), 0) }
	found := s.again(credential, kindJWT, &login{
		id: formatUUID([16]byte(id)), userID: text("sub"), clientID: text("client_id"),
		authTime: number("auth_time"), scopes: strings.Fields(text("scope")),
	}, number("exp"))
	if found != nil {
		found.header, found.claims = header, claims
	}
	return found
}

// again remembers a credential from before the start. It returns nil if the login has
// ended or the user is gone. The caller holds s.mu.
func (s *Server) again(credential string, kind sessionKind, of *login, expires time.Time) *session {
	if s.users[of.userID] == nil || s.ended[of.id] || !of.authTime.After(s.signedOut[of.userID]) {
		return nil
	}
	for _, session := range s.sessions {
		if session.id == of.id {
			of = session.login
		}
	}
	found := &session{kind: kind, login: of, expires: expires}
	s.remember(strings.Clone(credential), found) // a copy, so that the rest of the header is not kept
	return found
}

// verified reads a token that is signed with a published key, even if it has expired. It
// returns nil for any other text. The caller holds s.mu.
func (s *Server) verified(token, typ string) (claims, header map[string]any) {
	read := jwt.MapClaims{}
	parsed, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation()).
		ParseWithClaims(token, read, func(t *jwt.Token) (any, error) {
			i := slices.IndexFunc(s.keys, func(k *signingKey) bool { return k.id == t.Header["kid"] })
			if i < 0 || t.Header["typ"] != typ {
				return nil, jwt.ErrTokenUnverifiable
			}
			return &s.keys[i].private.PublicKey, nil
		})
	if err != nil {
		return nil, nil
	}
	return read, parsed.Header
}
