package guardtest

import (
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// resolverCase is what lines must lead to, where {alice.jwt}, {alice.opaque} and
// {alice.cookie} stand for alice's credentials, and so for bob's and carol's.
type resolverCase struct {
	name  string
	lines []string
	body  string          // of an identity
	want  authgear.Reason // else
	sent  string          // to Authgear; "": it is not asked
}

// resolverCases: one credential decides, whatever stands beside it. carol's
// account is disabled.
var resolverCases = []resolverCase{
	// As the client may write it.
	{"a JWT", []string{"Authorization: Bearer {alice.jwt}"}, byToken, "", "Authorization: Bearer {alice.jwt}"},
	{"an opaque token", []string{"authorization: Bearer {alice.opaque}"}, byToken, "", "Authorization: Bearer {alice.opaque}"},
	{"a session cookie", []string{sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},
	{"the name in lower case", []string{"cookie: session={alice.cookie}"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"among other cookies", []string{"Cookie: a=b; session={alice.cookie};c; app_session={bob.cookie}"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"without spaces", []string{"Cookie:a=b;session={alice.cookie};"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"tabs and spaces", []string{"Cookie: \t a=b ;\t session={alice.cookie} \t"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"several lines", []string{"Cookie: a=b", "cookie: session={alice.cookie}", "COOKIE: c=d"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"another scheme beside a cookie", []string{"Authorization: Basic YTpi", sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},
	{"an empty Authorization beside a cookie", []string{"Authorization:", sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},

	// What stands beside it, or is wrong with it.
	{"a token cookie", []string{"Cookie: token={alice.jwt}"}, byCookie, "", "Authorization: Bearer {alice.jwt}"},
	{"a token cookie before a session", []string{"Cookie: session={bob.cookie}; token={alice.jwt}"}, byCookie, "", "Authorization: Bearer {alice.jwt}"},
	{"no session rescues a bad token cookie", []string{"Cookie: token=bad; session={alice.cookie}"}, "", authgear.ReasonTokenRejected, "Authorization: Bearer bad"},
	{"other cookies", []string{"Cookie: a=b; Session={alice.cookie}; app_session={alice.cookie}; session"}, "", authgear.ReasonNoCredentials, ""},
	{"forged identity", []string{"X-Authgear-Session-Valid: true", "X-Authgear-User-Id: alice"}, "", authgear.ReasonNoCredentials, ""},
	{"no cookie rescues a bad token", []string{"Authorization: Bearer unknown", sessionLine("{bob.cookie}")}, "", authgear.ReasonTokenRejected, "Authorization: Bearer unknown"},
	{"nor one of two tokens", []string{"Authorization: Bearer {alice.jwt}", "Authorization: Bearer {alice.jwt}", sessionLine("{bob.cookie}")}, "", authgear.ReasonAuthorizationMalformed, ""},
	{"a disabled user's cookie", []string{sessionLine("{carol.cookie}")}, "", authgear.ReasonSessionInvalid, sessionLine("{carol.cookie}")},
	{"an unknown one", []string{sessionLine("unknown")}, "", authgear.ReasonSessionInvalid, sessionLine("unknown")},
	{"not ASCII", []string{sessionLine("{alice.cookie}\xc3\xa9")}, "", authgear.ReasonSessionInvalid, ""},
	{"two in two lines, the first counts", []string{sessionLine("{bob.cookie}"), sessionLine("{alice.cookie}")}, bobByCookie, "", sessionLine("{bob.cookie}")},
	{"two cookies, a bad one first", []string{sessionLine("bad", "{alice.cookie}")}, "", authgear.ReasonSessionInvalid, sessionLine("bad")},
	{"too large", []string{sessionLine(strings.Repeat("a", 1<<10+1), "{alice.cookie}")}, "", authgear.ReasonSessionInvalid, ""},
}

func testResolver(t *testing.T, mount Mount) {
	f := newResolverFixture(t, mount, authgear.SourceHybrid)
	carol := f.server.AddUser(authgeartest.User{ID: "carol"})
	var pairs []string
	for _, id := range []string{f.alice, f.bob, carol} {
		pairs = append(pairs,
			"{"+id+".jwt}", f.server.AccessToken(id),
			"{"+id+".opaque}", f.server.OpaqueToken(id),
			"{"+id+".cookie}", f.server.SessionCookie(id).Value)
	}
	f.server.DisableUser(carol)
	credentials := strings.NewReplacer(pairs...)

	for _, c := range resolverCases {
		c.lines = slices.Clone(c.lines)
		for i, line := range c.lines {
			c.lines[i] = credentials.Replace(line)
		}
		c.sent = credentials.Replace(c.sent)
		if strings.Contains(strings.Join(c.lines, "")+c.sent, "{") {
			t.Fatalf("%s: %q stands for nothing", c.name, append(c.lines, c.sent))
		}
		for _, path := range []string{"/required", "/inside", "/optional", "/asks"} {
			f.check(t, c, path)
		}
	}
	f.checkElsewhere(t)
	f.checkTrailers(t)
}

// check compares the answer, and what Authgear has got.
func (f *resolverFixture) check(t *testing.T, c resolverCase, path string) {
	byHeader := slices.ContainsFunc(c.lines, func(line string) bool { return strings.HasPrefix(line, "Authorization: Bearer") })
	stale := c.want.Outcome() == authgear.OutcomeInvalid && !byHeader
	var sent, clear []string
	if c.sent != "" {
		sent = []string{c.sent}
		// Only what Authgear has refused is taken away, and only where a browser
		// could not drop another cookie of that name.
		if c.want == authgear.ReasonSessionInvalid && strings.Count(strings.Join(c.lines, ";"), "session=") == 1 {
			clear = clearingCookies[:1]
		}
	}
	what := c.name + " at " + path
	f.asked()
	got := f.raw(t, head("GET", path, c.lines...))
	switch {
	case c.want == "":
		wantBody(t, what, got, 200, f.told(path, c.sent, c.body))
	case path == "/optional" && (stale || c.want == authgear.ReasonNoCredentials):
		wantBody(t, what, got, 200, "nobody")
	default:
		want := refusal(c.want, "")
		if clear != nil {
			want.header["Set-Cookie"] = clear
		}
		same(t, what, got, want)
	}
	if lines := got.header["Set-Cookie"]; !slices.Equal(lines, clear) {
		t.Errorf("%s: Set-Cookie %q, want %q", what, lines, clear)
	}
	if asked := f.asked(); !slices.Equal(asked, sent) {
		t.Errorf("%s: Authgear got %q, want %q", what, asked, sent)
	}
}

// checkElsewhere sends what a browser sends by itself, and a token, for another
// website.
func (f *resolverFixture) checkElsewhere(t *testing.T) {
	jwt, cookie := f.server.AccessToken(f.alice), f.server.SessionCookie(f.alice).Value
	for line, refused := range map[string]bool{sessionLine(cookie): true, "Cookie: token=" + jwt: true, "Authorization: Bearer " + jwt: false} {
		for _, path := range []string{"/required", "/optional", "/fresh"} {
			got := f.raw(t, head("POST", path, slices.Concat(elsewhere, []string{line})...))
			if refused {
				same(t, "another website: "+line, got, refusal(authgear.ReasonCrossOrigin, ""))
			} else {
				wantBody(t, "another website: "+line, got, 200, f.told(path, line, byToken))
			}
		}
	}
}

// checkTrailers: a cookie in a trailer is none (RFC 9110 §6.5.1); a server may
// refuse it.
func (f *resolverFixture) checkTrailers(t *testing.T) {
	line, trailer := sessionLine(f.server.SessionCookie(f.alice).Value), sessionLine(f.server.SessionCookie(f.bob).Value)
	for _, declared := range [][]string{nil, {"Trailer: Cookie"}} {
		for who, lines := range map[string][]string{"nobody": nil, byCookie: {line}} {
			lines = slices.Concat(lines, declared, []string{"Transfer-Encoding: chunked"})
			got := f.raw(t, head("POST", "/optional", lines...)+"5\r\nhello\r\n0\r\n"+trailer+"\r\n\r\n")
			if got.status != 400 && (got.status != 200 || got.body != who) {
				t.Errorf("a cookie in a trailer, declared %q: %d %q, want %q", declared, got.status, got.body, who)
			}
		}
	}
}
