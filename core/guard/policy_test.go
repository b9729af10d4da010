package guard_test

import (
	"context"
	"net/http"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

type (
	accountKey struct{}
	planKey    struct{}
)

// native is the context of a framework whose handlers get a *http.Request.
type native struct {
	request *http.Request
	params  map[string]string
}

func with(n *native, r *http.Request) *native {
	n.request = r
	return n
}

func runIn(check *guard.Check, framework any, ctx context.Context, r *http.Request) (*http.Request, *guard.Refusal) {
	return guard.Run(ctx, check, guard.HTTP(r), http.Header{}, framework)
}

func alice() *guard.Guard {
	return guard.New(&constant{identity: authgear.Identity{Kind: authgear.KindUser, ID: "alice"}}, silent())
}

// A policy sees the request as the handler will, and the handler what the policy
// has loaded, in whatever order guards stand.
func TestPolicyGivesValues(t *testing.T) {
	t.Parallel()
	loads := guard.Policy(func(n *native, i *authgear.Identity) error {
		found, ok := authgear.FromContext(n.request.Context())
		if !ok || found != i || n.request.Header.Get("X-Authgear-User-Id") != "" {
			return authgear.Deny("the request is not the handler's")
		}
		authgear.SetValue(n.request.Context(), accountKey{}, "account of "+i.ID)
		authgear.SetValue(n.request.Context(), planKey{}, "free")
		return nil
	}, with)
	loaded := authgear.PolicyFunc(func(ctx context.Context, _ *authgear.Identity) error {
		if ctx.Value(accountKey{}) == nil {
			return authgear.Deny("nothing was loaded")
		}
		return nil
	})
	g := alice()
	for name, checks := range map[string][]*guard.Check{
		"one guard":            {g.Require(loads)},
		"by the next policy":   {g.Require(loads, loaded)},
		"by another guard":     {g.Require(loads), g.Require(loaded), g.Require()},
		"in the inner guard":   {g.Require(), g.Require(loads, loaded)},
		"an optional one":      {g.Optional(), g.Require(loads), g.Optional()},
		"an alternative":       {g.Require(authgear.Any(authgear.All(loads, authgear.Role("admin")), loaded))},
		"guards of two makers": {g.Require(loads), alice().Require(loaded)},
	} {
		ctx, r := t.Context(), newRequest("", "")
		r.Header.Set("X-Authgear-User-Id", "mallory")
		for _, check := range checks {
			handed, refusal := runIn(check, &native{}, ctx, r)
			if refusal != nil {
				t.Fatalf("%s: %v: %v", name, refusal.Err, refusal.Err.Err)
			}
			r, ctx = handed, handed.Context()
		}
		if got := ctx.Value(accountKey{}); got != "account of alice" {
			t.Errorf("%s: the handler finds %v", name, got)
		}
		if got := ctx.Value(planKey{}); got != "free" {
			t.Errorf("%s: the handler finds %v", name, got)
		}
		if identity, ok := authgear.FromContext(ctx); !ok || identity.ID != "alice" {
			t.Errorf("%s: identity %v", name, identity)
		}
	}
	authgear.SetValue(context.Background(), accountKey{}, 1) // does nothing
}

// The answer of the function is that of the policy, and it judges whom it is asked
// about.
func TestPolicyAnswers(t *testing.T) {
	t.Parallel()
	onlyBob := guard.Policy(func(_ *native, i *authgear.Identity) error {
		if i.ID != "bob" {
			return authgear.Deny("not bob")
		}
		return nil
	}, with)
	_, refusal := runIn(alice().Require(onlyBob), &native{}, t.Context(), newRequest("", ""))
	if refusal == nil || refusal.Err.Reason != authgear.ReasonPolicyDenied {
		t.Errorf("alice: %+v", refusal)
	}
	inHisName := authgear.PolicyFunc(func(ctx context.Context, i *authgear.Identity) error {
		bob := *i
		bob.ID = "bob"
		return onlyBob.Check(ctx, &bob)
	})
	if _, refusal = runIn(alice().Require(inHisName), &native{}, t.Context(), newRequest("", "")); refusal != nil {
		t.Errorf("bob: %v", refusal.Err)
	}
}

// What a policy asks within the process, in the name of the request, is none of an
// access log's business.
func TestPolicySendsARequest(t *testing.T) {
	t.Parallel()
	bob := guard.New(&constant{identity: authgear.Identity{Kind: authgear.KindUser, ID: "bob"}}, silent())
	within := authgear.PolicyFunc(func(ctx context.Context, _ *authgear.Identity) error {
		_, refusal := run(bob.Require(), ctx, newRequest("Bearer b", ""), http.Header{})
		if refusal != nil {
			t.Error(refusal.Err)
		}
		return authgear.Deny("no")
	})
	ctx, found := guard.Watch(t.Context())
	if _, refusal := run(alice().Require(within), ctx, newRequest("", ""), http.Header{}); refusal == nil {
		t.Fatal("allowed")
	}
	identity, _ := found.Identity()
	if err, refused := found.Error(); identity == nil || identity.ID != "alice" || !refused || err.Reason != authgear.ReasonPolicyDenied {
		t.Errorf("the log knows %+v, %v", identity, err)
	}
}

// A framework's context serves the next request when this one has ended.
func TestNothingOfTheFrameworkIsKept(t *testing.T) {
	t.Parallel()
	var kept context.Context
	allow := guard.Policy(func(*native, *authgear.Identity) error { return nil }, with)
	keep := authgear.PolicyFunc(func(ctx context.Context, i *authgear.Identity) error {
		kept = ctx
		return allow.Check(ctx, i)
	})
	handed, refusal := runIn(alice().Require(keep), &native{}, t.Context(), newRequest("", ""))
	if refusal != nil {
		t.Fatal(refusal.Err)
	}
	identity, ok := authgear.FromContext(kept)
	if !ok || identity.ID != "alice" {
		t.Errorf("the context that was kept has the identity %v", identity)
	}
	wantDenied(t, "a context that was kept", allow.Check(kept, identity))
	authgear.SetValue(kept, accountKey{}, "late")
	if got := handed.Context().Value(accountKey{}); got != nil {
		t.Errorf("what comes late is given to the handler: %v", got)
	}

	func() { // nor when a policy panics
		defer func() { _ = recover() }()
		panicking := authgear.PolicyFunc(func(ctx context.Context, _ *authgear.Identity) error { kept = ctx; panic("policy") })
		_, _ = runIn(alice().Require(panicking), &native{}, t.Context(), newRequest("", ""))
	}()
	wantDenied(t, "after a panic", allow.Check(kept, identity))
}

func wantDenied(t *testing.T, what string, err error) {
	t.Helper()
	if got := authgear.AsError(err); err == nil || got.Reason != authgear.ReasonPolicyDenied {
		t.Errorf("%s: %v", what, err)
	}
}

func TestSelf(t *testing.T) {
	t.Parallel()
	self := guard.Self[*native, *http.Request]("id", func(n *native, name string) string { return n.params[name] })
	foreign := guard.Policy(func(int, *authgear.Identity) error { return nil }, func(n int, _ *http.Request) int { return n })
	in := func(id string) any { return &native{params: map[string]string{"id": id}} }
	for name, c := range map[string]struct {
		policy    authgear.Policy
		framework any
		want      authgear.Reason
	}{
		"alice":                    {self, in("alice"), ""},
		"bob":                      {self, in("bob"), "policy_denied"},
		"another spelling":         {self, in("Alice"), "policy_denied"},
		"no value":                 {self, in(""), "policy_denied"},
		"no such parameter":        {self, &native{}, "policy_denied"},
		"another framework":        {self, 1, "policy_denied"},
		"no framework":             {self, nil, "policy_denied"},
		"of another framework":     {foreign, in("alice"), "policy_denied"},
		"its own":                  {foreign, 1, ""},
		"beside one that allows":   {authgear.Any(foreign, self), in("alice"), ""},
		"beside one that does not": {authgear.Any(self, authgear.Role("admin")), in("bob"), "policy_denied"},
	} {
		_, refusal := runIn(alice().Require(c.policy), c.framework, t.Context(), newRequest("", ""))
		if refusal == nil && c.want != "" || refusal != nil && refusal.Err.Reason != c.want {
			t.Errorf("%s: %+v, want %q", name, refusal, c.want)
		}
	}
	nobody := &authgear.Identity{Kind: authgear.KindUser}
	if _, refusal := runIn(guard.New(&constant{identity: *nobody}, silent()).Require(self), in(""), t.Context(), newRequest("", "")); refusal == nil {
		t.Error("an empty id is whoever has none")
	}
	machine := authgear.Identity{Kind: authgear.KindClient, ID: "client_id_m2m"}
	both := authgear.Kinds(authgear.KindUser, authgear.KindClient)
	if _, refusal := runIn(guard.New(&constant{identity: machine}, silent()).Require(both, self), in("client_id_m2m"), t.Context(), newRequest("", "")); refusal == nil || refusal.Err.Reason != authgear.ReasonKindNotAllowed {
		t.Errorf("a client is its own user: %+v", refusal)
	}
	wantDenied(t, "no guard", self.Check(t.Context(), &authgear.Identity{Kind: authgear.KindUser, ID: "alice"}))
	for name, f := range map[string]func(){
		"Policy(nil)": func() { guard.Policy(nil, with) },
		`Self("")`:    func() { guard.Self[*native, *http.Request]("", nil) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}
