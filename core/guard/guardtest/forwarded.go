package guardtest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

const proof = "X-Authgear-Proxy-Secret: " + proxySecret

// forwardedAlice is what a reverse proxy forwards of alice's session.
var forwardedAlice = []string{
	"X-Authgear-Session-Valid: true",
	"X-Authgear-User-Id: alice",
	"X-Authgear-User-Anonymous: false",
	"X-Authgear-User-Verified: true",
	"X-Authgear-User-Can-Reauthenticate: true",
	"X-Authgear-User-Roles: editor,admin",
	"X-Authgear-Session-Amr: ",
	"X-Authgear-Session-Authenticated-At: 1795470161",
}

// newForwardedFixture has a guard for each way to prove the hop: at /secret, /peer
// (the only one that trusts roles) and /both, and at /elsewhere one that trusts
// other machines only. Below each are the routes required and optional.
func newForwardedFixture(t *testing.T, mount Mount) *fixture {
	t.Helper()
	f := &fixture{record: &record{}}
	observer := f.record.observer()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	secrets := []string{strings.Repeat("another-secret-", 3), proxySecret}
	handler := func(c Context) (int, string) {
		for name, values := range c.Headers() {
			if strings.Contains(strings.ToLower(name), "authgear") {
				return 500, fmt.Sprint("the handler sees ", name, values)
			}
		}
		return describe(c)
	}
	var app App
	for i, g := range []struct {
		path   string
		config authgear.ForwardedConfig
	}{
		{"/secret", authgear.ForwardedConfig{Secrets: secrets}},
		{"/peer", authgear.ForwardedConfig{TrustedProxies: loopback, TrustRoles: true}},
		{"/both", authgear.ForwardedConfig{TrustedProxies: loopback, Secrets: secrets}},
		{"/elsewhere", authgear.ForwardedConfig{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.2/32")}, Secrets: secrets}},
	} {
		g.config.Observer = observer
		auth, err := authgear.NewForwarded(g.config)
		if err != nil {
			t.Fatal(err)
		}
		app.Guards = append(app.Guards, Guard{Authenticator: auth, Config: guard.Config{Observer: observer}})
		route := func(name string, kinds ...StepKind) Route {
			r := Route{Path: g.path + "/" + name, Handler: handler}
			for _, kind := range kinds {
				r.Steps = append(r.Steps, Step{Kind: kind, Guard: i})
			}
			return r
		}
		app.Routes = append(app.Routes, route("required", Require), route("optional", Optional),
			route("inside", Optional, Require, Require), route("stripped", Strip, Optional))
	}
	f.addr = mount(t, app)
	return f
}

// anyToken is a token beside what a reverse proxy forwards, which has judged it.
const anyToken = "Authorization: Bearer token"

// What the handler answers for alice.
const (
	forwardedByProxy = "forwarded alice [] verified=true cookie=true"
	forwardedRoles   = "forwarded alice [admin editor] verified=true cookie=true"
	forwardedByToken = "forwarded alice [] verified=true cookie=false"
)

// aliceWith has these lines below alice's.
func aliceWith(lines ...string) []string { return slices.Concat(forwardedAlice, lines) }

// aliceWithout has the proof and all but one of alice's headers.
func aliceWithout(name string) []string {
	return slices.DeleteFunc(aliceWith(proof), func(line string) bool { return strings.HasPrefix(line, name+":") })
}

// aliceBut has the proof and alice's headers, one of them with another value.
func aliceBut(name, value string) []string { return append(aliceWithout(name), name+": "+value) }

// spelt has the lines with their names in another spelling.
func spelt(spell func(string) string, lines []string) []string {
	lines = slices.Clone(lines)
	for i, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		lines[i] = spell(name) + ":" + value
	}
	return lines
}

func underscores(name string) string { return strings.ReplaceAll(name, "-", "_") }
func dots(name string) string        { return strings.ReplaceAll(name, "-", ".") }

// forwardedCase is what lines to the guard at a path must lead to.
type forwardedCase struct {
	name, path string
	lines      []string
	body       string          // of an identity
	want       authgear.Reason // else
	notice     bool            // that headers were ignored
}

// forwardedCases are those that a server could read in its own way.
var forwardedCases = []forwardedCase{
	// The hop is proven, and the headers are whole.
	{"by the secret", "/secret", aliceWith(proof), forwardedByProxy, "", false},
	{"by the peer", "/peer", forwardedAlice, forwardedRoles, "", false},
	{"by both", "/both", aliceWith(proof), forwardedByProxy, "", false},
	{"with a token", "/secret", aliceWith(proof, anyToken), forwardedByToken, "", false},
	{"with another scheme", "/secret", aliceWith(proof, "Authorization: Basic YTpi"), forwardedByProxy, "", false},
	{"names in lower case", "/secret", spelt(strings.ToLower, aliceWith(proof)), forwardedByProxy, "", false},
	{"names in upper case", "/secret", spelt(strings.ToUpper, aliceWith(proof)), forwardedByProxy, "", false},
	{"without spaces", "/secret", strings.Split(strings.ReplaceAll(strings.Join(aliceWith(proof), "\n"), ": ", ":"), "\n"), forwardedByProxy, "", false},
	{"spaces and tabs around", "/secret", strings.Split(strings.ReplaceAll(strings.Join(aliceWith(proof), " \t\n"), ": ", ":\t "), "\n"), forwardedByProxy, "", false},
	{"a signed webhook's header", "/secret", []string{"X-Webhook-Signature: a"}, "", authgear.ReasonNoCredentials, false},

	// The hop is not proven.
	{"no secret", "/secret", forwardedAlice, "", authgear.ReasonNoCredentials, true},
	{"no secret, but the peer", "/both", forwardedAlice, "", authgear.ReasonNoCredentials, true},
	{"the secret, but another peer", "/elsewhere", aliceWith(proof), "", authgear.ReasonNoCredentials, true},
	{"a peer that the client claims", "/elsewhere", aliceWith(proof, "X-Forwarded-For: 10.0.0.1", "X-Real-Ip: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Client-Ip: 10.0.0.1", "True-Client-Ip: 10.0.0.1", "Cf-Connecting-Ip: 10.0.0.1"), "", authgear.ReasonNoCredentials, true},
	{"a wrong secret", "/secret", aliceWith("X-Authgear-Proxy-Secret: " + strings.ToUpper(proxySecret)), "", authgear.ReasonProxySecretMismatch, false},
	{"twice in two spellings", "/secret", aliceWith(proof, strings.ToLower("X-Authgear-Proxy-Secret")+": "+proxySecret), "", authgear.ReasonNoCredentials, true},
	{"the secret by another name", "/secret", aliceWith("X_Authgear_Proxy_Secret: " + proxySecret), "", authgear.ReasonNoCredentials, true},

	// Authgear has stated nobody or refused, or Authorization is malformed.
	{"no session", "/secret", []string{proof}, "", authgear.ReasonNoCredentials, false},
	{"refused", "/secret", []string{proof, "X-Authgear-Session-Valid: false"}, "", authgear.ReasonSessionInvalid, false},
	{"a token that the proxy took away", "/secret", aliceWith(proof, "X-Authgear-Credential: token"), forwardedByToken, "", false},
	{"two Authorization lines", "/secret", aliceWith(proof, anyToken, anyToken), "", authgear.ReasonAuthorizationMalformed, false},

	// A name with _ or . in it states nothing, beside the headers or alone.
	{"forged beside it: underscores", "/secret", aliceWith(append(spelt(underscores, aliceBut("X-Authgear-User-Id", "mallory")), proof)...), forwardedByProxy, "", false},
	{"forged beside it: dots", "/peer", aliceWith(spelt(dots, aliceBut("X-Authgear-User-Id", "mallory"))...), forwardedRoles, "", false},
	{"forged only: underscores", "/peer", spelt(underscores, forwardedAlice), "", authgear.ReasonNoCredentials, false},
	{"forged only: dots", "/peer", spelt(dots, forwardedAlice), "", authgear.ReasonNoCredentials, false},
	{"forged and another scheme", "/peer", append(spelt(underscores, forwardedAlice), "Authorization: Basic YTpi"), "", authgear.ReasonNoCredentials, false},
	{"forged and a token", "/peer", append(spelt(underscores, forwardedAlice), anyToken), "", authgear.ReasonTokenRejected, false},

	// A value that Authgear does not send, and a header that it may leave out.
	{"an empty user id", "/secret", aliceBut("X-Authgear-User-Id", ""), "", authgear.ReasonAnswerMalformed, false},

	// Connection names a header that a proxy then leaves out (RFC 9110 §7.6.1).
	{"Connection: a header", "/secret", aliceWith(proof, "Connection: X-Authgear-User-Id"), "", authgear.ReasonAnswerMalformed, false},
	{"Connection: in lower case", "/secret", aliceWith(proof, "connection: x-authgear-user-roles"), "", authgear.ReasonAnswerMalformed, false},
	{"Connection: in a list", "/peer", aliceWith("Connection: keep-alive,\tX-AUTHGEAR-USER-ID , foo"), "", authgear.ReasonAnswerMalformed, false},
	{"Connection: another spelling", "/peer", aliceWith("Connection: foo, X_Authgear.User_Id"), "", authgear.ReasonAnswerMalformed, false},
	{"Connection: the secret", "/secret", aliceWith(proof, "Connection: X-Authgear-Proxy-Secret"), "", authgear.ReasonAnswerMalformed, false},
	{"Connection: another header", "/secret", aliceWith(proof, "Connection: keep-alive, X-Other, X-Authgear-Body-Signature"), forwardedByProxy, "", false},
}

func testForwarded(t *testing.T, mount Mount) {
	f := newForwardedFixture(t, mount)
	for _, c := range forwardedCases {
		for _, route := range []string{"/required", "/inside", "/optional"} {
			checkForwarded(t, f, c, route)
		}
		// Nobody else has proven anything to a guard behind Strip.
		if got := f.raw(t, head("GET", c.path+"/stripped", c.lines...)); got.status < 400 && got.body != "nobody" {
			t.Errorf("%s, stripped: %d %q", c.name, got.status, got.body)
		}
	}
	checkForwardedElsewhere(t, f)
}

func checkForwarded(t *testing.T, f *fixture, c forwardedCase, route string) {
	what := c.name + " at " + c.path + route
	f.record.take()
	got := f.raw(t, head("GET", c.path+route, c.lines...))
	switch {
	case c.want == "":
		wantBody(t, what, got, 200, c.body)
	case route == "/optional" && (c.want == authgear.ReasonNoCredentials || c.want == authgear.ReasonSessionInvalid):
		wantBody(t, what, got, 200, "nobody")
	default:
		same(t, what, got, refusal(c.want, "1"))
	}
	decisions, notices := f.record.take()
	if c.want == "" && len(decisions) != 1 { // nested guards have verified it once
		t.Errorf("%s: decisions %+v", what, decisions)
	}
	if len(decisions) == 0 || decisions[len(decisions)-1].Reason != c.want || (len(notices) == 1) != c.notice || c.notice && notices[0].Kind != authgear.NoticeUntrustedProxy {
		t.Errorf("%s: decisions %+v, notices %+v, want the reason %q and a notice: %v", what, decisions, notices, c.want, c.notice)
	}
}

// checkForwardedElsewhere: what a proxy says may be of a cookie, which a browser
// sends for another website too; a token in the request itself is not.
func checkForwardedElsewhere(t *testing.T, f *fixture) {
	for _, route := range []string{"/required", "/optional"} {
		ask := func(method string, lines ...string) answer {
			return f.raw(t, head(method, "/secret"+route, slices.Concat(elsewhere, aliceWith(proof), lines)...))
		}
		same(t, "another website", ask("POST"), refusal(authgear.ReasonCrossOrigin, ""))
		same(t, "another website, another scheme", ask("DELETE", "Authorization: Basic YTpi"), refusal(authgear.ReasonCrossOrigin, ""))
		same(t, "another website, an Upgrade", ask("GET", "Connection: Upgrade", "Upgrade: websocket"), refusal(authgear.ReasonCrossOrigin, ""))
		wantBody(t, "another website, a token", ask("POST", anyToken), 200, forwardedByToken)
		wantBody(t, "another website, a safe method", ask("GET"), 200, forwardedByProxy)
	}
}

// testForwardedTrailers moves headers, one and all, into a trailer
// (RFC 9110 §6.5.1).
func testForwardedTrailers(t *testing.T, mount Mount) {
	f := newForwardedFixture(t, mount)
	send := func(path string, lines, trailer []string) answer {
		var names []string
		for _, line := range trailer {
			name, _, _ := strings.Cut(line, ":")
			names = append(names, name)
		}
		lines = slices.Concat(lines, []string{"Transfer-Encoding: chunked", "Trailer: " + strings.Join(names, ", ")})
		return f.raw(t, head("POST", path+"/optional", lines...)+"5\r\nhello\r\n0\r\n"+strings.Join(trailer, "\r\n")+"\r\n\r\n")
	}
	for _, c := range []struct {
		name, path     string
		lines, trailer []string
		body           string
	}{
		{"all of them", "/peer", nil, forwardedAlice, "nobody"},
		{"the secret too", "/secret", nil, append([]string{proof}, forwardedAlice...), "nobody"},
		{"all but the secret", "/secret", []string{proof}, forwardedAlice, "nobody"},
		{"the secret alone", "/secret", forwardedAlice, []string{proof}, "nobody"},
		{"another user", "/peer", forwardedAlice, []string{"X-Authgear-User-Id: mallory"}, forwardedRoles},
		{"more roles", "/peer", forwardedAlice, []string{"X-Authgear-User-Roles: root"}, forwardedRoles},
		{"underscores", "/peer", forwardedAlice, []string{"X_Authgear_User_Id: mallory"}, forwardedRoles},
		{"Connection", "/peer", forwardedAlice, []string{"Connection: X-Authgear-User-Id"}, forwardedRoles},
	} {
		// A server may refuse a trailer that is forbidden.
		if got := send(c.path, c.lines, c.trailer); got.status != 400 && (got.status != 200 || got.body != c.body) {
			t.Errorf("%s: %d %q, want %q", c.name, got.status, got.body, c.body)
		}
	}
}
