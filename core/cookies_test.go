package authgear

import (
	"slices"
	"strings"
	"testing"
)

// RFC 6265 §4.2.1 and §5.4, and RFC 9113 §8.2.3 for several lines.
func TestSessionCookies(t *testing.T) {
	t.Parallel()
	fits := strings.Repeat("a", maxCredential-len("session="))
	both := []string{"app_session", "session"}
	for _, c := range []struct {
		name         string
		lines, names []string
		cookie       string
		want         Reason
	}{
		{"no line", nil, nil, "", ""},
		{"an empty line", []string{""}, nil, "", ""},
		{"one cookie", []string{"session=a.b"}, nil, "session=a.b", ""},
		{"among others", []string{"csp_nonce=x; session=a.b; same_site_strict=true"}, nil, "session=a.b", ""},
		{"the second of two lines", []string{"foo=bar", "session=a.b"}, nil, "session=a.b", ""},
		{"in two lines", []string{"session=a; foo=bar", "session=b"}, nil, "session=a; session=b", ""},
		{"without a space", []string{"foo=bar;session=a.b"}, nil, "session=a.b", ""},
		{"spaces and tabs around", []string{" \tfoo=bar \t; \t session=a.b \t"}, nil, "session=a.b", ""},
		{"semicolons around", []string{";; session=a.b;;"}, nil, "session=a.b", ""},
		{"empty", []string{"session="}, nil, "session=", ""},
		{"a value with an equals sign", []string{"session=a=b=="}, nil, "session=a=b==", ""},
		{"a value verbatim", []string{"session=%61+!#$&'()*/:<>?@[]^_`{|}~-."}, nil, "session=%61+!#$&'()*/:<>?@[]^_`{|}~-.", ""},
		{"twice", []string{"session=b; session=a"}, nil, "session=b; session=a", ""},
		{"twice the same", []string{"session=a; session=a"}, nil, "session=a; session=a", ""},
		{"four times", []string{"session=1; session=2; session=3", "session=4"}, nil, "session=1; session=2; session=3; session=4", ""},
		{"four times each", []string{strings.Repeat("session=1; app_session=2; ", 4)}, both, strings.TrimSuffix(strings.Repeat("session=1; app_session=2; ", 4), "; "), ""},
		{"as sent, not as allowed", []string{"session=a; foo=b; app_session=c"}, both, "session=a; app_session=c", ""},
		{"16 KiB", []string{"session=" + fits}, nil, "session=" + fits, ""},
		{"16 KiB in two", []string{"session=a", "session=" + fits[len("session=a; "):]}, nil, "session=a; session=" + fits[len("session=a; "):], ""},

		{"another name only", []string{"sessions=a; xsession=b; Session=c; SESSION=d; app_session=e"}, nil, "", ""},
		{"a name with a prefix", []string{"acme_session=a; session=b"}, []string{"acme_session"}, "acme_session=a", ""},
		{"a space before the equals sign", []string{"session =a"}, nil, "", ""},
		{"no equals sign", []string{"session"}, nil, "", ""},
		{"no equals sign beside a value", []string{"session; foo=session"}, nil, "", ""},
		{"no name", []string{"=session; =session=a"}, nil, "", ""},
		{"commas do not separate", []string{"foo=bar, session=a"}, nil, "", ""},
		{"attributes of RFC 2109", []string{"$Version=1; session=a; $Path=/"}, nil, "session=a", ""},
		{"others may be as they like", []string{`foo="a b, c\"; bär=ö; session=a` + "; nul=\x00"}, nil, "session=a", ""},

		{"five times", []string{"session=1; session=2; session=3; session=4; session=5"}, nil, "", ReasonSessionInvalid},
		{"five times in lines", []string{"session=1", "session=2", "session=3", "session=4", "session=5"}, nil, "", ReasonSessionInvalid},
		{"five times empty", []string{strings.Repeat("session=;", 5)}, nil, "", ReasonSessionInvalid},
		{"over 16 KiB", []string{"session=" + fits + "a"}, nil, "", ReasonSessionInvalid},
		{"over 16 KiB in two", []string{"session=a", "session=" + fits[len("session=a; ")-1:]}, nil, "", ReasonSessionInvalid},
		{"quotes", []string{`session="a.b"`}, nil, "", ReasonSessionInvalid},
		{"a quote", []string{`session=a"b`}, nil, "", ReasonSessionInvalid},
		{"a comma", []string{"session=a,b"}, nil, "", ReasonSessionInvalid},
		{"joined lines", []string{"session=a, foo=bar"}, nil, "", ReasonSessionInvalid},
		{"a backslash", []string{`session=a\b`}, nil, "", ReasonSessionInvalid},
		{"a space inside", []string{"session=a b"}, nil, "", ReasonSessionInvalid},
		{"a space before the value", []string{"session= a"}, nil, "", ReasonSessionInvalid},
		{"a tab inside", []string{"session=a\tb"}, nil, "", ReasonSessionInvalid},
		{"a line feed", []string{"session=a\nb"}, nil, "", ReasonSessionInvalid},
		{"NUL", []string{"session=a\x00b"}, nil, "", ReasonSessionInvalid},
		{"DEL", []string{"session=a\x7fb"}, nil, "", ReasonSessionInvalid},
		{"not ASCII", []string{"session=ä"}, nil, "", ReasonSessionInvalid},
		{"a good one does not rescue a bad one", []string{"session=a; session=b c"}, nil, "", ReasonSessionInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			names := c.names
			if names == nil {
				names = []string{"session"}
			}
			cookie, err := sessionCookies(c.lines, names)
			checkCookie(t, cookie, err, c.cookie, c.want)
		})
	}
}

func TestTokenFromCookie(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxCredential)
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
// cookie: so each mistake is invalid, and a cookie's. The credential stands in
// no error.
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
	if err.Err == nil || len(err.Err.Error()) > 120 || strings.Contains(err.Err.Error(), "aaaa") {
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

// Whatever comes in, what goes out is whole cookies of allowed names, in the
// order in which they came, and reads the same again.
func FuzzCookies(f *testing.F) {
	f.Add("session=a; foo=bar", "session=b")
	f.Add(" ;; app_session=x=y ;session", "=; token=abc")
	f.Add(`session="a,b"`, "token=; token=a")
	names := []string{"session", "app_session"}
	f.Fuzz(func(t *testing.T, first, second string) {
		lines := []string{first, second}
		cookie, err := sessionCookies(lines, names)
		if err != nil {
			if cookie != "" || err.Reason != ReasonSessionInvalid || !err.Evidence.Ambient {
				t.Errorf("%q beside %v", cookie, err)
			}
		} else if cookie != "" {
			counts := map[string]int{}
			rest := slices.Collect(strings.SplitSeq(first+";"+second, ";"))
			for pair := range strings.SplitSeq(cookie, "; ") {
				name, value, ok := strings.Cut(pair, "=")
				if counts[name]++; !ok || !slices.Contains(names, name) || counts[name] > 4 || strings.ContainsAny(value, " \t\"\\,;\x00\r\n\x7f") {
					t.Errorf("%q gives %q", lines, cookie)
				}
				i := slices.IndexFunc(rest, func(s string) bool { return strings.Trim(s, " \t") == pair })
				if i < 0 {
					t.Fatalf("%q: %q was not sent, or earlier", lines, pair)
				}
				rest = rest[i+1:]
			}
			if again, err := sessionCookies([]string{cookie}, names); again != cookie || err != nil || len(cookie) > maxCredential {
				t.Errorf("%q is read again as %q, %v", cookie, again, err)
			}
		}
		token, err := tokenFromCookie(lines, "token")
		if err != nil && (token != "" || err.Reason != ReasonTokenMalformed || !err.Evidence.Ambient) {
			t.Errorf("%q beside %v", token, err)
		}
		if token != "" {
			if again, err := bearerToken([]string{"Bearer " + token}); again != token || err != nil || strings.Count(first+";"+second, "token="+token) != 1 {
				t.Errorf("%q gives %q", lines, token)
			}
		}
	})
}
