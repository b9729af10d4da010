package claims_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
)

// with returns the required claims and the members.
func with(members string) string {
	return `{"iss":"https://a.example","sub":"alice","exp":1800000000,` + members + `}`
}

// iss, sub and exp return the required claims with another value of the claim they name.
func iss(value string) string { return `{"iss":` + value + `,"sub":"alice","exp":1800000000}` }
func sub(value string) string {
	return `{"iss":"https://a.example","sub":` + value + `,"exp":1800000000}`
}
func exp(value string) string {
	return `{"iss":"https://a.example","sub":"alice","exp":` + value + `}`
}

const user = "https://authgear.com/claims/user/"

func nested(depth int) string {
	return with(`"x":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1))
}

// members returns n members in all, the last ones at depth 2.
func members(n int) string {
	var b strings.Builder
	for i := range n - 5 {
		fmt.Fprintf(&b, `"m%d":0,`, i)
	}
	return with(`"x":{` + b.String() + `"m":0}`)
}

// rejected has a payload that breaks the rule, for each rule.
var rejected = []struct{ name, source, payload string }{
	{"empty", "RFC 7519 §7.2", ``},
	{"null", "RFC 7519 §7.2", `null`},
	{"array", "RFC 7519 §7.2", "[" + exp("1") + "]"},
	{"data after", "RFC 8259 §2", exp("1") + "x"},
	{"second object", "RFC 8259 §2", exp("1") + `{"sub":"mallory"}`},
	{"cut off", "RFC 8259 §4", `{"iss":"https://a.example","sub":"alice","exp":1800000000`},
	{"control character, raw", "RFC 8259 §7", sub("\"a\nb\"")},

	{"sub twice", "RFC 7519 §4", with(`"sub":"mallory"`)},
	{"sub twice, once escaped", "RFC 7519 §4", with(`"s\u0075b":"mallory"`)},
	{"exp twice, same value", "RFC 7519 §4", with(`"exp":1800000000`)},
	{"unknown claim twice", "RFC 7519 §4", with(`"x":1,"x":1`)},
	{"twice at depth", "RFC 7519 §4", with(`"x":{"y":[{"z":1,"z":1}]}`)},
	{"twice at depth, once escaped", "RFC 7519 §4", with(`"x":{"z":1,"\u007a":1}`)},

	{"invalid UTF-8 in sub", "RFC 8725 §3.7", sub("\"alice\xff\"")},
	{"invalid UTF-8 in unknown claim", "RFC 8725 §3.7", with("\"x\":\"\xff\"")},
	{"invalid UTF-8 in name", "RFC 8725 §3.7", with("\"\xff\":1")},
	{"lone high surrogate", "RFC 7493 §2.1", sub(`"alice\ud800"`)},

	{"iss missing", "RFC 9068 §2.2", `{"sub":"alice","exp":1800000000}`},
	{"iss empty", "RFC 9068 §2.2", iss(`""`)},
	{"iss null", "RFC 7519 §4.1.1", iss(`null`)},
	{"iss an array", "RFC 7519 §4.1.1", iss(`["https://a.example"]`)},
	{"iss with a line break", "control characters", iss(`"https://a.example\n"`)},
	{"ISS is another claim", "RFC 7519 §4", `{"ISS":"https://a.example","sub":"alice","exp":1800000000}`},

	{"sub missing", "RFC 9068 §2.2", `{"iss":"https://a.example","exp":1800000000}`},
	{"sub empty", "RFC 9068 §2.2", sub(`""`)},
	{"sub null", "RFC 7519 §4.1.2", sub(`null`)},
	{"sub a number", "RFC 7519 §4.1.2", sub(`1`)},
	{"sub an object", "RFC 7519 §4.1.2", sub(`{}`)},
	{"sub blank", "OpenID Connect Core §2", sub(`"  "`)},
	{"sub blank beyond ASCII", "OpenID Connect Core §2", sub(`"\u3000\u2003"`)},
	{"sub of 256 bytes", "OpenID Connect Core §2", sub(`"` + strings.Repeat("a", 256) + `"`)},
	{"sub of 128 characters, 256 bytes", "OpenID Connect Core §2", sub(`"` + strings.Repeat("é", 128) + `"`)},
	{"sub with CRLF", "control characters", sub(`"alice\r\nX-Authgear-User-Id: bob"`)},
	{"sub with DEL", "control characters", sub(`"alice\u007f"`)},
	{"sub with C1", "control characters", sub(`"alice\u0085"`)},

	{"exp missing", "RFC 9068 §2.2", `{"iss":"https://a.example","sub":"alice"}`},
	{"exp a string", "RFC 7519 §4.1.4", exp(`"1800000000"`)},
	{"exp null", "RFC 7519 §4.1.4", exp(`null`)},
	{"exp 0", "range", exp(`0`)},
	{"exp -1", "range", exp(`-1`)},
	{"exp 1e300", "range", exp(`1e300`)},
	{"exp with a huge exponent", "range", exp(`1e99999999999999999999`)},
	{"exp rounded to zero", "range", exp(`1e-99999`)},
	{"exp 1e11", "range", exp(`1e11`)},
	{"exp 100000000000", "range", exp(`100000000000`)},
	{"exp in milliseconds", "range", exp(`1800000000000`)},
	{"exp 2^64 + 1800000000", "range", exp(`18446744075509551616`)},
	{"EXP is another claim", "RFC 7519 §4", `{"iss":"https://a.example","sub":"alice","EXP":1800000000}`},
	{"nbf 1e300", "range", with(`"nbf":1e300`)},
	{"nbf 0", "range", with(`"nbf":0`)},
	{"nbf a string", "RFC 7519 §4.1.5", with(`"nbf":"1"`)},
	{"nbf null", "RFC 7519 §4.1.5", with(`"nbf":null`)},
	{"iat -1", "range", with(`"iat":-1`)},
	{"iat null", "RFC 7519 §4.1.6", with(`"iat":null`)},
	{"auth_time 1e300", "range", with(`"auth_time":1e300`)},
	{"auth_time a string", "OpenID Connect Core §2", with(`"auth_time":"1"`)},

	{"aud null", "RFC 7519 §4.1.3", with(`"aud":null`)},
	{"aud a number", "RFC 7519 §4.1.3", with(`"aud":1`)},
	{"aud an object", "RFC 7519 §4.1.3", with(`"aud":{"https://a.example":true}`)},
	{"aud of a number", "RFC 7519 §4.1.3", with(`"aud":["https://a.example",1]`)},
	{"aud of null", "RFC 7519 §4.1.3", with(`"aud":[null]`)},
	{"aud of an array", "RFC 7519 §4.1.3", with(`"aud":[["https://a.example"]]`)},
	{"aud with a tab", "control characters", with(`"aud":"a\tb"`)},
	{"aud of one with a tab", "control characters", with(`"aud":["a","a\tb"]`)},
	{"client_id null", "RFC 8693 §4.3", with(`"client_id":null`)},
	{"client_id an array", "RFC 8693 §4.3", with(`"client_id":["c"]`)},
	{"client_id with ESC", "control characters", with(`"client_id":"\u001b[2J"`)},
	{"jti a number", "RFC 7519 §4.1.7", with(`"jti":1`)},
	{"jti null", "RFC 7519 §4.1.7", with(`"jti":null`)},
	{"scope an array", "RFC 8693 §4.2", with(`"scope":["openid"]`)},
	{"scope null", "RFC 8693 §4.2", with(`"scope":null`)},
	{"scope with a tab", "control characters", with(`"scope":"openid\temail"`)},
	{"amr a string", "OpenID Connect Core §2", with(`"amr":"pwd"`)},
	{"amr null", "OpenID Connect Core §2", with(`"amr":null`)},
	{"amr of a number", "OpenID Connect Core §2", with(`"amr":["pwd",1]`)},
	{"roles a string", "Authgear", with(`"` + user + `roles":"admin"`)},
	{"roles null", "Authgear", with(`"` + user + `roles":null`)},
	{"roles of an object", "Authgear", with(`"` + user + `roles":[{}]`)},
	{"roles with a line break", "control characters", with(`"` + user + `roles":["a\nadmin"]`)},
	{"is_anonymous a string", "Authgear", with(`"` + user + `is_anonymous":"false"`)},
	{"is_anonymous null", "Authgear", with(`"` + user + `is_anonymous":null`)},
	{"is_anonymous 0", "Authgear", with(`"` + user + `is_anonymous":0`)},
	{"is_verified 1", "Authgear", with(`"` + user + `is_verified":1`)},
	{"is_verified a string", "Authgear", with(`"` + user + `is_verified":"true"`)},
	{"can_reauthenticate null", "Authgear", with(`"` + user + `can_reauthenticate":null`)},

	{"depth 17", "limit", nested(17)},
	{"depth 100,000", "limit", nested(100_000)},
	{"1,025 members", "limit", members(1025)},
	{"100,000 array elements", "limit", with(`"x":[` + strings.Repeat("0,", 99_999) + `0]`)},
	{"100,000 roles", "limit", with(`"` + user + `roles":[` + strings.Repeat(`"a",`, 99_999) + `"a"]`)},
}

func TestParseRejects(t *testing.T) {
	for _, c := range rejected {
		t.Run(c.name, func(t *testing.T) {
			got, err := claims.Parse(c.payload)
			if !errors.Is(err, claims.ErrInvalid) {
				t.Fatalf("%s: err = %v, want ErrInvalid", c.source, err)
			}
			if !reflect.DeepEqual(got, claims.Claims{}) {
				t.Errorf("claims beside an error: %+v", got)
			}
			if len(err.Error()) > 250 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("the error is not fit for a log: %q", err)
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	base := claims.Claims{Issuer: "https://a.example", Subject: "alice", ExpiresAt: at(1800000000), Anonymous: true}
	for _, c := range []struct {
		name, source, payload string
		change                func(*claims.Claims)
	}{
		{"only the required claims", "RFC 9068 §2.2", exp("1800000000"), func(*claims.Claims) {}},
		{"white space around", "RFC 8259 §2", " \t\r\n" + exp("1800000000") + "\n ", func(*claims.Claims) {}},
		{"SUB does not override", "RFC 7519 §4", with(`"SUB":"mallory","Sub":"mallory"`), func(*claims.Claims) {}},
		{"ſub does not override", "RFC 7519 §4", with(`"ſub":"mallory"`), func(*claims.Claims) {}},
		{"EXP does not revive", "RFC 7519 §4", with(`"EXP":99999999999`), func(*claims.Claims) {}},
		{"escaped name", "RFC 8259 §8.3", `{"iss":"https://a.example","s\u0075b":"alice","\u0065xp":1800000000}`, func(*claims.Claims) {}},
		{"pair of surrogates", "RFC 8259 §7", sub(`"\ud83d\ude00"`), func(c *claims.Claims) { c.Subject = "😀" }},
		{"sub of 255 bytes", "OpenID Connect Core §2", sub(`"` + strings.Repeat("a", 255) + `"`), func(c *claims.Claims) { c.Subject = strings.Repeat("a", 255) }},
		{"spaces in sub stay", "RFC 7519 §4.1.2", sub(`" a b "`), func(c *claims.Claims) { c.Subject = " a b " }},

		{"exp with fraction", "RFC 7519 §2", exp("1800000000.25"), func(c *claims.Claims) { c.ExpiresAt = time.Unix(1800000000, 250e6).UTC() }},
		{"exp with exponent", "RFC 7519 §2", exp("1.8e9"), func(*claims.Claims) {}},
		{"exp at the end of the range", "range", exp("99999999999"), func(c *claims.Claims) { c.ExpiresAt = at(99999999999) }},
		{"exp just above zero", "range", exp("1e-12"), func(c *claims.Claims) { c.ExpiresAt = at(0) }},
		{"other times", "RFC 7519 §4.1", with(`"nbf":1,"iat":2.5,"auth_time":3e0`), func(c *claims.Claims) {
			c.NotBefore, c.IssuedAt, c.AuthTime = at(1), time.Unix(2, 5e8).UTC(), at(3)
		}},

		{"aud a string", "RFC 7519 §4.1.3", with(`"aud":"https://a.example"`), func(c *claims.Claims) { c.Audience = []string{"https://a.example"} }},
		{"aud of two", "RFC 7519 §4.1.3", with(`"aud":["a","b"]`), func(c *claims.Claims) { c.Audience = []string{"a", "b"} }},
		{"aud of none", "RFC 7519 §4.1.3", with(`"aud":[]`), func(*claims.Claims) {}},
		{"scope", "RFC 8693 §4.2", with(`"scope":"openid email"`), func(c *claims.Claims) { c.Scopes = []string{"openid", "email"} }},
		{"scope empty", "RFC 8693 §4.2", with(`"scope":""`), func(*claims.Claims) {}},
		{"roles in the token's order", "Authgear", with(`"` + user + `roles":["b","a","b"]`), func(c *claims.Claims) {
			c.Roles, c.UserClaims = []string{"b", "a", "b"}, true
		}},
		{"an empty roles claim is a user's claim", "Authgear", with(`"` + user + `roles":[]`), func(c *claims.Claims) { c.UserClaims = true }},
		{"not anonymous", "Authgear", with(`"` + user + `is_anonymous":false`), func(c *claims.Claims) { c.Anonymous, c.UserClaims = false, true }},
		{"verified", "Authgear", with(`"` + user + `is_verified":true`), func(c *claims.Claims) { c.Verified, c.UserClaims = true, true }},
		{"can reauthenticate", "Authgear", with(`"` + user + `can_reauthenticate":true`), func(c *claims.Claims) {
			c.CanReauthenticate, c.CanReauthenticateStated, c.UserClaims = true, true, true
		}},
		{"another claim of the namespace", "RFC 7519 §4", with(`"` + user + `other":1,"` + user + `IS_VERIFIED":true`), func(*claims.Claims) {}},
		{"unknown claims of any kind", "RFC 7519 §4", with(`"a":null,"b":[1,{"sub":"mallory"}],"c":{"sub":"mallory"},"d":"\u0000","e":1e999,"":0`), func(*claims.Claims) {}},
		{"depth 16", "limit", nested(16), func(*claims.Claims) {}},
		{"depth 16 twice", "limit", strings.Replace(nested(16), `"x":`, `"y":[[[]]],"x":`, 1), func(*claims.Claims) {}},
		{"1,024 members", "limit", members(1024), func(*claims.Claims) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := base
			c.change(&want)
			got, err := claims.Parse(c.payload)
			if err != nil {
				t.Fatalf("%s: %v", c.source, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\ngot  %+v\nwant %+v", c.source, got, want)
			}
		})
	}
}

func TestParseDetail(t *testing.T) {
	for _, c := range []struct{ name, payload, want string }{
		{"type", exp(`"1"`), `claims are invalid: "exp" is not a number but a string`},
		{"range", exp(`1e300`), `claims are invalid: "exp" is not a time between 0 and 1e11 seconds`},
		{"element", with(`"aud":[1]`), `claims are invalid: "aud" has an element that is not a string but a number`},
		{"missing", `{}`, `claims are invalid: iss is missing or empty`},
		{"object", `[]`, `claims are invalid: not an object but an array`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := claims.Parse(c.payload); err == nil || err.Error() != c.want {
				t.Errorf("err = %v, want %v", err, c.want)
			}
		})
	}
}
