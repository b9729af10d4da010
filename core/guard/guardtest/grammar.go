package guardtest

import (
	"fmt"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// testGrammar goes to the edges of the Authorization field, and to the places
// where a token must not be looked for.
func testGrammar(t *testing.T, mount Mount) {
	b, server := jwtBench(t, mount, whoAmI)
	good := server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	for name, c := range map[string]struct {
		lines []string
		want  authgear.Reason // "" for the identity
	}{
		"mixed case":                {[]string{"aUtHoRiZaTiOn: bEaReR " + good}, ""},
		"no space after the colon":  {[]string{"Authorization:Bearer " + good}, ""},
		"a tab behind":              {[]string{"Authorization: Bearer " + good + "\t"}, ""},
		"an empty field":            {[]string{"Authorization:"}, authgear.ReasonNoCredentials},
		"white space only":          {[]string{"Authorization: \t "}, authgear.ReasonNoCredentials},
		"no scheme at all":          {[]string{"Authorization: ,"}, authgear.ReasonNoCredentials},
		"a longer scheme":           {[]string{"Authorization: Bearer_ " + good}, authgear.ReasonNoCredentials},
		"a similar name":            {[]string{"Authorization_: Bearer " + good, "X-Authorization: Bearer " + good, "Proxy-Authorization: Bearer " + good}, authgear.ReasonNoCredentials},
		"a cookie":                  {[]string{"Cookie: access_token=" + good + "; session=" + good}, authgear.ReasonNoCredentials},
		"another scheme and cookie": {[]string{"Authorization: Basic YTpi", "Cookie: session=" + good}, authgear.ReasonNoCredentials},

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
		b.record.take()
		for _, path := range []string{"/required", "/optional"} {
			got := b.raw(t, head("GET", path, c.lines...))
			switch {
			case c.want == "":
				says(t, name+" at "+path, got, 200, "alice")
			case c.want == authgear.ReasonNoCredentials && path == "/optional":
				says(t, name+" at "+path, got, 200, "nobody")
			default:
				same(t, name+" at "+path, got, refusal(c.want, ""))
			}
		}
		decisions, _ := b.record.take()
		if len(decisions) != 2 || decisions[0].Reason != c.want || decisions[1].Reason != c.want {
			t.Errorf("%s: decisions = %+v, want the reason %q", name, decisions, c.want)
		}
	}

	// RFC 6750 §2.2 and §2.3 are not served: such tokens end up in logs.
	form := "access_token=" + good
	same(t, "the query", b.get(t, "GET", "/required?access_token="+good, ""), refusal(authgear.ReasonNoCredentials, ""))
	same(t, "the form", b.raw(t, head("POST", "/required", "Content-Type: application/x-www-form-urlencoded",
		fmt.Sprintf("Content-Length: %d", len(form)))+form), refusal(authgear.ReasonNoCredentials, ""))
}

// testLateFields sends what a trailer may not bring (RFC 9110 §6.5.1) next to
// credentials in the header.
func testLateFields(t *testing.T, mount Mount) {
	handler := func(c Context) (int, string) {
		fields := c.Fields() // reads the body and what follows it
		var lines []string
		for name, values := range fields {
			if name = strings.ToLower(name); name == "authorization" || name == "cookie" || strings.Contains(name, "authgear") {
				lines = append(lines, values...)
			}
		}
		_, who := whoAmI(c)
		return 200, fmt.Sprint(who, lines)
	}
	b := newBench(t, mount, Default,
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
				got := b.raw(t, head("POST", path, lines...)+"5\r\nhello\r\n0\r\n"+trailer+"\r\n\r\n")
				// A server may refuse a forbidden trailer, or drop it.
				if got.status != 400 && (got.status != 200 || got.body != want) {
					t.Errorf("%s at %s, declared %q: %d %q, want %q", trailer, path, declared, got.status, got.body, want)
				}
			}
		}
	}
}
