package guardtest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// testSelf has ids that some framework could take for the same.
func testSelf(t *testing.T, adapter Adapter) {
	self := []Step{{Policies: []authgear.Policy{adapter.Self("id")}}}
	f := newFixture(t, adapter.Mount, Default,
		Route{Path: "/users/{id}/notes", Steps: self, Handler: whoAmI},
		Route{Path: "/notes", Steps: self, Handler: whoAmI},
	)
	for path, ids := range map[string][]string{
		"/users/alice/notes":          {"alice"},
		"/users/Alice/notes":          {"Alice"},
		"/users/alice-1/notes":        {"alice-1"},
		"/users/alic/notes":           nil,
		"/users/alicee/notes":         nil,
		"/users/alice%20/notes":       nil,
		"/users/alice./notes":         nil,
		"/users/alice;/notes":         nil,
		"/users/bob/notes?id=alice":   {"bob"},
		"/users/alice,bob/notes":      nil,
		"/users/{id}/notes":           nil,
		"/users/:id/notes?:id=alice":  nil,
		"/users/alice/notes?id=Alice": {"alice"},
		"/notes":                      nil, // of a user without an id too
		"/notes?id=alice":             nil,
	} {
		for _, id := range []string{"alice", "Alice", "alice-1", "bob", ""} {
			got := f.get(t, "GET", path, "Bearer user."+id)
			if slices.Contains(ids, id) {
				wantBody(t, path+" as "+id, got, 200, id)
			} else {
				same(t, path+" as "+id, got, refusal(authgear.ReasonPolicyDenied, ""))
			}
		}
	}
}

// testPolicyRuns counts how often a function is asked.
func testPolicyRuns(t *testing.T, adapter Adapter) {
	var ran atomic.Int32
	counting := func(err error) authgear.Policy {
		return adapter.Policy(func(Context, *authgear.Identity) error {
			ran.Add(1)
			return err
		})
	}
	allows, denies := counting(nil), counting(authgear.Deny("no"))
	step := func(policies ...authgear.Policy) Step { return Step{Policies: policies} }
	for _, c := range []struct {
		name   string
		steps  []Step
		token  string
		reason authgear.Reason
		want   int32
	}{
		{"allows", []Step{step(allows)}, "user.alice", "", 1},
		{"denies", []Step{step(denies)}, "user.alice", authgear.ReasonPolicyDenied, 1},
		{"denies, and nobody asks the next", []Step{step(denies, allows)}, "user.alice", authgear.ReasonPolicyDenied, 1},
		{"denies before a scope", []Step{step(denies, authgear.Scope("email"))}, "user.alice", authgear.ReasonPolicyDenied, 1},
		{"after a scope that is missing", []Step{step(authgear.Scope("email"), allows)}, "user.alice", authgear.ReasonInsufficientScope, 0},
		{"after a login that is too old", []Step{step(authgear.RecentAuthIfPossible(1e9), authgear.RecentAuth(1e9), allows)}, "user.alice", authgear.ReasonCannotReauthenticate, 0},
		{"the first of two allows", []Step{step(authgear.Any(allows, denies))}, "user.alice", "", 1},
		{"the second of two allows", []Step{step(authgear.Any(denies, allows))}, "user.alice", "", 2},
		{"a client, which it is not for", []Step{step(authgear.Any(authgear.Scope("email"), allows))}, "client.m2m", authgear.ReasonInsufficientScope, 0},
		{"in each guard", []Step{step(allows), {Kind: Optional}, step(allows)}, "user.alice", "", 2},
		{"in the guard that refuses", []Step{step(denies), step(allows)}, "user.alice", authgear.ReasonPolicyDenied, 1},
		{"a fresh route", []Step{{Kind: RequireFresh, Policies: []authgear.Policy{denies}}}, "user.alice", authgear.ReasonPolicyDenied, 1},
		{"no identity", []Step{step(allows)}, "error.token_expired", authgear.ReasonTokenExpired, 0},
	} {
		f := newFixture(t, adapter.Mount, Default, Route{Path: "/", Steps: c.steps, Handler: whoAmI})
		ran.Store(0)
		got := f.get(t, "GET", "/", "Bearer "+c.token)
		switch c.reason {
		case "":
			wantBody(t, c.name, got, 200, "alice")
		case authgear.ReasonInsufficientScope:
			same(t, c.name, got, refusal(c.reason, "", `scope="email"`))
		default:
			same(t, c.name, got, refusal(c.reason, ""))
		}
		if ran.Load() != c.want {
			t.Errorf("%s: it ran %d times, want %d", c.name, ran.Load(), c.want)
		}
	}
}

// testPolicySetUp: what can never mean anything is refused at set-up.
func testPolicySetUp(t *testing.T, adapter Adapter) {
	require := func(kind StepKind, policies ...authgear.Policy) func() {
		return func() {
			adapter.Mount(t, App{
				Guards: []Guard{{Authenticator: &fake{}}},
				Routes: []Route{{Path: "/", Steps: []Step{{Kind: kind, Policies: policies}}, Handler: whoAmI}},
			})
		}
	}
	disagree := []authgear.Policy{adapter.Self("id"), authgear.Kinds(authgear.KindClient)}
	for name, setUp := range map[string]func(){
		"Policy(nil)":                    func() { adapter.Policy(nil) },
		`Self("")`:                       func() { adapter.Self("") },
		"the zero policy":                require(Require, authgear.Policy{}),
		"the zero policy, fresh":         require(RequireFresh, authgear.Policy{}),
		"policies without a kind":        require(Require, disagree...),
		"policies without a kind, fresh": require(RequireFresh, disagree...),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error(name, "does not panic")
				}
			}()
			setUp()
		}()
	}
}

// testPoliciesAtOnce has policies that all run at the same time.
func testPoliciesAtOnce(t *testing.T, adapter Adapter) {
	const requests = 50
	var arrived sync.WaitGroup
	arrived.Add(requests)
	load := adapter.Policy(func(c Context, identity *authgear.Identity) error {
		c.Set("who", identity.ID)
		arrived.Done()
		arrived.Wait()
		if identity, _ := c.Identity(); c.Get("who") != identity.ID || c.Param("id") != identity.ID {
			return fmt.Errorf("%s finds %v", identity.ID, c.Get("who"))
		}
		return nil
	})
	f := newFixture(t, adapter.Mount, Default, Route{
		Path: "/{id}", Steps: []Step{{Policies: []authgear.Policy{adapter.Self("id"), load, adapter.Self("id")}}},
		Handler: func(c Context) (int, string) { return 200, fmt.Sprint(c.Get("who")) },
	})
	send := func(i int) string {
		return head("GET", fmt.Sprint("/user", i), fmt.Sprint("Authorization: Bearer user.user", i))
	}
	var connections [requests]connection
	for i := range connections {
		connections[i] = f.dial(t)
		connections[i].send(t, send(i))
	}
	for i, conn := range connections {
		wantBody(t, "at once", conn.receive(t, send(i)), 200, fmt.Sprint("user", i))
	}
}
