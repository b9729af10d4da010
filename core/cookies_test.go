package authgear

import (
	"slices"
	"strings"
	"testing"
)

// RFC 6265 §4.2.1 and §5.4, and RFC 9113 §8.2.3 for several headers. One cookie
// decides: the first one with the first name that is present.
func TestSessionCookie(t *testing.T) {
	t.Parallel()
	fits := strings.Repeat("a", maxSessionCookie)
	both := []string{"app_session", "session"}
	for _, c := range []struct {
		name           string
		headers, names []string
		cookie         string // "" for none
		repeated       bool
	}{
		{"no header", nil, nil, "", false},
		{"an empty header", []string{""}, nil, "", false},
		{"one cookie", []string{"session=a.b"}, nil, "session=a.b", false},
		{"among others", []string{"csp_nonce=x; session=a.b; same_site_strict=true"}, nil, "session=a.b", false},
		{"in the second header", []string{"foo=bar", "session=a.b"}, nil, "session=a.b", false},
		{"without a space", []string{"foo=bar;session=a.b"}, nil, "session=a.b", false},
		{"spaces and tabs around", []string{" \tfoo=bar \t; \t session=a.b \t"}, nil, "session=a.b", false},
		{"semicolons around", []string{";; session=a.b;;"}, nil, "session=a.b", false},
		{"empty", []string{"session="}, nil, "session=", false},
		{"a value with an equals sign", []string{"session=a=b=="}, nil, "session=a=b==", false},
		{"a value verbatim", []string{"session=%61+!#$&'()*/:<>?@[]^_`{|}~-."}, nil, "session=%61+!#$&'()*/:<>?@[]^_`{|}~-.", false},
		{"twice", []string{"session=b; session=a"}, nil, "session=b", true},
		{"twice the same", []string{"session=a; session=a"}, nil, "session=a", true},
		{"in two headers", []string{"session=a; foo=bar", "session=b"}, nil, "session=a", true},
		{"12,000 times", []string{"session=a" + strings.Repeat("; session=b", 12_000)}, nil, "session=a", true},
		{"the first is empty", []string{"session=; session=a"}, nil, "session=", true},
		{"the second is bad", []string{"session=a; session=b c"}, nil, "session=a", true},
		{"in the order of the option, not as sent", []string{"session=a; foo=b; app_session=c"}, both, "app_session=c", false},
		{"another name is there twice", []string{"session=a; session=b; app_session=c"}, both, "app_session=c", false},
		{"the second name", []string{"session=a; foo=b"}, both, "session=a", false},
		{"at the limit", []string{"session=" + fits}, nil, "session=" + fits, false},

		{"another name only", []string{"sessions=a; xsession=b; Session=c; SESSION=d; app_session=e"}, nil, "", false},
		{"a name with a prefix", []string{"acme_session=a; session=b"}, []string{"acme_session"}, "acme_session=a", false},
		{"a space before the equals sign", []string{"session =a"}, nil, "", false},
		{"no equals sign", []string{"session"}, nil, "", false},
		{"no name", []string{"=session; =session=a"}, nil, "", false},
		{"commas do not separate", []string{"foo=bar, session=a"}, nil, "", false},
		{"attributes of RFC 2109", []string{"$Version=1; session=a; $Path=/"}, nil, "session=a", false},
		{"other cookies may have any form", []string{`foo="a b, c\"; bär=ö; session=a` + "; nul=\x00"}, nil, "session=a", false},
	} {
		names := c.names
		if names == nil {
			names = []string{"session"}
		}
		got, err := sessionCookie(c.headers, names)
		if cookie := strings.TrimSuffix(got.name+"="+got.value, map[bool]string{true: "="}[got.name == ""]); err != nil || cookie != c.cookie || got.repeated != c.repeated || got.ambient != (c.cookie != "") {
			t.Errorf("%s: %.80q, %+v, %v", c.name, cookie, got.repeated, err)
		}
	}
	for name, value := range map[string]string{
		"over the limit": fits + "a", "quotes": `"a.b"`, "a quote": `a"b`, "a comma": "a,b", "joined headers": "a, foo=bar", "a backslash": `a\b`,
		"a space inside": "a b", "a space before the value": " a", "a tab inside": "a\tb", "a line feed": "a\nb", "NUL": "a\x00b", "DEL": "a\x7fb", "not ASCII": "ä",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sessionCookie([]string{"foo=bar; session=" + value, "session=good"}, []string{"session"})
			checkCookie(t, "", err, "", ReasonSessionInvalid)
		})
	}
}

func TestTokenFromCookie(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxToken)
	for _, c := range []struct {
		name  string
		lines []string
		token string
		want  Reason
	}{
		{"no line", nil, "", ""},
		{"another name", []string{"Token=a; tokens=b; xtoken=c"}, "", ""},
		{"no equals sign", []string{"token"}, "", ""},
		{"a token", []string{"foo=bar; token=abc.def-ghi"}, "abc.def-ghi", ""},
		{"in the second line", []string{"foo=bar", "token=abc"}, "abc", ""},
		{"spaces around", []string{" token=abc ; foo=bar"}, "abc", ""},
		{"padding", []string{"token=abc=="}, "abc==", ""},
		{"at the limit", []string{"token=" + long}, long, ""},
		{"empty is not present", []string{"token="}, "", ""},
		{"the scheme is no part of it", []string{"token=Bearer"}, "Bearer", ""},

		{"twice", []string{"token=abc; token=def"}, "", ReasonTokenMalformed},
		{"twice the same", []string{"token=abc; token=abc"}, "", ReasonTokenMalformed},
		{"in two lines", []string{"token=abc", "token=def"}, "", ReasonTokenMalformed},
		{"twice, first empty", []string{"token=; token=abc"}, "", ReasonTokenMalformed},
		{"twice, then empty", []string{"token=abc; token="}, "", ReasonTokenMalformed},
		{"over the limit", []string{"token=" + long + "a"}, "", ReasonTokenMalformed},
		{"with a scheme", []string{"token=Bearer abc"}, "", ReasonTokenMalformed},
		{"quotes", []string{`token="abc"`}, "", ReasonTokenMalformed},
		{"joined lines", []string{"token=abc, token=def"}, "", ReasonTokenMalformed},
		{"a space before the value", []string{"token= abc"}, "", ReasonTokenMalformed},
		{"only padding", []string{"token=="}, "", ReasonTokenMalformed},
		{"percent-encoded", []string{"token=a%2Eb"}, "", ReasonTokenMalformed},
		{"what JavaScript writes for none", []string{"token=undefined"}, "", ReasonTokenMalformed},
		{"NUL", []string{"token=a\x00"}, "", ReasonTokenMalformed},
		{"not ASCII", []string{"token=abcé"}, "", ReasonTokenMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			token, err := tokenFromCookie(c.lines, "token")
			checkCookie(t, token, err, c.token, c.want)
		})
	}
}

// A browser cannot mend a 400, and an optional route goes on without a stale
// cookie. So each mistake counts as an invalid cookie. No error has the
// credential.
func checkCookie(t *testing.T, got string, err *Error, want string, reason Reason) {
	t.Helper()
	if reason == "" {
		if err != nil || got != want {
			t.Errorf("%.60q, %v, want %.60q", got, err, want)
		}
		return
	}
	if err == nil || err.Reason != reason || err.Outcome() != OutcomeInvalid || !err.Evidence.Ambient || got != "" {
		t.Fatalf("%.60q, %v, want %s", got, err, reason)
	}
	if err.Err == nil || len(err.Err.Error()) > 150 || strings.Contains(err.Err.Error(), "aaaa") {
		t.Errorf("cause = %v", err.Err)
	}
}

func TestCheckCookieName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"session": true, "__Host-session": true, "a.b_c-1!#$%&'*+^`|~": true,
		"": false, "a b": false, "a=b": false, "a;b": false, "a,b": false, `"a"`: false, "é": false, "a\x00": false, " a": false, "a/b": false,
	} {
		if err := checkCookieName(name); (err == nil) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Whatever comes in, what goes out is one of the cookies that were sent, of an
// allowed name and of allowed bytes.
func FuzzCookies(f *testing.F) {
	f.Add("session=a; foo=bar", "session=b")
	f.Add(" ;; app_session=x=y ;session", "=; token=abc")
	f.Add(`session="a,b"`, "token=; token=a")
	f.Add("0token=a;token=a", "")
	names := []string{"session", "app_session"}
	f.Fuzz(func(t *testing.T, first, second string) {
		var pairs []string
		for pair := range strings.SplitSeq(first+";"+second, ";") {
			pairs = append(pairs, strings.Trim(pair, " \t"))
		}
		c, err := sessionCookie([]string{first, second}, names)
		switch {
		case err != nil:
			if err.Reason != ReasonSessionInvalid || !err.Evidence.Ambient {
				t.Errorf("%v", err)
			}
		case c.isNone():
			if slices.ContainsFunc(pairs, func(p string) bool { return strings.HasPrefix(p, "session=") }) {
				t.Errorf("%q, %q: no session", first, second)
			}
		case !slices.Contains(names, c.name) || !slices.Contains(pairs, c.name+"="+c.value) || len(c.value) > maxSessionCookie || strings.ContainsAny(c.value, " \t\"\\,;\x00\r\n\x7f"):
			t.Errorf("%q, %q give %+v", first, second, c)
		}
		token, err := tokenFromCookie([]string{first, second}, "token")
		if err != nil && (token != "" || err.Reason != ReasonTokenMalformed || !err.Evidence.Ambient) {
			t.Errorf("%q beside %v", token, err)
		}
		if token != "" {
			n := 0
			for _, pair := range pairs {
				if strings.HasPrefix(pair, "token=") {
					n++
				}
			}
			if again, err := bearerToken([]string{"Bearer " + token}); again != token || err != nil || n != 1 || !slices.Contains(pairs, "token="+token) {
				t.Errorf("%q, %q give %q", first, second, token)
			}
		}
	})
}
