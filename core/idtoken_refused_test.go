package authgear_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
)

// A bad ID token changes nothing; only the reason is kept. The request still
// belongs to the user of its access token.
func TestIDTokenRefused(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	bob := s.server.AddUser(authgeartest.User{})
	endpoint := s.server.Endpoint()
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }

	good := s.idToken(nil, nil)
	parts := strings.Split(good, ".")
	decode := func(part string) string {
		b, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var header struct{ Kid string }
	if err := json.Unmarshal([]byte(decode(parts[0])), &header); err != nil {
		t.Fatal(err)
	}
	// Another project with the same endpoint and user, but with other keys.
	other := authgeartest.New(t, authgeartest.Config{Endpoint: endpoint})
	other.AddUser(authgeartest.User{ID: s.alice, Verified: true, Roles: []string{"editor"}})
	twice := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(decode(parts[1]), "{", `{"sub":"`+bob+`",`, 1)))

	for _, c := range []struct {
		name     string
		idTokens []string
		want     authgear.Reason
	}{
		{"typ of an access token", []string{s.idToken(m{"typ": "at+jwt"}, nil)}, authgear.ReasonTokenType},
		{"typ missing", []string{s.idToken(m{"typ": nil}, nil)}, authgear.ReasonTokenType},
		{"typ no string", []string{s.idToken(m{"typ": []string{"JWT"}}, nil)}, authgear.ReasonTokenType},
		{"typ in long", []string{s.idToken(m{"typ": "application/jwt"}, nil)}, authgear.ReasonTokenType},
		{"typ of a stranger's choice", []string{s.idToken(m{"typ": strings.Repeat("\n\u2028", 1000)}, nil)}, authgear.ReasonTokenType},
		{"the access token itself", []string{s.access}, authgear.ReasonTokenType},
		{"another access token", []string{s.server.AccessToken(s.alice, authgeartest.Token{AuthTime: s.lately})}, authgear.ReasonTokenType},
		{"an access token that calls itself JWT", []string{s.server.AccessToken(s.alice, authgeartest.Token{AuthTime: s.lately, Header: m{"typ": "JWT"}})}, authgear.ReasonAudienceMismatch},
		{"a client's own token", []string{s.server.ClientToken("spa", "https://api.example.com")}, authgear.ReasonTokenType},

		{"alg none", []string{s.idToken(m{"alg": "none"}, nil)}, authgear.ReasonTokenAlgorithm},
		{"alg HS256", []string{s.idToken(m{"alg": "HS256"}, nil)}, authgear.ReasonTokenAlgorithm},
		{"alg RS512", []string{s.idToken(m{"alg": "RS512"}, nil)}, authgear.ReasonTokenAlgorithm},
		{"alg missing", []string{s.idToken(m{"alg": nil}, nil)}, authgear.ReasonTokenAlgorithm},
		{"crit", []string{s.idToken(m{"crit": []string{"x"}, "x": 1}, nil)}, authgear.ReasonTokenMalformed},
		{"b64", []string{s.idToken(m{"b64": true}, nil)}, authgear.ReasonTokenMalformed},
		{"zip", []string{s.idToken(m{"zip": "DEF"}, nil)}, authgear.ReasonTokenMalformed},
		{"kid missing", []string{s.idToken(m{"kid": nil}, nil)}, authgear.ReasonTokenMalformed},

		{"another user's", []string{s.server.IDToken(bob, "spa", authgeartest.Token{AuthTime: s.lately})}, authgear.ReasonClaimsInvalid},
		{"sub missing", []string{s.idToken(nil, m{"sub": nil})}, authgear.ReasonClaimsInvalid},
		{"sub in upper case", []string{s.idToken(nil, m{"sub": strings.ToUpper(s.alice)})}, authgear.ReasonClaimsInvalid},
		{"sub of a client", []string{s.idToken(nil, m{"sub": "client_id_spa"})}, authgear.ReasonClaimsInvalid},

		{"aud another client", []string{s.server.IDToken(s.alice, "third-party", authgeartest.Token{AuthTime: s.lately})}, authgear.ReasonAudienceMismatch},
		{"aud in upper case", []string{s.idToken(nil, m{"aud": "SPA"})}, authgear.ReasonAudienceMismatch},
		{"aud two clients, both allowed", []string{s.idToken(nil, m{"aud": []string{"spa", "app"}})}, authgear.ReasonAudienceMismatch},
		{"aud twice the same", []string{s.idToken(nil, m{"aud": []string{"spa", "spa"}})}, authgear.ReasonAudienceMismatch},
		{"aud a client and the endpoint", []string{s.idToken(nil, m{"aud": []string{"spa", endpoint}})}, authgear.ReasonAudienceMismatch},
		{"aud the endpoint", []string{s.idToken(nil, m{"aud": endpoint})}, authgear.ReasonAudienceMismatch},
		{"aud of a stranger's choice", []string{s.idToken(nil, m{"aud": strings.Repeat("\u2028", 1000)})}, authgear.ReasonAudienceMismatch},
		{"aud missing", []string{s.idToken(nil, m{"aud": nil})}, authgear.ReasonAudienceMismatch},
		{"aud an empty list", []string{s.idToken(nil, m{"aud": []string{}})}, authgear.ReasonAudienceMismatch},
		{"aud empty", []string{s.idToken(nil, m{"aud": ""})}, authgear.ReasonAudienceMismatch},
		{"aud a number", []string{s.idToken(nil, m{"aud": 1})}, authgear.ReasonClaimsInvalid},

		{"iss another project", []string{s.idToken(nil, m{"iss": "https://other.authgear.cloud"})}, authgear.ReasonIssuerMismatch},
		{"iss with a slash", []string{s.idToken(nil, m{"iss": endpoint + "/"})}, authgear.ReasonIssuerMismatch},
		{"iss of a stranger's choice", []string{s.idToken(nil, m{"iss": strings.Repeat("\u2028", 1000)})}, authgear.ReasonIssuerMismatch},
		{"iss missing", []string{s.idToken(nil, m{"iss": nil})}, authgear.ReasonClaimsInvalid},

		{"expired", []string{s.idToken(nil, m{"exp": in(-20 * time.Second)})}, authgear.ReasonTokenExpired},
		{"exp missing", []string{s.idToken(nil, m{"exp": nil})}, authgear.ReasonClaimsInvalid},
		{"exp a string", []string{s.idToken(nil, m{"exp": "4102444800"})}, authgear.ReasonClaimsInvalid},
		{"nbf in the future", []string{s.idToken(nil, m{"nbf": in(10 * time.Minute)})}, authgear.ReasonTokenNotYetValid},
		{"iat in the future", []string{s.idToken(nil, m{"iat": in(10 * time.Minute)})}, authgear.ReasonTokenNotYetValid},

		{"auth_time missing", []string{s.idToken(nil, m{"auth_time": nil})}, authgear.ReasonClaimsInvalid},
		{"auth_time a string", []string{s.idToken(nil, m{"auth_time": "1795470161"})}, authgear.ReasonClaimsInvalid},
		{"auth_time 0", []string{s.idToken(nil, m{"auth_time": 0})}, authgear.ReasonClaimsInvalid},
		{"auth_time in milliseconds", []string{s.idToken(nil, m{"auth_time": s.lately.UnixMilli()})}, authgear.ReasonClaimsInvalid},
		{"a claim twice", []string{parts[0] + "." + twice + "." + parts[2]}, authgear.ReasonClaimsInvalid},
		{"a member of a claim twice", []string{s.idToken(nil, m{"x": json.RawMessage(`{"y":1,"y":2}`)})}, authgear.ReasonClaimsInvalid},

		{"an unknown key, long ago", []string{s.idToken(m{"kid": "x\n"}, m{"iat": in(-10 * time.Minute)})}, authgear.ReasonKeyUnknown},
		{"an unknown key, just now", []string{s.idToken(m{"kid": "x\n"}, nil)}, authgear.ReasonKeysUnavailable},
		{"another project's key", []string{other.IDToken(s.alice, "spa", authgeartest.Token{AuthTime: s.lately, Header: m{"kid": header.Kid}})}, authgear.ReasonSignatureInvalid},
		{"another token's signature", []string{strings.Join([]string{parts[0], parts[1], strings.Split(s.access, ".")[2]}, ".")}, authgear.ReasonSignatureInvalid},

		{"two headers", []string{good, good}, authgear.ReasonRequestMalformed},
		{"a good one and an empty one", []string{good, ""}, authgear.ReasonRequestMalformed},
		{"an empty one and a good one", []string{"", good}, authgear.ReasonRequestMalformed},
		{"two in one header", []string{good + ", " + good}, authgear.ReasonTokenMalformed},
		{"as large as it may be", []string{strings.Repeat("x", 16<<10)}, authgear.ReasonTokenOpaque},
		{"a byte too large", []string{strings.Repeat("x", 16<<10+1)}, authgear.ReasonTokenTooLarge},
		{"too large", []string{s.idToken(nil, m{"x": strings.Repeat("x", 16<<10)})}, authgear.ReasonTokenTooLarge},
		{"with a scheme", []string{"Bearer " + good}, authgear.ReasonTokenMalformed},
		{"padded", []string{good + "=="}, authgear.ReasonTokenMalformed},
		{"without signature", []string{parts[0] + "." + parts[1] + "."}, authgear.ReasonTokenMalformed},
		{"opaque", []string{"AFb5i1MATYVeKOJg5EybeFqhuRBiBH7C"}, authgear.ReasonTokenOpaque},
		{"garbage", []string{"a b\u2028"}, authgear.ReasonTokenMalformed},
		{"what JavaScript writes for none", []string{"undefined"}, authgear.ReasonTokenMalformed},
	} {
		t.Run(c.name, func(t *testing.T) { // not parallel: it would wait for other tests while its token gets old
			identity, err := s.auth(t, authgear.JWTConfig{}).Authenticate(contextkey.WithFresh(t.Context()), beside(s.access, c.idTokens...))
			if err != nil {
				t.Fatal(err, errors.Unwrap(err))
			}
			if identity.ID != s.alice || !identity.AuthenticatedAt.Equal(s.before) {
				t.Errorf("identity = %+v, want that of the access token", identity)
			}
			refused := authgear.IDTokenRefused(identity)
			if refused == nil {
				t.Fatal("nobody knows why the ID token does not count")
			}
			if refused.Reason != c.want {
				t.Errorf("refused by %v: %v, want %s", refused, refused.Err, c.want)
			}
			if unavailable := refused.Outcome() == authgear.OutcomeUnavailable; unavailable != (c.want == authgear.ReasonKeysUnavailable) {
				t.Errorf("the outcome of %v is %v", refused, refused.Outcome())
			}
			text := refused.Err.Error()
			if !strings.HasPrefix(text, "the ID token in X-ID-Token: ") || len(text) > 400 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("text = %q", text)
			}
			for _, secret := range append(c.idTokens, s.alice, bob, s.access) {
				if secret != "" && secret != "undefined" && strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
					t.Errorf("%q is in the text %q", secret, text)
				}
			}
		})
	}
}
