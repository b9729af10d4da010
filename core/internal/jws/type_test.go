package jws_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/jws"
)

func idTokens() *jws.Parser { return &jws.Parser{Type: jws.IDToken} }

// A parser of ID tokens accepts a recorded ID token, signed with the same key as access
// tokens. It accepts no access token.
func TestIDTokenRecorded(t *testing.T) {
	token, err := idTokens().Parse(recorded(t, "id"))
	if err != nil {
		t.Fatal(err)
	}
	if token.KeyID != "573ed57d-b8b1-46fb-b339-6188839e558e" || !strings.HasPrefix(string(token.Payload), "{") {
		t.Errorf("KeyID = %q, Payload = %q", token.KeyID, token.Payload)
	}
	if err := token.Verify(recordedKey(t)); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"user", "client", "hook"} {
		if _, err := idTokens().Parse(recorded(t, name)); !errors.Is(err, jws.ErrType) {
			t.Errorf("%s: err = %v, want ErrType", name, err)
		}
	}
}

// An ID token's typ is JWT. All other rules are as strict as for an access token.
func TestIDTokenHeader(t *testing.T) {
	header := func(typ string) string { return `{"alg":"RS256","kid":"k1","typ":` + typ + `}` }
	with := func(member string) string { return `{"alg":"RS256","kid":"k1","typ":"JWT",` + member + `}` }
	for _, c := range []struct {
		name, source, header string
		want                 error
	}{
		{"plain", "Authgear", header(`"JWT"`), nil},
		{"typ in lower case", "RFC 2045 §5.1", header(`"jwt"`), nil},
		{"typ escaped", "RFC 7515 §5.3", header(`"\u004aWT"`), nil},
		{"unknown member", "RFC 7515 §4", with(`"x":[1]`), nil},
		{"jwk", "RFC 8725 §3.10", with(`"jwk":{"kty":"RSA"}`), nil},

		{"typ missing", "RFC 8725 §3.11", `{"alg":"RS256","kid":"k1"}`, jws.ErrType},
		{"typ null", "RFC 8725 §3.11", header(`null`), jws.ErrType},
		{"typ empty", "RFC 8725 §3.11", header(`""`), jws.ErrType},
		{"typ an array", "RFC 8725 §3.11", header(`["JWT"]`), jws.ErrType},
		{"typ at+jwt", "RFC 9068 §4", header(`"at+jwt"`), jws.ErrType},
		{"typ application/at+jwt", "RFC 9068 §4", header(`"application/at+jwt"`), jws.ErrType},
		{"typ application/jwt", "Authgear", header(`"application/jwt"`), jws.ErrType},
		{"typ of logout", "RFC 8725 §3.11", header(`"logout+jwt"`), jws.ErrType},
		{"typ with a space", "Authgear", header(`"JWT "`), jws.ErrType},

		{"alg none", "RFC 8725 §3.2", `{"alg":"none","kid":"k1","typ":"JWT"}`, jws.ErrAlgorithm},
		{"alg HS256", "RFC 8725 §2.1", `{"alg":"HS256","kid":"k1","typ":"JWT"}`, jws.ErrAlgorithm},
		{"crit", "RFC 7515 §4.1.11", with(`"crit":["x"]`), jws.ErrMalformed},
		{"b64", "RFC 7797 §3", with(`"b64":true`), jws.ErrMalformed},
		{"zip", "RFC 7516 §4.1.3", with(`"zip":"DEF"`), jws.ErrMalformed},
		{"typ twice", "RFC 7515 §4", with(`"typ":"JWT"`), jws.ErrMalformed},
		{"kid missing", "RFC 7515 §4.1.4", `{"alg":"RS256","typ":"JWT"}`, jws.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := idTokens().Parse(compact(c.header)); !errors.Is(err, c.want) {
				t.Errorf("%s: err = %v, want %v", c.source, err, c.want)
			}
		})
	}
	for header, want := range map[string]string{
		goodHeader:                   `token is of another type: typ is "at+jwt", not JWT`,
		`{"alg":"RS256","kid":"k1"}`: `token is of another type: typ is missing or not a string`,
	} {
		if _, err := idTokens().Parse(compact(header)); err == nil || err.Error() != want {
			t.Errorf("err = %v, want %s", err, want)
		}
	}
}

// A header that one parser has accepted is not accepted by a parser of the other type.
func TestIDTokenParserRemembersItsOwn(t *testing.T) {
	t.Parallel()
	access, id := new(jws.Parser), idTokens()
	idHeader := `{"alg":"RS256","kid":"k1","typ":"JWT"}`
	for range 2 { // read, then remembered
		for _, c := range []struct {
			parser *jws.Parser
			header string
			want   error
		}{{access, goodHeader, nil}, {id, idHeader, nil}, {access, idHeader, jws.ErrType}, {id, goodHeader, jws.ErrType}} {
			if _, err := c.parser.Parse(compact(c.header)); !errors.Is(err, c.want) {
				t.Errorf("%v of %s: err = %v, want %v", c.parser.Type, c.header, err, c.want)
			}
		}
	}
}
