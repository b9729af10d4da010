package guardtest

import (
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

const (
	trustedOrigin  = "https://app.example.com"
	trustedDevPort = "http://localhost:3000"
)

// elsewhere are the lines of a browser that another website sends.
var elsewhere = []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}

type origin struct {
	name  string
	lines []string
	pass  bool // when the method is unsafe
}

// origins are what a browser, or somebody who plays one, says about where a
// request to api.example.com comes from.
var origins = []origin{
	{"nothing, so no browser", nil, true},
	{"Sec-Fetch-Site: same-origin", []string{"Sec-Fetch-Site: same-origin"}, true},
	{"cross-site", []string{"Sec-Fetch-Site: cross-site"}, false},
	{"twice in two spellings", []string{"Sec-Fetch-Site: same-origin", "sec-fetch-site: cross-site"}, false},
	{"the name in lower case", []string{"sec-fetch-site: cross-site"}, false},
	{"another header's name", []string{"Sec_Fetch_Site: same-origin", "Origin: https://evil.example"}, false},
	{"Origin: the same host", []string{"Origin: https://api.example.com"}, true},
	{"another host", []string{"Origin: https://evil.example"}, false},
	{"the name in lower case", []string{"origin: https://evil.example"}, false},
	{"the same host, then another", []string{"Origin: https://api.example.com", "origin: https://evil.example"}, false},
	{"a host that the client claims", []string{"Origin: https://evil.example", "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"}, false},
	{"trusted", []string{"Origin: https://app.example.com"}, true},
}

// moreOrigins are those in which every framework sees the same.
var moreOrigins = []origin{
	{"an empty Origin", []string{"Origin:"}, true},
	{"none: typed into the address bar", []string{"Sec-Fetch-Site: none"}, true},
	{"same-site: a sibling subdomain", []string{"Sec-Fetch-Site: same-site"}, false},
	{"garbage", []string{"Sec-Fetch-Site: same_origin"}, false},
	{"another case", []string{"Sec-Fetch-Site: Same-Origin"}, false},
	{"a list", []string{"Sec-Fetch-Site: same-origin, same-origin"}, false},
	{"same-origin twice", []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-origin"}, false},
	{"same-origin, then cross-site", []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, false},
	{"cross-site, then same-origin", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"}, false},
	{"an empty line, then same-origin", []string{"Sec-Fetch-Site:", "Sec-Fetch-Site: same-origin"}, false},
	{"the name in upper case", []string{"SEC-FETCH-SITE: same-origin", "ORIGIN: https://evil.example"}, true},
	{"it goes before Origin", []string{"Sec-Fetch-Site: cross-site", "Origin: https://api.example.com"}, false},
	{"Origin: the same host, plain HTTP", []string{"Origin: http://api.example.com"}, true},
	{"null", []string{"Origin: null"}, false},
	{"another port", []string{"Origin: https://api.example.com:8443"}, false},
	{"a parent domain", []string{"Origin: https://example.com"}, false},
	{"the host as user information", []string{"Origin: https://api.example.com@evil.example"}, false},
	{"the host as path", []string{"Origin: https://evil.example/api.example.com"}, false},
	{"the same host twice", []string{"Origin: https://api.example.com", "Origin: https://api.example.com"}, false},
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

// The lines that tell who sent the request, and whether a browser sends such a
// line to whatever website asks it to.
var senders = []struct {
	name, line string
	ambient    bool
}{
	{"a cookie", "Cookie: a=b; who=user.alice", true},
	{"an identity that is marked by its authenticator", "Authorization: Bearer browser.alice", true},
	{"a token", "Authorization: Bearer user.alice", false},
	{"a client's own token", "Authorization: Bearer client.alice", false},
}

// everyKind admits clients beside users.
var everyKind = []authgear.Policy{authgear.Kinds(authgear.KindUser, authgear.KindClient)}

func testCrossOrigin(t *testing.T, mount Mount) {
	f := newCrossOriginFixture(t, mount)
	checkOrigins(t, f.dial(t), origins)
	checkOtherMethods(t, f)
	checkHosts(t, f)
}

func testOrigins(t *testing.T, mount Mount) {
	f := newCrossOriginFixture(t, mount)
	conn := f.dial(t)
	checkOrigins(t, conn, moreOrigins)
	checkOrder(t, conn)
}

func newCrossOriginFixture(t *testing.T, mount Mount) *fixture {
	t.Helper()
	f := &fixture{auth: &fake{}, record: &record{}}
	f.addr = mount(t, App{
		Guards: []Guard{{Authenticator: f.auth, Config: guard.Config{
			TrustedOrigins: []string{trustedOrigin, trustedDevPort},
			Observer:       f.record.observer(),
		}}},
		Routes: []Route{
			{Path: "/required", Steps: []Step{{Kind: Require, Policies: everyKind}}, Handler: whoAmI},
			{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: whoAmI},
			{Path: "/fresh", Steps: []Step{{Kind: RequireFresh, Policies: everyKind}}, Handler: whoAmI},
			{Path: "/inside", Steps: []Step{{Kind: Optional}, {Kind: Require, Policies: everyKind}}, Handler: whoAmI},
			{Path: "/denied", Steps: []Step{{Kind: Require, Policies: []authgear.Policy{authgear.Role("admin")}}}, Handler: whoAmI},
		},
	})
	return f
}

// checkOrigins sends each origin's lines for each sender.
func checkOrigins(t *testing.T, conn connection, origins []origin) {
	paths := []string{"/required", "/optional", "/fresh", "/inside"}
	for i, origin := range origins {
		path := paths[i%len(paths)] // the rule has nothing to do with the kind of route
		for _, sender := range senders {
			what := origin.name + ": " + sender.name + ": "
			ask := func(method string, lines ...string) answer {
				return conn.ask(t, keepAlive(method, path, slices.Concat([]string{sender.line}, lines, origin.lines)...))
			}
			ruled := func(what string, got answer) {
				t.Helper()
				if origin.pass || !sender.ambient {
					wantBody(t, what, got, 200, "alice")
				} else {
					same(t, what, got, refusal(authgear.ReasonCrossOrigin, ""))
				}
			}
			wantBody(t, what+"GET", ask("GET"), 200, "alice")
			wantBody(t, what+"HEAD", ask("HEAD"), 200, "")
			wantBody(t, what+"OPTIONS", ask("OPTIONS"), 200, "alice")
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
				ruled(what+method+" "+path, ask(method))
			}
			// Whatever is opened by an Upgrade is under no same-origin policy.
			for _, upgrade := range []string{"Upgrade: websocket", "upgrade: anything", "Upgrade:"} {
				ruled(what+upgrade+" "+path, ask("GET", "Connection: Upgrade", upgrade))
			}
		}
	}
}

// checkOtherMethods sends methods that not every framework routes: where one
// does, they are unsafe, "get" too, since methods are case-sensitive
// (RFC 9110 §9.1).
func checkOtherMethods(t *testing.T, f *fixture) {
	for _, method := range []string{"TRACE", "PURGE", "get", "head", "Post"} {
		got := f.raw(t, head(method, "/required", senders[0].line, "Sec-Fetch-Site: cross-site"))
		if got.status == 403 {
			same(t, method, got, refusal(authgear.ReasonCrossOrigin, ""))
		} else if !slices.Contains([]int{400, 404, 405, 501}, got.status) || strings.Contains(got.body, "alice") {
			t.Errorf("%s: %d %q", method, got.status, got.body)
		}
	}
}

// checkOrder: the rule comes after authentication and before policies.
func checkOrder(t *testing.T, conn connection) {
	ask := func(method, path string, lines ...string) answer {
		return conn.ask(t, keepAlive(method, path, slices.Concat(lines, elsewhere)...))
	}
	cookie := senders[0].line
	same(t, "the method is what it is", ask("POST", "/required", cookie, "X-Http-Method-Override: GET", "X-Http-Method: GET"), refusal(authgear.ReasonCrossOrigin, ""))
	same(t, "before policies", ask("POST", "/denied", cookie), refusal(authgear.ReasonCrossOrigin, ""))
	same(t, "policies after it", ask("GET", "/denied", cookie), refusal(authgear.ReasonRoleMissing, ""))
	wantBody(t, "no identity, no rule", ask("POST", "/optional", "Cookie: who=error.session_invalid"), 200, "nobody")
	same(t, "no identity, its own reason", ask("POST", "/required", "X-Field: a"), refusal(authgear.ReasonNoCredentials, ""))
}

// checkHosts: the host that an Origin is compared with is the request's.
func checkHosts(t *testing.T, f *fixture) {
	ask := func(host, origin string) answer {
		return f.raw(t, "POST /required HTTP/1.1\r\nHost:"+host+"\r\nConnection: close\r\nCookie: who=user.alice\r\nOrigin: "+origin+"\r\n\r\n")
	}
	wantBody(t, "a host in another case", ask(" API.Example.com", "https://api.example.com"), 200, "alice")
	wantBody(t, "a host with a port", ask(" api.example.com:8443", "https://api.example.com:8443"), 200, "alice")
	if got := ask("", "null"); got.status != 400 { // by which some servers answer already
		same(t, "no host", got, refusal(authgear.ReasonCrossOrigin, ""))
	}
}
