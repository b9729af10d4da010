package guardtest

import (
	"fmt"
	"slices"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// verdict is what policies come to for a sender: 200, or a refusal with this
// reason, and with these parameters of the challenge.
type verdict struct {
	status     int
	reason     authgear.Reason
	parameters []string
}

// policyCase is the policies of a route, and what they come to for each of the
// senders: users alice, bob, guest and google, clients reports and orders.
type policyCase struct {
	name     string
	policies []authgear.Policy
	want     [6]verdict
	// withoutScopes is for users of an authenticator that knows no scopes, where
	// that makes a difference.
	withoutScopes []verdict
}

// policyTests are about policies, for which a framework's own may be needed.
var policyTests = []test[Adapter]{
	{"each policy", "each policy has one answer to each kind of sender, whatever tells who it is", testEachPolicy},
	{"policy context", "a policy finds the identity and no identity headers, and hands on what it loads", testPolicyContext},
	{"kept by a policy", "nothing of the framework's outlives the policies that got it", testKept},
	{"Self", "Self compares the path's value and the user's id to the letter", testSelf},
	{"policy runs", "a policy is asked once, and only when those before it have allowed", testPolicyRuns},
	{"policy set-up", "what can never mean anything panics at set-up", testPolicySetUp},
	{"policies at once", "policies at the same time never see each other's requests", testPoliciesAtOnce},
}

// testEachPolicy has each route of the table once for each authenticator.
func testEachPolicy(t *testing.T, adapter Adapter) {
	f := &fixture{record: &record{}}
	ways := entrances(t, authgeartest.New(t), f.record.observer())
	cases := policyCases(adapter)
	checkCases(t, cases)
	var app App
	for i, way := range ways {
		app.Guards = append(app.Guards, Guard{Authenticator: way.auth, Config: f.config()})
		for n, c := range cases {
			app.Routes = append(app.Routes, Route{
				Path:    fmt.Sprintf("/%s/%d/{id}", way.name, n),
				Steps:   []Step{{Kind: Require, Guard: i, Policies: c.policies}},
				Handler: whoAmI,
			})
		}
	}
	f.addr = adapter.Mount(t, app)
	all := everybody()
	for _, way := range ways {
		conn := f.dial(t)
		for n, c := range cases {
			for i, lines := range way.lines {
				want := verdict{status: 403, reason: authgear.ReasonKindNotAllowed} // of a kind that does not exist
				switch {
				case c.withoutScopes != nil && !way.scopes:
					want = c.withoutScopes[i]
				case i < len(c.want):
					want = c.want[i]
				}
				f.judged(t, way.name+": "+c.name+": "+string(all[i].Kind)+" "+all[i].ID,
					conn.ask(t, keepAlive("GET", fmt.Sprintf("/%s/%d/bob", way.name, n), lines...)), want, all[i].ID)
			}
		}
	}
}

// judged compares an answer with the verdict, and what the observer was told.
func (f *fixture) judged(t *testing.T, what string, got answer, want verdict, id string) {
	t.Helper()
	if want.reason == "" {
		wantBody(t, what, got, want.status, id)
	} else {
		refused := refusal(want.reason, "1", want.parameters...)
		if refused.status != want.status {
			t.Errorf("%s: %s has the status %d, want %d", what, want.reason, refused.status, want.status)
		}
		same(t, what, got, refused)
	}
	if decisions, notices := f.record.take(); len(decisions) != 1 || decisions[0].Reason != want.reason || len(notices) != 0 {
		t.Errorf("%s: decisions %+v, notices %+v, want one with the reason %q", what, decisions, notices, want.reason)
	}
}

// checkCases fails for a table in which something is missing.
func checkCases(t *testing.T, cases []policyCase) {
	t.Helper()
	for _, c := range cases {
		if slices.ContainsFunc(c.want[:], func(v verdict) bool { return v.status == 0 }) || c.withoutScopes != nil && len(c.withoutScopes) != 4 {
			t.Fatalf("%s: a verdict is missing", c.name)
		}
	}
}
