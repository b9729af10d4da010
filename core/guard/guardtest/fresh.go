package guardtest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

func testLive(t *testing.T, mount Mount) {
	route := func(path string, steps ...Step) Route { return Route{Path: path, Steps: steps, Handler: whoAmI} }
	b := newBench(t, mount, Default,
		route("/live", Step{Kind: RequireFresh}),
		route("/inside", Step{Kind: Optional}, Step{Kind: RequireFresh}),
		route("/required", Step{Kind: Require}, Step{Kind: RequireFresh}),
		route("/outside", Step{Kind: RequireFresh}, Step{Kind: Require}, Step{Kind: Optional}),
		route("/middle", Step{Kind: Optional}, Step{Kind: RequireFresh}, Step{Kind: Require}),
		route("/twice", Step{Kind: RequireFresh}, Step{Kind: RequireFresh}),
		route("/role", Step{Kind: RequireFresh, Policies: []authgear.Policy{authgear.Role("admin")}}),
	)
	const ended, begun = "Authorization: Bearer ended.alice", "Cookie: who=begun.alice"
	for _, c := range []struct {
		what, path, line string
		want             authgear.Reason // "" for alice
		calls, lives     int
	}{
		{"a live answer", "/live", begun, "", 1, 1},
		{"a live refusal", "/live", ended, authgear.ReasonTokenRejected, 1, 1},
		{"no credentials", "/live", "X-Field: a", authgear.ReasonNoCredentials, 1, 1},
		{"a policy", "/role", begun, authgear.ReasonRoleMissing, 1, 1},
		{"an identity from before does not count", "/required", ended, authgear.ReasonTokenRejected, 2, 1},
		{"nor an error from before", "/inside", begun, "", 2, 1},
		{"nor that there were no credentials", "/inside", "X-Field: a", authgear.ReasonNoCredentials, 2, 1},
		{"a check inside takes the live answer", "/outside", begun, "", 1, 1},
		{"and not the one before it", "/middle", begun, "", 2, 1},
		{"each asks anew", "/twice", begun, "", 2, 2},
	} {
		calls, lives := b.auth.called(), b.auth.live()
		got := b.raw(t, head("GET", c.path, c.line))
		if c.want == "" {
			says(t, c.what, got, 200, "alice")
		} else {
			same(t, c.what, got, refusal(c.want, ""))
		}
		if calls, lives = b.auth.called()-calls, b.auth.live()-lives; calls != c.calls || lives != c.lives {
			t.Errorf("%s: %d calls, %d of them live, want %d and %d", c.what, calls, lives, c.calls, c.lives)
		}
	}

	for _, c := range []struct {
		what   string
		auth   authgear.Authenticator
		policy authgear.Policy
		want   string // in the panic's text
	}{
		{"an authenticator that cannot", notFresh{}, authgear.Verified(), "RequireFresh: a guardtest.notFresh"},
		{"the zero policy", b.auth, authgear.Policy{}, "zero Policy"},
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
