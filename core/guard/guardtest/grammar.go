package guardtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// authorizationCase is what lines must lead to.
type authorizationCase struct {
	name  string
	lines []string
	want  authgear.Reason // "" for the identity
}

// testGrammar sends what a server or a framework could read in its own way, and
// looks at the places where a token must not be looked for.
func testGrammar(t *testing.T, mount Mount) {
	p := newProject(t, mount, whoAmI)
	alice := p.server.AddUser(authgeartest.User{ID: "alice"})
	good := p.server.AccessToken(alice)
	long := p.server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"long": strings.Repeat("x", 10<<10)}})
	p.checkAuthorization(t, []authorizationCase{
		{"as usual", []string{"Authorization: Bearer " + good}, ""},
		{"mixed case", []string{"aUtHoRiZaTiOn: bEaReR " + good}, ""},
		{"no space after the colon", []string{"Authorization:Bearer " + good}, ""},
		{"a tab in front", []string{"Authorization: \tBearer " + good}, ""},
		{"a tab behind", []string{"Authorization: Bearer " + good + "\t"}, ""},
		{"a space behind", []string{"Authorization: Bearer " + good + " "}, ""},
		{"a very long token", []string{"Authorization: Bearer " + long}, ""},
		{"an empty header", []string{"Authorization:"}, authgear.ReasonNoCredentials},
		{"white space only", []string{"Authorization: \t "}, authgear.ReasonNoCredentials},
		{"another scheme", []string{"Authorization: Basic dXNlcjpwYXNz"}, authgear.ReasonNoCredentials},
		{"a similar name", []string{"Authorization_: Bearer " + good, "X-Authorization: Bearer " + good, "Proxy-Authorization: Bearer " + good}, authgear.ReasonNoCredentials},
		{"no token", []string{"Authorization: Bearer"}, authgear.ReasonAuthorizationMalformed},
		{"a tab", []string{"Authorization: Bearer\t" + good}, authgear.ReasonAuthorizationMalformed},
		{"not ASCII", []string{"Authorization: Bearer " + good + "\xc3\xa9"}, authgear.ReasonAuthorizationMalformed},
		{"a good one beside others", []string{"Authorization: Bearer " + good, "Authorization: Basic YTpi", "Authorization: "}, authgear.ReasonAuthorizationMalformed},
		{"the largest size", []string{"Authorization: Bearer " + strings.Repeat("a", 16<<10)}, authgear.ReasonTokenOpaque},
		{"one byte more", []string{"Authorization: Bearer " + strings.Repeat("a", 16<<10+1)}, authgear.ReasonTokenTooLarge},
	})

	// RFC 6750 §2.2 and §2.3 are not served: such tokens end up in logs.
	form := "access_token=" + good + "&token=" + good
	for _, s := range sources {
		same(t, string(s.name)+": the query", p.ask(t, s, "GET", "required?"+form), refusal(authgear.ReasonNoCredentials, ""))
		got := p.raw(t, head("POST", "/"+string(s.name)+"/required", "Content-Type: application/x-www-form-urlencoded",
			fmt.Sprintf("Content-Length: %d", len(form)), "X-Authgear-Proxy-Secret: "+proxySecret)+form)
		same(t, string(s.name)+": the form", got, refusal(authgear.ReasonNoCredentials, ""))
	}

	// A token without its scheme is none, and a word of JavaScript's is no token: the
	// operator learns what is wrong.
	for _, s := range []source{jwtSource, hybridSource, resolverSource} {
		p.record.take()
		same(t, "no scheme", p.ask(t, s, "GET", "required", "Authorization: "+good), refusal(authgear.ReasonNoCredentials, ""))
		if _, notices := p.record.take(); len(notices) != 1 || notices[0].Kind != authgear.NoticeMissingBearer {
			t.Errorf("%s: no scheme: notices %+v", s.name, notices)
		}
		same(t, "undefined", p.ask(t, s, "GET", "optional", "Authorization: Bearer undefined"), refusal(authgear.ReasonTokenMalformed, ""))
		if decisions, _ := p.record.take(); len(decisions) != 1 || !strings.Contains(fmt.Sprint(errors.Unwrap(decisions[0].Err)), "undefined") {
			t.Errorf("%s: undefined: decisions %+v", s.name, decisions)
		}
	}

	client := "Authorization: Bearer " + p.server.ClientToken("m2m", resource)
	for _, s := range []source{jwtSource, hybridSource} { // by the token alone
		p.record.take()
		wantBody(t, "an optional route serves clients too", p.ask(t, s, "GET", "optional", client), 200, "client_id_m2m")
		if decisions, _ := p.record.take(); len(decisions) != 1 || decisions[0].Source != authgear.SourceJWT {
			t.Errorf("%s: a client: decisions %+v", s.name, decisions)
		}
	}
}

// testTokens goes through what can be wrong with a token, which only those tell that
// read it themselves.
func testTokens(t *testing.T, mount Mount) {
	p := newProject(t, mount, whoAmI)
	alice := p.server.AddUser(authgeartest.User{ID: "alice"})
	good := p.server.AccessToken(alice)
	var cases []authorizationCase
	for token, want := range map[string]authgear.Reason{
		"nobody-has-issued-this":        authgear.ReasonTokenOpaque,
		"a.b.c":                         authgear.ReasonTokenMalformed,
		good + "=":                      authgear.ReasonTokenMalformed,
		good[:len(good)-8] + "AAAAAAAA": authgear.ReasonSignatureInvalid,
		p.server.IDToken(alice, "demo"): authgear.ReasonTokenType,
		p.server.ClientToken("m2m", "https://api.example.com"):                                                     authgear.ReasonAudienceMismatch,
		p.server.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Hour}):                                     authgear.ReasonTokenExpired,
		p.server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"iss": "https://evil.example.com"}}): authgear.ReasonIssuerMismatch,
	} {
		cases = append(cases, authorizationCase{token, []string{"Authorization: Bearer " + token}, want})
	}
	p.checkAuthorization(t, cases)
	for _, s := range sources {
		got := p.ask(t, s, "GET", "required", "Authorization: Bearer "+p.server.OpaqueToken(alice))
		if s.name == authgear.SourceJWT {
			same(t, "opaque", got, refusal(authgear.ReasonTokenOpaque, ""))
		} else {
			wantBody(t, string(s.name)+": opaque", got, 200, "alice")
		}
	}
}

func (p project) checkAuthorization(t *testing.T, cases []authorizationCase) {
	for _, c := range cases {
		for _, s := range sources {
			want := s.reason(c.want)
			p.record.take()
			for _, route := range []string{"required", "optional"} {
				what := fmt.Sprintf("%s: %s at %s", s.name, c.name, route)
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
			for _, d := range decisions {
				if d.Reason != want || want == "" && d.Source != s.name {
					t.Errorf("%s: %s: decision %+v, want the reason %q", s.name, c.name, d, want)
				}
			}
			if len(decisions) != 2 {
				t.Errorf("%s: %s: %d decisions", s.name, c.name, len(decisions))
			}
		}
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
