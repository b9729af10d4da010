package authgear

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Only a Set-Cookie that removes the refused cookie comes through (RFC 6265
// §5.3), written anew.
func TestClearing(t *testing.T) {
	t.Parallel()
	const past = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"
	for _, c := range []struct {
		name, cookie string
		lines        []string
		want         []string
	}{
		{"by date", "session", []string{"session=; " + past}, []string{"session=; " + past}},
		{"by age", "session", []string{"session=; Max-Age=0"}, []string{"session=; Max-Age=0"}},
		{"by negative age", "session", []string{"session=; Max-Age=-10"}, []string{"session=; Max-Age=0"}},
		{"age goes before date", "session", []string{"session=; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT"}, []string{"session=; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=0"}},
		{"the date with hyphens", "session", []string{"session=; Expires=Thu, 01-Jan-1970 00:00:00 GMT"}, []string{"session=; " + past}},
		{"an empty value in quotes", "session", []string{`session=""; ` + past}, []string{"session=; " + past}},
		{
			"for two domains", "session", []string{"session=; " + past, "session=; Domain=example.com; " + past},
			[]string{"session=; " + past, "session=; Domain=example.com; " + past},
		},
		{
			"the attributes are parsed", "session",
			[]string{"session=;path=/app;  DOMAIN=.example.com;expires=Thu, 01 Jan 1970 00:00:00 GMT;httponly;secure;samesite=none;Priority=High;Partitioned"},
			[]string{"session=; Path=/app; Domain=example.com; " + past + "; HttpOnly; Secure; SameSite=None; Partitioned"},
		},

		{"a token was sent", "", []string{"session=; " + past}, nil},
		{"another cookie was sent", "app_session", []string{"session=; " + past}, nil},
		{"a cookie whose name begins alike was sent", "session2", []string{"session=; " + past}, nil},
		{"one in upper case", "session", []string{"SESSION=; " + past}, nil},
		{"a value", "session", []string{"session=b; " + past}, nil},
		{"no expiry", "session", []string{"session=; Path=/"}, nil},
		{"in the future", "session", []string{"session=; Expires=Fri, 01 Jan 2100 00:00:00 GMT"}, nil},
		{"lives on by age", "session", []string{"session=; Max-Age=60; " + past}, nil},
		{"an expiry that nobody understands", "session", []string{"session=; Expires=yesterday; Max-Age=soon"}, nil},
		{"a year that no browser understands", "session", []string{"session=; Expires=Sat, 01 Jan 1600 00:00:00 GMT"}, nil},
		{"not a cookie", "session", []string{"", "session", "; " + past, "=; " + past, "sess ion=; " + past}, nil},
		{"a nonce, as with each answer", "session", []string{"csp_nonce=x; Path=/; HttpOnly"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := clearing(c.lines, c.cookie); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// A broken answer does not make a broken one of ours.
func TestClearingIsBounded(t *testing.T) {
	t.Parallel()
	const past = "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
	if got := clearing(slices.Repeat([]string{"session=" + past}, 500), "session"); len(got) != 1 {
		t.Errorf("%d equal lines", len(got))
	}
	var lines []string
	for i := range 500 {
		lines = append(lines, fmt.Sprintf("session=; Path=/%d%s", i, past))
	}
	if got := clearing(lines, "session"); len(got) != maxClearing {
		t.Errorf("%d lines", len(got))
	}
}

// A guard writes the line as a header field: nothing of an answer can begin
// another field.
func FuzzClearing(f *testing.F) {
	f.Add("session=; Path=/; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax")
	f.Add("session=\"\"; Max-Age=0; Path=\"/\r\nX: y\"")
	f.Fuzz(func(t *testing.T, line string) {
		for _, got := range clearing([]string{line}, "session") {
			cookie, err := http.ParseSetCookie(got)
			if err != nil || cookie.Name != "session" || cookie.Value != "" || !isPast(cookie) || strings.ContainsAny(got, "\r\n\x00") {
				t.Errorf("%q gives %q", line, got)
			}
		}
	})
}
