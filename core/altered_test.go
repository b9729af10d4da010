package authgear_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Altered copies of a recorded token are refused, each for its own reason.
func TestAlteredTokens(t *testing.T) {
	t.Parallel()
	alice := golden(t, "token-jwt-alice")
	header, rest, _ := strings.Cut(alice.AccessToken.Raw, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	signed := golden(t, "token-jwt-bob").AccessToken.Raw

	headerWith := func(old, new string) string { return replaced(t, header, old, new) + "." + payload + "." + signature }
	payloadWith := func(old, new string) string { return header + "." + replaced(t, payload, old, new) + "." + signature }
	client := strings.Split(golden(t, "token-m2m-jwt").AccessToken.Raw, ".")
	clientWith := func(oldNew ...string) string {
		payload := client[1]
		for i := 0; i < len(oldNew); i += 2 {
			payload = replaced(t, payload, oldNew[i], oldNew[i+1])
		}
		return client[0] + "." + payload + "." + client[2]
	}
	const sub = `"sub":"66a95b0e-8068-40d1-8b5c-a15f18254225"`

	for _, c := range []struct {
		name, token string
		want        authgear.Reason
	}{
		{"alg none", headerWith(`"RS256"`, `"none"`), authgear.ReasonTokenAlgorithm},
		{"typ JWT", headerWith(`"at+jwt"`, `"JWT"`), authgear.ReasonTokenType},
		{"crit", headerWith(`{`, `{"crit":["exp"],`), authgear.ReasonTokenMalformed},
		{"another key", headerWith(`573ed57d`, `573ed57e`), authgear.ReasonKeyUnknown},
		{"a jwk in the header is ignored", headerWith(`{`, `{"jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"},`), authgear.ReasonSignatureInvalid},
		{"another subject", payloadWith(sub, `"sub":"66a95b0e-8068-40d1-8b5c-a15f18254226"`), authgear.ReasonSignatureInvalid},
		{"two subjects", payloadWith(sub, sub+`,`+sub), authgear.ReasonClaimsInvalid},
		{"SUB is some other claim", payloadWith(sub, sub+`,"SUB":"x"`), authgear.ReasonSignatureInvalid},
		{"a client's own subject with user claims", payloadWith(sub, `"sub":"client_id_spa-jwt"`), authgear.ReasonClaimsInvalid},
		{"a client's own subject of another client", clientWith(`"client_id_m2m-jwt"`, `"client_id_x"`), authgear.ReasonClaimsInvalid},
		{"a client's own subject without client", clientWith(`"client_id":"m2m-jwt",`, ``, `"client_id_m2m-jwt"`, `"client_id_"`), authgear.ReasonClaimsInvalid},
		{"another issuer", payloadWith(`"iss":"http://localhost:3100"`, `"iss":"http://localhost:3100/"`), authgear.ReasonIssuerMismatch},
		{"another audience", payloadWith(`"aud":["http://localhost:3100"]`, `"aud":["http://localhost:3101"]`), authgear.ReasonAudienceMismatch},
		{"audience as a string", payloadWith(`"aud":["http://localhost:3100"]`, `"aud":"http://localhost:3100"`), authgear.ReasonSignatureInvalid},
		{"no audience", payloadWith(`"aud":["http://localhost:3100"],`, ``), authgear.ReasonAudienceMismatch},
		{"not before tomorrow", payloadWith(sub, sub+`,"nbf":1795570161`), authgear.ReasonTokenNotYetValid},
		{"somebody else's signature", header + "." + payload + signed[strings.LastIndexByte(signed, '.'):], authgear.ReasonSignatureInvalid},
		{"no signature", header + "." + payload + ".", authgear.ReasonTokenMalformed},
		{"empty", "", authgear.ReasonNoCredentials},
		{"too large", strings.Repeat("a", 16<<10+1), authgear.ReasonTokenTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at(t, alice.RecordedAt.Add(2*time.Minute), func(t *testing.T) { // no longer too new for an unknown key
				identity, err := live(t, "jwks", authgear.JWTConfig{}).Verify(t.Context(), c.token)
				wantReason(t, err, c.want)
				if identity != nil {
					t.Errorf("identity = %+v beside the error", identity)
				}
			})
		})
	}
}

// replaced returns a part of a token with old replaced in what it encodes.
func replaced(t *testing.T, part, old, new string) string {
	t.Helper()
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(decoded), old) {
		t.Fatalf("%q is not in %s", old, decoded)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(decoded), old, new, 1)))
}

func TestClientIDs(t *testing.T) {
	t.Parallel()
	alice := golden(t, "token-jwt-alice")
	at(t, alice.RecordedAt, func(t *testing.T) {
		ids := []string{"other", "spa-jwt"}
		auth := live(t, "jwks", authgear.JWTConfig{ClientIDs: ids})
		ids[1] = "another" // the list belongs to the caller
		if _, err := auth.Verify(t.Context(), alice.AccessToken.Raw); err != nil {
			t.Error(err)
		}
		_, err := live(t, "jwks", authgear.JWTConfig{ClientIDs: []string{"other"}}).Verify(t.Context(), alice.AccessToken.Raw)
		wantReason(t, err, authgear.ReasonClientNotAllowed)
	})
}
