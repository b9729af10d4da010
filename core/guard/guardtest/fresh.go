package guardtest

import (
	"fmt"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// testFresh: a fresh route is answered by a call of its own, which counts for what
// is inside it.
func testFresh(t *testing.T, mount Mount) {
	route := func(path string, steps ...Step) Route { return Route{Path: path, Steps: steps, Handler: whoAmI} }
	f := newFixture(t, mount, Default,
		route("/inside", Step{Kind: Optional}, Step{Kind: RequireFresh}),
		route("/outside", Step{Kind: RequireFresh}, Step{Kind: Require}, Step{Kind: Optional}),
		route("/role", Step{Kind: RequireFresh, Policies: []authgear.Policy{authgear.Role("admin")}}),
	)
	const ended, begun = "Authorization: Bearer ended.alice", "Cookie: who=begun.alice"
	for _, c := range []struct {
		what, path, line  string
		want              authgear.Reason // "" for alice
		calls, freshCalls int
	}{
		{"an identity from before does not count", "/inside", ended, authgear.ReasonTokenRejected, 2, 1},
		{"nor an error from before", "/inside", begun, "", 2, 1},
		{"nor that there were no credentials", "/inside", "X-Other: a", authgear.ReasonNoCredentials, 2, 1},
		{"a check inside takes the fresh answer", "/outside", begun, "", 1, 1},
		{"a policy", "/role", begun, authgear.ReasonRoleMissing, 1, 1},
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
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "RequireFresh: a guardtest.Nobody") {
			t.Errorf("an authenticator that cannot: the panic at set-up is %q", text)
		}
	}()
	mount(t, App{Guards: []Guard{{Authenticator: Nobody{}}}, Routes: []Route{route("/", Step{Kind: RequireFresh})}})
}
