package guardtest

import (
	"fmt"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// testGrammar goes to the edges of the Authorization header, and to the places
// where a token must not be looked for.
func testGrammar(t *testing.T, mount Mount) {
	p := newProject(t, mount, whoAmI)
	good := p.server.AccessToken(p.server.AddUser(authgeartest.User{ID: "alice"}))
	for name, c := range map[string]struct {
		lines []string
		want  authgear.Reason // "" for the identity
	}{
		"mixed case":                {[]string{"aUtHoRiZaTiOn: bEaReR " + good}, ""},
		"no space after the colon":  {[]string{"Authorization:Bearer " + good}, ""},
		"a tab behind":              {[]string{"Authorization: Bearer " + good + "\t"}, ""},
		"an empty header":           {[]string{"Authorization:"}, authgear.ReasonNoCredentials},
		"white space only":          {[]string{"Authorization: \t "}, authgear.ReasonNoCredentials},
		"no scheme at all":          {[]string{"Authorization: ,"}, authgear.ReasonNoCredentials},
		"a longer scheme":           {[]string{"Authorization: Bearer_ " + good}, authgear.ReasonNoCredentials},
		"a similar name":            {[]string{"Authorization_: Bearer " + good, "X-Authorization: Bearer " + good, "Proxy-Authorization: Bearer " + good}, authgear.ReasonNoCredentials},
		"a cookie":                  {[]string{"Cookie: access_token=" + good + "; " + good + "; Token=" + good}, authgear.ReasonNoCredentials},
		"another scheme and cookie": {[]string{"Authorization: Basic YTpi", "Cookie: access_token=" + good}, authgear.ReasonNoCredentials},

		"spaces only":              {[]string{"Authorization: Bearer   "}, authgear.ReasonAuthorizationMalformed},
		"a colon":                  {[]string{"Authorization: Bearer: " + good}, authgear.ReasonAuthorizationMalformed},
		"an equals sign":           {[]string{"Authorization: Bearer=" + good}, authgear.ReasonAuthorizationMalformed},
		"a comma behind":           {[]string{"Authorization: Bearer " + good + ","}, authgear.ReasonAuthorizationMalformed},
		"a comma in front":         {[]string{"Authorization: Bearer ," + good}, authgear.ReasonAuthorizationMalformed},
		"padding only":             {[]string{"Authorization: Bearer =="}, authgear.ReasonAuthorizationMalformed},
		"padding inside":           {[]string{"Authorization: Bearer a=b"}, authgear.ReasonAuthorizationMalformed},
		"a space, then a tab":      {[]string{"Authorization: Bearer \t" + good}, authgear.ReasonAuthorizationMalformed},
		"not ASCII":                {[]string{"Authorization: Bearer " + good + "\xc3\xa9"}, authgear.ReasonAuthorizationMalformed},
		"parameters":               {[]string{`Authorization: Bearer token="` + good + `"`}, authgear.ReasonAuthorizationMalformed},
		"malformed beside a good":  {[]string{"Authorization: Bearer", "Authorization: Bearer " + good}, authgear.ReasonAuthorizationMalformed},
		"a good beside other ones": {[]string{"Authorization: Bearer " + good, "Authorization: Basic YTpi", "Authorization: "}, authgear.ReasonAuthorizationMalformed},
		"no rescue by a cookie":    {[]string{"Authorization: Bearer", "Cookie: session=" + good}, authgear.ReasonAuthorizationMalformed},

		"the largest size":   {[]string{"Authorization: Bearer " + strings.Repeat("a", 16<<10)}, authgear.ReasonTokenOpaque},
		"one byte more":      {[]string{"Authorization: Bearer " + strings.Repeat("a", 16<<10+1)}, authgear.ReasonTokenTooLarge},
		"a JWT with padding": {[]string{"Authorization: Bearer " + good + "="}, authgear.ReasonTokenMalformed},
	} {
		for _, s := range sources {
			want := s.reason(c.want)
			p.record.take()
			for _, route := range []string{"required", "optional"} {
				what := fmt.Sprintf("%s: %s at %s", s.name, name, route)
				got := p.ask(t, s, "GET", route, c.lines...)
				switch {
				case want == "":
					wantBody(t, what, got, 200, "alice")
				case want == authgear.ReasonNoCredentials && route == "optional":
					wantBody(t, what, got, 200, "nobody")
				default:
					same(t, what, got, refusal(want, ""))
				}
			}
			decisions, _ := p.record.take()
			if len(decisions) != 2 || decisions[0].Reason != want || decisions[1].Reason != want {
				t.Errorf("%s: %s: decisions = %+v, want the reason %q", s.name, name, decisions, want)
			}
		}
	}

	// RFC 6750 §2.2 and §2.3 are not served: such tokens end up in logs.
	form := "access_token=" + good + "&token=" + good
	for _, s := range sources {
		same(t, string(s.name)+": the query", p.ask(t, s, "GET", "required?"+form), refusal(authgear.ReasonNoCredentials, ""))
		got := p.raw(t, head("POST", "/"+string(s.name)+"/required", "Content-Type: application/x-www-form-urlencoded",
			fmt.Sprintf("Content-Length: %d", len(form)), "X-Authgear-Proxy-Secret: "+proxySecret)+form)
		same(t, string(s.name)+": the form", got, refusal(authgear.ReasonNoCredentials, ""))
	}
}

// testLateHeaders sends what a trailer may not bring (RFC 9110 §6.5.1) next to
// credentials in the header.
func testLateHeaders(t *testing.T, mount Mount) {
	handler := func(c Context) (int, string) {
		headers := c.Headers() // reads the body and what follows it
		var lines []string
		for name, values := range headers {
			if name = strings.ToLower(name); name == "authorization" || name == "cookie" || strings.Contains(name, "authgear") {
				lines = append(lines, values...)
			}
		}
		_, who := whoAmI(c)
		return 200, fmt.Sprint(who, lines)
	}
	f := newFixture(t, mount, Default,
		Route{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: handler},
		Route{Path: "/strip", Steps: []Step{{Kind: Strip}}, Handler: handler},
	)
	for _, trailer := range []string{
		"Authorization: Bearer user.mallory",
		"authorization: Bearer user.mallory",
		"X-Authgear-User-Id: mallory",
		"X_Authgear_User_Id: mallory",
	} {
		name, _, _ := strings.Cut(trailer, ":")
		for _, declared := range [][]string{nil, {"Trailer: " + name}} {
			for path, want := range map[string]string{"/required": "alice[Bearer user.alice]", "/strip": "nobody[Bearer user.alice]"} {
				lines := append([]string{"Authorization: Bearer user.alice", "Transfer-Encoding: chunked"}, declared...)
				got := f.raw(t, head("POST", path, lines...)+"5\r\nhello\r\n0\r\n"+trailer+"\r\n\r\n")
				// A server may refuse a forbidden trailer, or drop it.
				if got.status != 400 && (got.status != 200 || got.body != want) {
					t.Errorf("%s at %s, declared %q: %d %q, want %q", trailer, path, declared, got.status, got.body, want)
				}
			}
		}
	}
}
