package guardtest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

const (
	trustedOrigin  = "https://app.example.com"
	trustedDevPort = "http://localhost:3000"
)

// origins are what a browser, or somebody who plays one, says about where a
// request to api.example.com comes from.
var origins = []struct {
	name  string
	lines []string
	pass  bool // when the method is unsafe
}{
	{"nothing, so no browser", nil, true},
	{"an empty Origin", []string{"Origin:"}, true},

	{"Sec-Fetch-Site: same-origin", []string{"Sec-Fetch-Site: same-origin"}, true},
	{"none: typed into the address bar", []string{"Sec-Fetch-Site: none"}, true},
	{"same-site: a sibling subdomain", []string{"Sec-Fetch-Site: same-site"}, false},
	{"cross-site", []string{"Sec-Fetch-Site: cross-site"}, false},
	{"garbage", []string{"Sec-Fetch-Site: same_origin"}, false},
	{"another case", []string{"Sec-Fetch-Site: Same-Origin"}, false},
	{"a list", []string{"Sec-Fetch-Site: same-origin, same-origin"}, false},
	{"same-origin twice", []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-origin"}, false},
	{"same-origin, then cross-site", []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, false},
	{"cross-site, then same-origin", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"}, false},
	{"an empty line, then same-origin", []string{"Sec-Fetch-Site:", "Sec-Fetch-Site: same-origin"}, false},
	{"twice in two spellings", []string{"Sec-Fetch-Site: same-origin", "sec-fetch-site: cross-site"}, false},
	{"the name in lower case", []string{"sec-fetch-site: cross-site"}, false},
	{"the name in upper case", []string{"SEC-FETCH-SITE: same-origin", "ORIGIN: https://evil.example"}, true},
	{"another field's name", []string{"Sec_Fetch_Site: same-origin", "Origin: https://evil.example"}, false},
	{"it goes before Origin", []string{"Sec-Fetch-Site: cross-site", "Origin: https://api.example.com"}, false},

	{"Origin: the same host", []string{"Origin: https://api.example.com"}, true},
	{"Origin: the same host, plain HTTP", []string{"Origin: http://api.example.com"}, true},
	{"another host", []string{"Origin: https://evil.example"}, false},
	{"null", []string{"Origin: null"}, false},
	{"another port", []string{"Origin: https://api.example.com:8443"}, false},
	{"a parent domain", []string{"Origin: https://example.com"}, false},
	{"the host as user information", []string{"Origin: https://api.example.com@evil.example"}, false},
	{"the host as path", []string{"Origin: https://evil.example/api.example.com"}, false},
	{"the name in lower case", []string{"origin: https://evil.example"}, false},
	{"the same host twice", []string{"Origin: https://api.example.com", "Origin: https://api.example.com"}, false},
	{"the same host, then another", []string{"Origin: https://api.example.com", "origin: https://evil.example"}, false},
	{"a host that the client claims", []string{"Origin: https://evil.example", "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"}, false},

	{"trusted", []string{"Origin: https://app.example.com"}, true},
	{"trusted, same-site", []string{"Origin: https://app.example.com", "Sec-Fetch-Site: same-site"}, true},
	{"trusted, cross-site", []string{"origin: https://app.example.com", "sec-fetch-site: cross-site"}, true},
	{"trusted with a port", []string{"Origin: http://localhost:3000", "Sec-Fetch-Site: cross-site"}, true},
	{"trusted in another case", []string{"Origin: https://APP.example.com"}, false},
	{"trusted by another scheme", []string{"Origin: http://app.example.com"}, false},
	{"trusted at another port", []string{"Origin: https://app.example.com:8443"}, false},
	{"trusted without its port", []string{"Origin: http://localhost"}, false},
	{"trusted twice", []string{"Origin: https://app.example.com", "Origin: https://app.example.com"}, false},
	{"trusted, then another", []string{"Origin: https://app.example.com", "Origin: https://evil.example"}, false},
	{"trusted, cross-site twice", []string{"Origin: https://app.example.com", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: cross-site"}, false},
	{"below a trusted one", []string{"Origin: https://x.app.example.com"}, false},
	{"a trusted one in front", []string{"Origin: https://app.example.com.evil.example"}, false},
}

// The lines that say who sent the request, and whether a browser sends such a
// line to whatever website asks it to.
var senders = []struct {
	name, line string
	byBrowser  bool
}{
	{"a cookie", "Cookie: a=b; who=user.alice", true},
	{"an identity that is marked by its authenticator", "Authorization: Bearer browser.alice", true},
	{"a token", "Authorization: Bearer user.alice", false},
	{"a machine's token", "Authorization: Bearer client.alice", false},
}

func testCrossOrigin(t *testing.T, mount Mount) {
	b := &bench{auth: &fake{}, record: &record{}}
	never := func(path string, kind StepKind) Route {
		return Route{Path: path, Steps: []Step{{Kind: kind, Policies: []authgear.Policy{authgear.Role("admin")}}}, Handler: whoAmI}
	}
	b.addr = mount(t, App{
		Guards: []Guard{{Authenticator: b.auth, Options: authgear.Options{
			TrustedOrigins: []string{trustedOrigin, trustedDevPort},
			Observer:       b.record.observer(),
		}}},
		Routes: []Route{
			{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: whoAmI},
			{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: whoAmI},
			{Path: "/live", Steps: []Step{{Kind: Live}}, Handler: whoAmI},
			{Path: "/inside", Steps: []Step{{Kind: Optional}, {Kind: Require}}, Handler: whoAmI},
			never("/denied", Require),
		},
	})
	paths := []string{"/required", "/optional", "/live", "/inside"}
	conn := b.dial(t)
	ask := func(method, path, sender string, lines []string) answer {
		t.Helper()
		return conn.ask(t, lasting(method, path, append([]string{sender}, lines...)...))
	}
	for i, origin := range origins {
		path := paths[i%len(paths)] // the rule has nothing to do with the kind of route
		for _, sender := range senders {
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				want := "alice"
				if method == "HEAD" {
					want = ""
				}
				says(t, origin.name+": "+sender.name+": "+method, ask(method, path, sender.line, origin.lines), 200, want)
			}
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
				what := origin.name + ": " + sender.name + ": " + method + " " + path
				if got := ask(method, path, sender.line, origin.lines); origin.pass || !sender.byBrowser {
					says(t, what, got, 200, "alice")
				} else {
					same(t, what, got, refusal(authgear.ReasonCrossOrigin, ""))
				}
			}
			// Whatever is opened by an Upgrade is under no same-origin policy.
			for _, upgrade := range []string{"Upgrade: websocket", "upgrade: anything", "Upgrade:"} {
				what := origin.name + ": " + sender.name + ": " + upgrade + " " + path
				got := ask("GET", path, sender.line, append([]string{"Connection: Upgrade", upgrade}, origin.lines...))
				if origin.pass || !sender.byBrowser {
					says(t, what, got, 200, "alice")
				} else {
					same(t, what, got, refusal(authgear.ReasonCrossOrigin, ""))
				}
			}
		}
	}

	// Methods that not every framework routes: where one does, they are unsafe,
	// "get" too, since methods are case-sensitive (RFC 9110 §9.1).
	for _, method := range []string{"TRACE", "PURGE", "get", "head", "Post"} {
		got := b.raw(t, head(method, "/required", senders[0].line, "Sec-Fetch-Site: cross-site"))
		if got.status == 403 {
			same(t, method, got, refusal(authgear.ReasonCrossOrigin, ""))
		} else if !slices.Contains([]int{400, 404, 405, 501}, got.status) || strings.Contains(got.body, "alice") {
			t.Errorf("%s: %d %q", method, got.status, got.body)
		}
	}

	elsewhere := []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}
	same(t, "the method is what it is", ask("POST", "/required", senders[0].line, append([]string{"X-Http-Method-Override: GET", "X-Http-Method: GET"}, elsewhere...)),
		refusal(authgear.ReasonCrossOrigin, ""))
	same(t, "before policies", ask("POST", "/denied", senders[0].line, elsewhere), refusal(authgear.ReasonCrossOrigin, ""))
	same(t, "policies after it", ask("GET", "/denied", senders[0].line, elsewhere), refusal(authgear.ReasonRoleMissing, ""))
	says(t, "no identity, no rule", ask("POST", "/optional", "Cookie: who=error.session_invalid", elsewhere), 200, "nobody")
	same(t, "no identity, its own reason", ask("POST", "/required", "X-Field: a", elsewhere), refusal(authgear.ReasonNoCredentials, ""))
	says(t, "a host in another case", b.raw(t, "POST /required HTTP/1.1\r\nHost: API.Example.com\r\nConnection: close\r\nCookie: who=user.alice\r\nOrigin: https://api.example.com\r\n\r\n"), 200, "alice")
	says(t, "a host with a port", b.raw(t, "POST /required HTTP/1.1\r\nHost: api.example.com:8443\r\nConnection: close\r\nCookie: who=user.alice\r\nOrigin: https://api.example.com:8443\r\n\r\n"), 200, "alice")
	same(t, "no host", b.raw(t, "POST /required HTTP/1.1\r\nHost:\r\nConnection: close\r\nCookie: who=user.alice\r\nOrigin: null\r\n\r\n"), refusal(authgear.ReasonCrossOrigin, ""))

	b.record.take()
	ask("POST", "/required", senders[0].line, elsewhere)
	decisions, _ := b.record.take()
	if len(decisions) != 1 || decisions[0].Outcome != authgear.OutcomeDenied || decisions[0].Reason != authgear.ReasonCrossOrigin || decisions[0].Source != authgear.SourceJWT {
		t.Fatalf("decisions = %+v", decisions)
	}
	if cause := errors.Unwrap(decisions[0].Err); cause == nil || !strings.Contains(cause.Error(), "https://evil.example") || !strings.Contains(cause.Error(), "TrustedOrigins") {
		t.Errorf("the operator is told %v, without the origin to add", cause)
	}
}
