package jws_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/jws"
)

const goodHeader = `{"alg":"RS256","kid":"k1","typ":"at+jwt"}`

// compact writes a token with this header, some payload and some signature.
func compact(header string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte("{}")) + "." + encode([]byte("signature"))
}

func TestParseRecorded(t *testing.T) {
	for _, name := range []string{"user", "client", "hook"} {
		t.Run(name, func(t *testing.T) {
			token, err := new(jws.Parser).Parse(recorded(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if token.KeyID != "573ed57d-b8b1-46fb-b339-6188839e558e" {
				t.Errorf("KeyID = %q", token.KeyID)
			}
			if s := string(token.Payload); !strings.HasPrefix(s, `{"a`) || !strings.HasSuffix(s, `"}`) {
				t.Errorf("Payload = %q", s)
			}
		})
	}
}

// An ID token has the same keys and issuer as an access token (RFC 9068 §5).
func TestParseRefusesIDToken(t *testing.T) {
	if _, err := new(jws.Parser).Parse(recorded(t, "id")); !errors.Is(err, jws.ErrType) {
		t.Errorf("err = %v, want ErrType", err)
	}
}

func TestParseForm(t *testing.T) {
	good := compact(goodHeader)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for _, c := range []struct {
		name, source, token string
		want                error
	}{
		{"three parts", "RFC 7515 §3.1", good, nil},
		{"letters and digits only", "Authgear", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", jws.ErrOpaque},
		{"empty", "RFC 7515 §3.1", "", jws.ErrMalformed},
		{"no dot, another alphabet", "Authgear", "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234+", jws.ErrMalformed},
		{"dots only", "RFC 7515 §3.1", "..", jws.ErrMalformed},
		{"two parts", "RFC 7515 §3.1", header + "." + payload, jws.ErrMalformed},
		{"four parts", "RFC 7515 §3.1", good + "." + payload, jws.ErrMalformed},
		{"five parts, encrypted", "RFC 7516 §3.1", good + ".a.b", jws.ErrMalformed},
		{"empty header", "RFC 7515 §4", "." + payload + "." + signature, jws.ErrMalformed},
		{"detached payload", "RFC 7515 appendix F", header + ".." + signature, jws.ErrMalformed},
		{"unsecured", "RFC 7519 §6", header + "." + payload + ".", jws.ErrMalformed},
		{"JSON serialization", "RFC 7515 §7.2", `{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`, jws.ErrMalformed},
		{"JSON serialization around it", "RFC 7515 §7.2", `{"payload":"` + good + `"}`, jws.ErrMalformed},
		{"padding", "RFC 7515 §2", header + "." + payload + "=." + signature, jws.ErrMalformed},
		{"padding, signature", "RFC 7515 §2", good + "==", jws.ErrMalformed},
		{"standard alphabet, plus", "RFC 4648 §5", header + "." + payload + "." + "ab+d", jws.ErrMalformed},
		{"standard alphabet, slash", "RFC 4648 §5", header + "." + payload + "." + "ab/d", jws.ErrMalformed},
		{"LF inside header", "RFC 7515 §2", header[:4] + "\n" + header[4:] + "." + rest, jws.ErrMalformed},
		{"CR inside payload", "RFC 7515 §2", header + ".e\r30." + signature, jws.ErrMalformed},
		{"CRLF inside signature", "RFC 7515 §2", header + "." + payload + "." + signature[:4] + "\r\n" + signature[4:], jws.ErrMalformed},
		{"LF after", "RFC 7515 §2", good + "\n", jws.ErrMalformed},
		{"CR before", "RFC 7515 §2", "\r" + good, jws.ErrMalformed},
		{"space", "RFC 7515 §2", header + ". " + payload + "." + signature, jws.ErrMalformed},
		{"NUL", "RFC 7515 §2", good + "\x00", jws.ErrMalformed},
		{"beyond ASCII", "RFC 7515 §2", good + "é", jws.ErrMalformed},
		{"unused bits of payload", "RFC 4648 §3.5", header + ".e31." + signature, jws.ErrMalformed},
		{"unused bits of signature", "RFC 4648 §3.5", header + "." + payload + ".AB", jws.ErrMalformed},
		{"impossible length", "RFC 4648 §4", header + "." + payload + ".AAAAA", jws.ErrMalformed},
		{"LF only part", "RFC 7515 §2", header + ".\n." + signature, jws.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := new(jws.Parser).Parse(c.token); !errors.Is(err, c.want) {
				t.Errorf("%s: err = %v, want %v", c.source, err, c.want)
			}
		})
	}
}

// TestParseAlphabet tries every byte (RFC 4648 §5).
func TestParseAlphabet(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	header, _, _ := strings.Cut(compact(goodHeader), ".")
	for b := range 256 {
		c := string([]byte{byte(b)})
		for _, token := range []string{
			header + ".AA" + c + "A.AAAA",
			header + ".AAAA.A" + c + "AA",
			header + ".AAAA." + c + "AAA",
			header + "." + c + ".AAAA", // one character of base64url is never complete
		} {
			want := strings.Contains(alphabet, c) && !strings.Contains(token, "."+c+".")
			if _, err := new(jws.Parser).Parse(token); (err == nil) != want {
				t.Errorf("byte %#x in %q: err = %v", b, token, err)
			}
		}
	}
}

func TestParseHeader(t *testing.T) {
	with := func(members string) string {
		return `{"alg":"RS256","kid":"k1","typ":"at+jwt",` + members + `}`
	}
	alg := func(value string) string { return `{"alg":` + value + `,"kid":"k1","typ":"at+jwt"}` }
	typ := func(value string) string { return `{"alg":"RS256","kid":"k1","typ":` + value + `}` }
	kid := func(value string) string { return `{"alg":"RS256","kid":` + value + `,"typ":"at+jwt"}` }
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, `,"m%d":0`, i)
	}
	deep := func(n int) string {
		return with(`"x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1))
	}
	members := func(n int) string {
		var b strings.Builder
		for i := range n - 4 {
			fmt.Fprintf(&b, `,"m%d":0`, i)
		}
		return with(`"m":0` + b.String())
	}

	for _, c := range []struct {
		name, source, header string
		want                 error
	}{
		{"plain", "RFC 9068 §2.1", goodHeader, nil},
		{"white space", "RFC 8259 §2", " \r\n\t" + goodHeader + "\n ", nil},
		{"escaped name", "RFC 7515 §5.3", `{"\u0061lg":"RS256","kid":"k1","typ":"at+jwt"}`, nil},
		{"escaped value", "RFC 7515 §5.3", alg(`"RS\u0032\u0035\u0036"`), nil},
		{"unknown member", "RFC 7515 §4", with(`"x":{"y":[null,{"z":1.5e3}]}`), nil},

		{"alg missing", "RFC 7515 §4.1.1", `{"kid":"k1","typ":"at+jwt"}`, jws.ErrAlgorithm},
		{"alg null", "RFC 7515 §4.1.1", alg(`null`), jws.ErrAlgorithm},
		{"alg a number", "RFC 7515 §4.1.1", alg(`256`), jws.ErrAlgorithm},
		{"alg an array", "RFC 7515 §4.1.1", alg(`["RS256"]`), jws.ErrAlgorithm},
		{"alg empty", "RFC 7515 §4.1.1", alg(`""`), jws.ErrAlgorithm},
		{"alg none", "RFC 8725 §3.2", alg(`"none"`), jws.ErrAlgorithm},
		{"alg HS256", "RFC 8725 §2.1", alg(`"HS256"`), jws.ErrAlgorithm},
		{"alg RS512", "RFC 8725 §3.1", alg(`"RS512"`), jws.ErrAlgorithm},
		{"alg PS256", "RFC 8725 §3.1", alg(`"PS256"`), jws.ErrAlgorithm},
		{"alg in lower case", "RFC 7515 §4.1.1", alg(`"rs256"`), jws.ErrAlgorithm},
		{"alg with a space", "RFC 7515 §4.1.1", alg(`"RS256 "`), jws.ErrAlgorithm},
		{"ALG is another member", "RFC 7515 §4", `{"ALG":"RS256","kid":"k1","typ":"at+jwt"}`, jws.ErrAlgorithm},
		{"ALG does not override", "RFC 7515 §4", with(`"ALG":"none"`), nil},
		{"algorithm before type", "order", `{"alg":"none","typ":"JWT"}`, jws.ErrAlgorithm},

		{"crit empty", "RFC 7515 §4.1.11", with(`"crit":[]`), jws.ErrMalformed},
		{"crit of an extension", "RFC 7515 §4.1.11", with(`"crit":["x"],"x":1`), jws.ErrMalformed},
		{"crit null", "RFC 7515 §4.1.11", with(`"crit":null`), jws.ErrMalformed},
		{"crit escaped", "RFC 7515 §5.3", with(`"cr\u0069t":["x"]`), jws.ErrMalformed},
		{"b64 true", "RFC 7797 §3", with(`"b64":true`), jws.ErrMalformed},
		{"b64 false", "RFC 7797 §3", with(`"b64":false`), jws.ErrMalformed},
		{"zip null", "RFC 7516 §4.1.3", with(`"zip":null`), jws.ErrMalformed},
		{"zip", "RFC 7516 §4.1.3", with(`"zip":"DEF"`), jws.ErrMalformed},
		{"crit before type", "order", `{"alg":"RS256","crit":[],"typ":"JWT"}`, jws.ErrMalformed},

		{"typ missing", "RFC 9068 §4", `{"alg":"RS256","kid":"k1"}`, jws.ErrType},
		{"typ null", "RFC 9068 §4", typ(`null`), jws.ErrType},
		{"typ an array", "RFC 9068 §4", typ(`["at+jwt"]`), jws.ErrType},
		{"typ empty", "RFC 9068 §4", typ(`""`), jws.ErrType},
		{"typ JWT", "RFC 8725 §3.11", typ(`"JWT"`), jws.ErrType},
		{"typ of logout", "RFC 8725 §3.11", typ(`"logout+jwt"`), jws.ErrType},
		{"typ with a parameter", "RFC 9068 §4", typ(`"at+jwt; v=1"`), jws.ErrType},
		{"typ of another tree", "RFC 7515 §4.1.9", typ(`"text/at+jwt"`), jws.ErrType},
		{"typ with application/", "RFC 9068 §4", typ(`"application/at+jwt"`), nil},
		{"typ in upper case", "RFC 2045 §5.1", typ(`"AT+JWT"`), nil},
		{"typ with application/, mixed case", "RFC 2045 §5.1", typ(`"Application/At+Jwt"`), nil},
		{"type before kid", "order", `{"alg":"RS256","typ":"JWT"}`, jws.ErrType},

		{"kid missing", "RFC 7515 §4.1.4", `{"alg":"RS256","typ":"at+jwt"}`, jws.ErrMalformed},
		{"kid null", "RFC 7515 §4.1.4", kid(`null`), jws.ErrMalformed},
		{"kid a number", "RFC 7515 §4.1.4", kid(`1`), jws.ErrMalformed},
		{"kid empty", "limit", kid(`""`), jws.ErrMalformed},
		{"kid of 256 bytes", "limit", kid(`"` + strings.Repeat("k", 256) + `"`), nil},
		{"kid of 257 bytes", "limit", kid(`"` + strings.Repeat("k", 257) + `"`), jws.ErrMalformed},
		{"kid of 129 characters, 258 bytes", "limit", kid(`"` + strings.Repeat("é", 129) + `"`), jws.ErrMalformed},

		{"jwk", "RFC 8725 §3.10", with(`"jwk":{"kty":"RSA"}`), nil},
		{"jku", "RFC 8725 §3.10", with(`"jku":"https://evil.example"`), nil},
		{"x5u", "RFC 8725 §3.10", with(`"x5u":"https://evil.example"`), nil},
		{"x5c", "RFC 8725 §3.10", with(`"x5c":["AA=="]`), nil},

		{"alg twice", "RFC 7515 §4", with(`"alg":"RS256"`), jws.ErrMalformed},
		{"kid twice, once escaped", "RFC 7515 §4", with(`"k\u0069d":"k2"`), jws.ErrMalformed},
		{"unknown member twice", "RFC 7515 §4", with(`"x":1,"x":2`), jws.ErrMalformed},
		{"twice at depth", "RFC 7515 §4", with(`"x":[{"y":1,"y":2}]`), jws.ErrMalformed},
		{"invalid UTF-8 in value", "RFC 7515 §4", kid("\"\xff\""), jws.ErrMalformed},
		{"invalid UTF-8 in name", "RFC 7515 §4", with("\"\xff\":1"), jws.ErrMalformed},
		{"lone surrogate", "RFC 7493 §2.1", kid(`"\ud800"`), jws.ErrMalformed},
		{"BOM", "RFC 8259 §8.1", "\ufeff" + goodHeader, jws.ErrMalformed},
		{"data after", "RFC 8259 §2", goodHeader + "x", jws.ErrMalformed},
		{"second object", "RFC 8259 §2", goodHeader + goodHeader, jws.ErrMalformed},
		{"comma at the end", "RFC 8259 §4", `{"alg":"RS256",}`, jws.ErrMalformed},
		{"comment", "RFC 8259 §2", `/**/` + goodHeader, jws.ErrMalformed},
		{"single quotes", "RFC 8259 §7", `{'alg':'RS256'}`, jws.ErrMalformed},
		{"cut off", "RFC 8259 §4", goodHeader[:len(goodHeader)-1], jws.ErrMalformed},
		{"white space only", "RFC 7515 §4", "  ", jws.ErrMalformed},
		{"null", "RFC 7515 §4", "null", jws.ErrMalformed},
		{"array", "RFC 7515 §4", "[" + goodHeader + "]", jws.ErrMalformed},
		{"string", "RFC 7515 §4", `"RS256"`, jws.ErrMalformed},

		{"32 members", "limit", members(32), nil},
		{"33 members", "limit", members(33), jws.ErrMalformed},
		{"members of all depths count", "limit", with(`"x":` + members(32)), jws.ErrMalformed},
		{"100,000 members", "limit", with(`"m":0` + many.String()), jws.ErrMalformed},
		{"100,000 members, unfinished", "limit", `{"m":0` + many.String(), jws.ErrMalformed},
		{"depth 8", "limit", deep(8), nil},
		{"depth 9", "limit", deep(9), jws.ErrMalformed},
		{"depth 100,000", "limit", deep(100_000), jws.ErrMalformed},
		{"depth 100,000, unfinished", "limit", `{"x":` + strings.Repeat(`{"x":`, 100_000), jws.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := new(jws.Parser).Parse(compact(c.header)); !errors.Is(err, c.want) {
				t.Errorf("%s: err = %v, want %v", c.source, err, c.want)
			}
		})
	}
}

// The details of errors are for operators: they name the cause. A stranger can use them
// neither to forge a log line nor to fill the log.
func TestParseDetail(t *testing.T) {
	for _, c := range []struct{ name, token, want string }{
		{"alg", compact(`{"alg":"a\nb"}`), `token algorithm is not RS256: alg is "a\nb"`},
		{"long typ", compact(`{"alg":"RS256","typ":"` + strings.Repeat("t", 1000) + `"}`), `token is of another type: typ is "` + strings.Repeat("t", 64) + `"…, not at+jwt`},
		{"crit", compact(`{"alg":"RS256","crit":[]}`), `token is malformed: header has crit`},
		{"dots", "a.b", `token is malformed: it has one dot, not two: was it cut off?`},
		{"alphabet", "e30.b+.c", `token is malformed: payload is not canonical base64url`},
		{"line break", "a.b\n.c", `token is malformed: it has a line break`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := new(jws.Parser).Parse(c.token); err == nil || err.Error() != c.want {
				t.Errorf("err = %v, want %v", err, c.want)
			}
		})
	}
	name := strings.Repeat("n\u2028", 1000)
	_, err := new(jws.Parser).Parse(compact(`{"` + name + `":1,"` + name + `":2}`))
	if err == nil || len(err.Error()) > 200 || strings.ContainsAny(err.Error(), "\n\u2028") {
		t.Errorf("err = %v", err)
	}
}

// A parser that remembers a good header reads every other token as a new parser does. It
// reads a token with the same header as it did the first time.
func TestParserRemembers(t *testing.T) {
	t.Parallel()
	var shared jws.Parser
	long := `{"alg":"RS256","typ":"at+jwt","kid":"long","x":"` + strings.Repeat("x", 1000) + `"}`
	for _, header := range []string{
		goodHeader, goodHeader, `{"alg":"none","typ":"at+jwt","kid":"k"}`, goodHeader,
		`{"alg":"RS256","typ":"at+jwt","kid":"other"}`, `{"alg":"RS256","typ":"at+jwt","kid":"other"}`, goodHeader,
		long, long, `{"alg":"RS256","typ":"JWT","kid":"k"}`, `{"alg":"RS256","typ":"JWT","kid":"k"}`, ``,
	} {
		want, wantErr := new(jws.Parser).Parse(compact(header))
		got, err := shared.Parse(compact(header))
		if got.KeyID != want.KeyID || string(got.Payload) != string(want.Payload) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%.60s: %q, %v, want %q, %v", header, got.KeyID, err, want.KeyID, wantErr)
		}
	}
}
