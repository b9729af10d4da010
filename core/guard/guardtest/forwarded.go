package guardtest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
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

// newForwardedBench has a guard for each way to prove the hop: at /secret, /peer
// (the only one that trusts roles) and /both, and at /elsewhere one that trusts
// other machines only. Below each are the routes required and optional.
func newForwardedBench(t *testing.T, mount Mount) *bench {
	t.Helper()
	b := &bench{record: &record{}}
	observer := b.record.observer()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	secrets := []string{strings.Repeat("another-secret-", 3), proxySecret}
	handler := func(c Context) (int, string) {
		for name, values := range c.Fields() {
			if strings.Contains(strings.ToLower(name), "authgear") {
				return 500, fmt.Sprint("the handler sees ", name, values)
			}
		}
		return describe(c)
	}
	var app App
	for i, guard := range []struct {
		path   string
		config authgear.ForwardedConfig
	}{
		{"/secret", authgear.ForwardedConfig{Secrets: secrets}},
		{"/peer", authgear.ForwardedConfig{TrustedProxies: loopback, TrustRoles: true}},
		{"/both", authgear.ForwardedConfig{TrustedProxies: loopback, Secrets: secrets}},
		{"/elsewhere", authgear.ForwardedConfig{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.2/32")}, Secrets: secrets}},
	} {
		guard.config.Observer = observer
		auth, err := authgear.NewForwarded(guard.config)
		if err != nil {
			t.Fatal(err)
		}
		app.Guards = append(app.Guards, Guard{Authenticator: auth, Options: authgear.Options{Observer: observer}})
		route := func(name string, kinds ...StepKind) Route {
			r := Route{Path: guard.path + "/" + name, Handler: handler}
			for _, kind := range kinds {
				r.Steps = append(r.Steps, Step{Kind: kind, Guard: i})
			}
			return r
		}
		app.Routes = append(app.Routes, route("required", Require), route("optional", Optional),
			route("inside", Optional, Require, Require), route("stripped", Strip, Optional))
	}
	b.addr = mount(t, app)
	return b
}

func testForwarded(t *testing.T, mount Mount) {
	b := newForwardedBench(t, mount)
	const (
		alice      = "forwarded alice [] verified=true cookie=true"
		aliceRoles = "forwarded alice [admin editor] verified=true cookie=true"
		byToken    = "forwarded alice [] verified=true cookie=false"
		bearer     = "Authorization: Bearer token"
	)
	with := func(lines ...string) []string { return slices.Concat(forwardedAlice, lines) }
	without := func(name string) []string {
		return slices.DeleteFunc(with(proof), func(line string) bool { return strings.HasPrefix(line, name+":") })
	}
	changed := func(name, value string) []string { return append(without(name), name+": "+value) }
	spelt := func(spell func(string) string, lines []string) []string {
		lines = slices.Clone(lines)
		for i, line := range lines {
			name, value, _ := strings.Cut(line, ":")
			lines[i] = spell(name) + ":" + value
		}
		return lines
	}
	underscores := func(name string) string { return strings.ReplaceAll(name, "-", "_") }
	dots := func(name string) string { return strings.ReplaceAll(name, "-", ".") }
	const none, malformed = authgear.ReasonNoCredentials, authgear.ReasonAnswerMalformed

	type row struct {
		name, path string
		lines      []string
		says       string          // of an identity
		want       authgear.Reason // else
		notice     bool            // that fields were ignored
	}
	rows := []row{
		{"by the secret", "/secret", with(proof), alice, "", false},
		{"by the peer", "/peer", forwardedAlice, aliceRoles, "", false},
		{"by both", "/both", with(proof), alice, "", false},
		{"with a token", "/secret", with(proof, bearer), byToken, "", false},
		{"with another scheme", "/secret", with(proof, "Authorization: Basic YTpi"), alice, "", false},
		{"names in lower case", "/secret", spelt(strings.ToLower, with(proof)), alice, "", false},
		{"names in upper case", "/secret", spelt(strings.ToUpper, with(proof)), alice, "", false},
		{"without spaces", "/secret", strings.Split(strings.ReplaceAll(strings.Join(with(proof), "\n"), ": ", ":"), "\n"), alice, "", false},
		{"spaces and tabs around", "/secret", strings.Split(strings.ReplaceAll(strings.Join(with(proof), " \t\n"), ": ", ":\t "), "\n"), alice, "", false},
		{"a signed webhook's field", "/secret", []string{"X-Webhook-Signature: a"}, "", none, false},

		{"no secret", "/secret", forwardedAlice, "", none, true},
		{"no secret, but the peer", "/both", forwardedAlice, "", none, true},
		{"the secret, but another peer", "/elsewhere", with(proof), "", none, true},
		{"a peer that the client claims", "/elsewhere", with(proof, "X-Forwarded-For: 10.0.0.1", "X-Real-Ip: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Client-Ip: 10.0.0.1", "True-Client-Ip: 10.0.0.1", "Cf-Connecting-Ip: 10.0.0.1"), "", none, true},
		{"an empty secret", "/secret", with("X-Authgear-Proxy-Secret:"), "", none, true},
		{"a wrong secret", "/secret", with("X-Authgear-Proxy-Secret: " + strings.ToUpper(proxySecret)), "", none, true},
		{"a part of it", "/secret", with("X-Authgear-Proxy-Secret: " + proxySecret[:len(proxySecret)-1]), "", none, true},
		{"more than it", "/secret", with(proof + "x"), "", none, true},
		{"two in one", "/secret", with(proof + ", " + proxySecret), "", none, true},
		{"the secret twice", "/secret", with(proof, proof), "", none, true},
		{"twice in two spellings", "/secret", with(proof, strings.ToLower("X-Authgear-Proxy-Secret")+": "+proxySecret), "", none, true},
		{"a wrong secret twice", "/secret", with("X-Authgear-Proxy-Secret: guess", "X-Authgear-Proxy-Secret: guess"), "", none, true},
		{"a wrong one before it", "/secret", with("X-Authgear-Proxy-Secret: guess", proof), "", none, true},
		{"the secret by another name", "/secret", with("X_Authgear_Proxy_Secret: " + proxySecret), "", none, true},
		{"no proof, a token", "/secret", with(bearer), "", none, true},
		{"no proof, Connection", "/secret", with("Connection: X-Authgear-User-Id"), "", none, true},
		{"no proof, a duplicate", "/secret", with("X-Authgear-User-Id: mallory"), "", none, true},

		{"no session", "/secret", []string{proof}, "", none, false},
		{"no session, a token", "/secret", []string{proof, bearer}, "", authgear.ReasonTokenRejected, false},
		{"nothing at all", "/peer", nil, "", none, false},
		{"a token and nothing", "/peer", []string{bearer}, "", authgear.ReasonTokenRejected, false},
		{"refused", "/secret", []string{proof, "X-Authgear-Session-Valid: false"}, "", authgear.ReasonSessionInvalid, false},
		{"refused, a token", "/secret", []string{proof, bearer, "X-Authgear-Session-Valid: false"}, "", authgear.ReasonTokenRejected, false},
		{"a malformed Authorization", "/secret", with(proof, "Authorization: Bearer"), "", authgear.ReasonAuthorizationMalformed, false},
		{"two Authorization lines", "/secret", with(proof, bearer, bearer), "", authgear.ReasonAuthorizationMalformed, false},

		{"forged beside it: underscores", "/secret", with(append(spelt(underscores, changed("X-Authgear-User-Id", "mallory")), proof)...), alice, "", false},
		{"forged beside it: dots", "/peer", with(spelt(dots, changed("X-Authgear-User-Id", "mallory"))...), aliceRoles, "", false},
		{"forged only: underscores", "/peer", spelt(underscores, forwardedAlice), "", none, false},
		{"forged only: dots", "/peer", spelt(dots, forwardedAlice), "", none, false},
		{"forged and another scheme", "/peer", append(spelt(underscores, forwardedAlice), "Authorization: Basic YTpi"), "", none, false},
		{"forged and a token", "/peer", append(spelt(underscores, forwardedAlice), bearer), "", authgear.ReasonTokenRejected, false},

		{"valid by another word", "/secret", changed("X-Authgear-Session-Valid", "True"), "", malformed, false},
		{"valid by nothing", "/secret", changed("X-Authgear-Session-Valid", ""), "", malformed, false},
		{"two user ids in one", "/secret", changed("X-Authgear-User-Id", "alice, mallory"), "", malformed, false},
		{"an empty user id", "/secret", changed("X-Authgear-User-Id", ""), "", malformed, false},
		{"a flag by another word", "/secret", changed("X-Authgear-User-Verified", "1"), "", malformed, false},
		{"roles with spaces", "/peer", changed("X-Authgear-User-Roles", "editor, admin"), "", malformed, false},
		{"a date that is none", "/secret", changed("X-Authgear-Session-Authenticated-At", "-1"), "", malformed, false},
		{"no roles", "/peer", without("X-Authgear-User-Roles"), strings.Replace(aliceRoles, "[admin editor]", "[]", 1), "", false},
		{"no date", "/secret", without("X-Authgear-Session-Authenticated-At"), alice, "", false},

		{"Connection: a field", "/secret", with(proof, "Connection: X-Authgear-User-Id"), "", malformed, false},
		{"Connection: in lower case", "/secret", with(proof, "connection: x-authgear-user-roles"), "", malformed, false},
		{"Connection: in a list", "/peer", with("Connection: keep-alive,\tX-AUTHGEAR-USER-ID , foo"), "", malformed, false},
		{"Connection: another spelling", "/peer", with("Connection: foo, X_Authgear.User_Id"), "", malformed, false},
		{"Connection: the secret", "/secret", with(proof, "Connection: X-Authgear-Proxy-Secret"), "", malformed, false},
		{"Connection: another field", "/secret", with(proof, "Connection: keep-alive, X-Other, X-Authgear-Body-Signature"), alice, "", false},
	}
	for _, line := range forwardedAlice {
		name, _, _ := strings.Cut(line, ":")
		rows = append(rows,
			row{name + " twice", "/secret", with(proof, line), "", malformed, false},
			row{name + " twice, in two spellings", "/peer", with(strings.ToLower(name) + ": mallory"), "", malformed, false})
		if !slices.Contains([]string{"X-Authgear-User-Roles", "X-Authgear-Session-Amr", "X-Authgear-Session-Authenticated-At"}, name) {
			rows = append(rows, row{"without " + name, "/secret", without(name), "", malformed, false})
		}
	}

	for _, c := range rows {
		for _, route := range []string{"/required", "/inside", "/optional"} {
			what := c.name + " at " + c.path + route
			b.record.take()
			got := b.raw(t, head("GET", c.path+route, c.lines...))
			switch {
			case c.want == "":
				says(t, what, got, 200, c.says)
			case route == "/optional" && (c.want == none || c.want == authgear.ReasonSessionInvalid):
				says(t, what, got, 200, "nobody")
			default:
				same(t, what, got, refusal(c.want, "1"))
			}
			decisions, notices := b.record.take()
			if len(decisions) == 0 || decisions[len(decisions)-1].Reason != c.want || (len(notices) == 1) != c.notice || c.notice && notices[0].Kind != authgear.NoticeUnprovenHop {
				t.Errorf("%s: decisions %+v, notices %+v, want the reason %q and a notice: %v", what, decisions, notices, c.want, c.notice)
			}
		}
		// Nobody else has proven anything to a guard behind Strip.
		if got := b.raw(t, head("GET", c.path+"/stripped", c.lines...)); got.status < 400 && got.body != "nobody" {
			t.Errorf("%s, stripped: %d %q", c.name, got.status, got.body)
		}
	}

	elsewhere := []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}
	for _, route := range []string{"/required", "/optional"} {
		ask := func(method string, lines ...string) answer {
			return b.raw(t, head(method, "/secret"+route, slices.Concat(elsewhere, with(proof), lines)...))
		}
		same(t, "another website", ask("POST"), refusal(authgear.ReasonCrossOrigin, ""))
		same(t, "another website, another scheme", ask("DELETE", "Authorization: Basic YTpi"), refusal(authgear.ReasonCrossOrigin, ""))
		same(t, "another website, an Upgrade", ask("GET", "Connection: Upgrade", "Upgrade: websocket"), refusal(authgear.ReasonCrossOrigin, ""))
		says(t, "another website, a token", ask("POST", bearer), 200, byToken)
		says(t, "another website, a safe method", ask("GET"), 200, alice)
	}
}

// testForwardedTrailers moves fields, one and all, into a trailer
// (RFC 9110 §6.5.1).
func testForwardedTrailers(t *testing.T, mount Mount) {
	b := newForwardedBench(t, mount)
	const alice = "forwarded alice [admin editor] verified=true cookie=true"
	send := func(path string, lines, trailer []string) answer {
		var names []string
		for _, line := range trailer {
			name, _, _ := strings.Cut(line, ":")
			names = append(names, name)
		}
		lines = slices.Concat(lines, []string{"Transfer-Encoding: chunked", "Trailer: " + strings.Join(names, ", ")})
		return b.raw(t, head("POST", path+"/optional", lines...)+"5\r\nhello\r\n0\r\n"+strings.Join(trailer, "\r\n")+"\r\n\r\n")
	}
	for _, c := range []struct {
		name, path     string
		lines, trailer []string
		says           string
	}{
		{"all of them", "/peer", nil, forwardedAlice, "nobody"},
		{"the secret too", "/secret", nil, append([]string{proof}, forwardedAlice...), "nobody"},
		{"all but the secret", "/secret", []string{proof}, forwardedAlice, "nobody"},
		{"the secret alone", "/secret", forwardedAlice, []string{proof}, "nobody"},
		{"another user", "/peer", forwardedAlice, []string{"X-Authgear-User-Id: mallory"}, alice},
		{"more roles", "/peer", forwardedAlice, []string{"X-Authgear-User-Roles: root"}, alice},
		{"underscores", "/peer", forwardedAlice, []string{"X_Authgear_User_Id: mallory"}, alice},
		{"Connection", "/peer", forwardedAlice, []string{"Connection: X-Authgear-User-Id"}, alice},
	} {
		// A server may refuse a trailer that is forbidden.
		if got := send(c.path, c.lines, c.trailer); got.status != 400 && (got.status != 200 || got.body != c.says) {
			t.Errorf("%s: %d %q, want %q", c.name, got.status, got.body, c.says)
		}
	}
}
