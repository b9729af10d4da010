package authgear

import (
	"strings"
	"testing"
)

// The rules of RFC 6750 §2.1 and RFC 9110 §11.4. Where they differ from
// Authgear's, they are stricter on purpose.
func TestBearerToken(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxToken)
	for _, c := range []struct {
		name  string
		lines []string
		token string
		want  Reason
	}{
		{"no line", nil, "", ""},
		{"an empty line", []string{""}, "", ""},
		{"another scheme", []string{"Basic dXNlcjpwYXNz"}, "", ""},
		{"another scheme that begins alike", []string{"Bearerx abc"}, "", ""},
		{"another scheme that goes on", []string{"Bearer_ abc"}, "", ""},
		{"a token without a scheme", []string{"abc.def.ghi"}, "", ""},
		{"one space", []string{"Bearer abc"}, "abc", ""},
		{"lower case", []string{"bearer abc"}, "abc", ""},
		{"more spaces", []string{"Bearer   abc"}, "abc", ""},
		{"the whole alphabet", []string{"Bearer aZ09-._~+/=="}, "aZ09-._~+/==", ""},
		{"at the limit", []string{"Bearer " + long}, long, ""},

		{"over the limit", []string{"Bearer " + long + "a"}, "", ReasonTokenTooLarge},
		{"nothing", []string{"Bearer"}, "", ReasonAuthorizationMalformed},
		{"only spaces", []string{"Bearer  "}, "", ReasonAuthorizationMalformed},
		{"a tab", []string{"Bearer\tabc"}, "", ReasonAuthorizationMalformed},
		{"a space and a tab", []string{"Bearer \tabc"}, "", ReasonAuthorizationMalformed},
		{"two tokens", []string{"Bearer abc def"}, "", ReasonAuthorizationMalformed},
		{"two credentials", []string{"Bearer abc, Bearer def"}, "", ReasonAuthorizationMalformed},
		{"the scheme twice", []string{"Bearer bearer abc"}, "", ReasonAuthorizationMalformed},
		{"what JavaScript writes for none", []string{"Bearer undefined"}, "", ReasonTokenMalformed},
		{"what JavaScript writes for nothing", []string{"Bearer null"}, "", ReasonTokenMalformed},
		{"quotes", []string{`Bearer "abc"`}, "", ReasonAuthorizationMalformed},
		{"an equals sign inside", []string{"Bearer a=b"}, "", ReasonAuthorizationMalformed},
		{"only equals signs", []string{"Bearer =="}, "", ReasonAuthorizationMalformed},
		{"a slash for the space", []string{"Bearer/abc"}, "", ReasonAuthorizationMalformed},
		{"an equals sign for the space", []string{"Bearer=abc"}, "", ReasonAuthorizationMalformed},
		{"a colon", []string{"Bearer: abc"}, "", ReasonAuthorizationMalformed},
		{"a comma in front", []string{"Bearer ,abc"}, "", ReasonAuthorizationMalformed},
		{"parameters", []string{`Bearer token="abc"`}, "", ReasonAuthorizationMalformed},
		{"not ASCII", []string{"Bearer abcé"}, "", ReasonAuthorizationMalformed},
		{"NUL", []string{"Bearer abc\x00"}, "", ReasonAuthorizationMalformed},
		{"two lines", []string{"Bearer abc", "Bearer abc"}, "", ReasonAuthorizationMalformed},
		{"two lines of other schemes", []string{"Basic abc", "Digest abc"}, "", ReasonAuthorizationMalformed},
		{"two lines, one empty", []string{"", "Bearer abc"}, "", ReasonAuthorizationMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			token, err := bearerToken(c.lines)
			var reason Reason
			if err != nil {
				reason = err.Reason
			}
			if token != c.token || reason != c.want {
				t.Errorf("bearerToken = %.40q, %q, want %.40q, %q", token, reason, c.token, c.want)
			}
		})
	}
}

// Code generators and socket libraries hand over the value of Authorization. The
// operator reads what is wrong with it, and never the token.
func TestParseAuthorization(t *testing.T) {
	t.Parallel()
	const jwt = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
	for _, c := range []struct {
		value, token string
		want         Reason
		cause        string
	}{
		{"Bearer " + jwt, jwt, "", ""},
		{"bearer  abc", "abc", "", ""},
		{"", "", ReasonNoCredentials, ""},
		{"Basic dXNlcjpwYXNz", "", ReasonNoCredentials, ""},
		{"Negotiate", "", ReasonNoCredentials, ""},
		{jwt, "", ReasonNoCredentials, `has to send "Bearer "`},
		{"A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6", "", ReasonNoCredentials, `has to send "Bearer "`},
		{"Bearer Bearer " + jwt, "", ReasonAuthorizationMalformed, "stands there twice"},
		{"Bearer undefined", "", ReasonTokenMalformed, `the word "undefined"`},
		{"Bearer " + strings.Repeat("a", maxToken+1), "", ReasonTokenTooLarge, "16385 bytes"},
	} {
		token, err := ParseAuthorization(c.value)
		e, _ := err.(*Error)
		if token != c.token || (err == nil) != (c.want == "") || e != nil && e.Reason != c.want {
			t.Errorf("%.40q: %.40q, %v", c.value, token, err)
		}
		if e != nil && (c.cause == "" && e.Err != nil || c.cause != "" && (e.Err == nil || !strings.Contains(e.Err.Error(), c.cause) || strings.Contains(e.Err.Error(), "eyJ"))) {
			t.Errorf("%.40q: cause %v", c.value, e.Err)
		}
	}
	for token, want := range map[string]string{"Bearer " + jwt: "ParseAuthorization takes it away", "null": `the word "null"`, "None": `the word "None"`, "a b": `" ", which is in no token`, "a\r\nX: y": `"\r", which`, "é": `"\xc3", which`, "==": "= only"} {
		if err := checkToken(token); err == nil || err.Reason != ReasonTokenMalformed || !strings.Contains(err.Err.Error(), want) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func FuzzBearerToken(f *testing.F) {
	f.Add("Bearer abc")
	f.Add("bearer  a.b.c==")
	f.Add(`Bearer "abc"`)
	f.Fuzz(func(t *testing.T, line string) {
		token, err := bearerToken([]string{line})
		if err != nil && token != "" {
			t.Errorf("%q: a token beside an error", line)
		}
		if token != "" && (!strings.EqualFold(line[:7], "Bearer ") || strings.TrimLeft(line[7:], " ") != token || strings.ContainsAny(token, " \t\",")) {
			t.Errorf("%q gives %q", line, token)
		}
	})
}
