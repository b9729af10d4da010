package guardtest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

func testFresh(t *testing.T, mount Mount) {
	route := func(path string, steps ...Step) Route { return Route{Path: path, Steps: steps, Handler: whoAmI} }
	f := newFixture(t, mount, Default,
		route("/fresh", Step{Kind: RequireFresh}),
		route("/inside", Step{Kind: Optional}, Step{Kind: RequireFresh}),
		route("/required", Step{Kind: Require}, Step{Kind: RequireFresh}),
		route("/outside", Step{Kind: RequireFresh}, Step{Kind: Require}, Step{Kind: Optional}),
		route("/middle", Step{Kind: Optional}, Step{Kind: RequireFresh}, Step{Kind: Require}),
		route("/twice", Step{Kind: RequireFresh}, Step{Kind: RequireFresh}),
		route("/role", Step{Kind: RequireFresh, Policies: []authgear.Policy{authgear.Role("admin")}}),
	)
	const ended, begun = "Authorization: Bearer ended.alice", "Cookie: who=begun.alice"
	for _, c := range []struct {
		what, path, line  string
		want              authgear.Reason // "" for alice
		calls, freshCalls int
	}{
		{"a fresh answer", "/fresh", begun, "", 1, 1},
		{"a fresh refusal", "/fresh", ended, authgear.ReasonTokenRejected, 1, 1},
		{"no credentials", "/fresh", "X-Field: a", authgear.ReasonNoCredentials, 1, 1},
		{"a policy", "/role", begun, authgear.ReasonRoleMissing, 1, 1},
		{"an identity from before does not count", "/required", ended, authgear.ReasonTokenRejected, 2, 1},
		{"nor an error from before", "/inside", begun, "", 2, 1},
		{"nor that there were no credentials", "/inside", "X-Field: a", authgear.ReasonNoCredentials, 2, 1},
		{"a check inside takes the fresh answer", "/outside", begun, "", 1, 1},
		{"and not the one before it", "/middle", begun, "", 2, 1},
		{"each asks anew", "/twice", begun, "", 2, 2},
	} {
		calls, freshCalls := f.auth.called(), f.auth.fresh()
		got := f.raw(t, head("GET", c.path, c.line))
		if c.want == "" {
			wantBody(t, c.what, got, 200, "alice")
		} else {
			same(t, c.what, got, refusal(c.want, ""))
		}
		if calls, freshCalls = f.auth.called()-calls, f.auth.fresh()-freshCalls; calls != c.calls || freshCalls != c.freshCalls {
			t.Errorf("%s: %d calls, %d of them fresh, want %d and %d", c.what, calls, freshCalls, c.calls, c.freshCalls)
		}
	}

	for _, c := range []struct {
		what   string
		auth   authgear.Authenticator
		policy authgear.Policy
		want   string // in the panic's text
	}{
		{"an authenticator that cannot", notFresh{}, authgear.Verified(), "RequireFresh: a guardtest.notFresh"},
		{"the zero policy", f.auth, authgear.Policy{}, "zero Policy"},
	} {
		text := panicOf(func() {
			mount(t, App{
				Guards: []Guard{{Authenticator: c.auth}},
				Routes: []Route{route("/", Step{Kind: RequireFresh, Policies: []authgear.Policy{c.policy}})},
			})
		})
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: the panic at set-up is %q", c.what, text)
		}
	}
}

// notFresh is an authenticator without AuthenticateFresh.
type notFresh struct{}

func (notFresh) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
}

// panicOf returns what f panics with, "" when it does not.
func panicOf(f func()) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(p)
		}
	}()
	f()
	return ""
}
