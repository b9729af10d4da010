package guard_test

import (
	"context"
	"net/http"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

// byToken knows whose token is a name.
func byToken(calls *int) authenticate {
	return func(r authgear.Request) (*authgear.Identity, error) {
		*calls++
		lines := r.Values("Authorization")
		if len(lines) != 1 || len(lines[0]) <= len("Bearer ") {
			return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
		}
		return &authgear.Identity{Kind: authgear.KindUser, ID: lines[0][len("Bearer "):]}, nil
	}
}

// The error that an optional guard found is the error that the inner one
// refuses with; other credentials are judged anew.
func TestReuseOfErrors(t *testing.T) {
	t.Parallel()
	calls := 0
	g := guard.New(byToken(&calls), silent())
	ctx, refusal := run(g.Optional(), context.Background(), newRequest("", ""), http.Header{})
	if refusal != nil {
		t.Fatal(refusal.Err)
	}
	_, first := run(g.Require(), ctx, newRequest("", ""), http.Header{})
	_, again := run(g.Require(), ctx, newRequest("", ""), http.Header{})
	if first == nil || again == nil || first.Err != again.Err || first.Err.Reason != authgear.ReasonNoCredentials || calls != 1 {
		t.Errorf("refusals %+v and %+v, %d calls", first, again, calls)
	}
	sub, refusal := run(g.Require(), ctx, newRequest("Bearer alice", ""), http.Header{})
	if identity, ok := authgear.FromContext(sub); refusal != nil || !ok || identity.ID != "alice" || calls != 2 {
		t.Errorf("a sub-request with a token: refusal %+v, identity %+v, %d calls", refusal, identity, calls)
	}
}

// A sub-request never gets the identity of the request around it.
func TestSubRequest(t *testing.T) {
	t.Parallel()
	calls := 0
	g := guard.New(byToken(&calls), silent())
	outer, refusal := run(g.Require(), context.Background(), newRequest("Bearer alice", ""), http.Header{})
	if refusal != nil {
		t.Fatal(refusal.Err)
	}
	if _, refusal := run(g.Require(), outer, newRequest("", ""), http.Header{}); refusal == nil {
		t.Error("Require: a sub-request without a token went on")
	}
	inner, refusal := run(g.Optional(), outer, newRequest("", ""), http.Header{})
	if identity, ok := authgear.FromContext(inner); refusal != nil || ok {
		t.Errorf("Optional: refusal %+v, identity %+v", refusal, identity)
	}
	inner, refusal = run(g.Require(), outer, newRequest("Bearer bob", ""), http.Header{})
	if identity, _ := authgear.FromContext(inner); refusal != nil || identity.ID != "bob" {
		t.Errorf("Require: refusal %+v, identity %+v", refusal, identity)
	}
	// Back to alice's token within bob's context.
	back, refusal := run(g.Require(), inner, newRequest("Bearer alice", ""), http.Header{})
	if identity, _ := authgear.FromContext(back); refusal != nil || identity.ID != "alice" {
		t.Errorf("back: refusal %+v, identity %+v", refusal, identity)
	}
}

// kept is a framework's context that keeps what was handed on under the key that
// frameworks know, and nothing else.
type kept struct{ context.Context }

func (k *kept) Value(key any) any {
	if key == any(guard.ContextKey) {
		return k.Context
	}
	return nil
}

// A context may derive from the framework's own between two checks.
func TestContextOfTheFramework(t *testing.T) {
	t.Parallel()
	type key struct{}
	calls := 0
	first, second := guard.New(byToken(&calls), silent()), guard.New(byToken(&calls), silent())
	framework := &kept{context.Background()}
	for range 3 {
		for _, g := range []*guard.Guard{first, second} {
			ctx, refusal := run(g.Require(), context.WithValue(framework, key{}, "value"), newRequest("Bearer alice", ""), http.Header{})
			if user, _ := authgear.UserFromContext(ctx); refusal != nil || user == nil || user.ID != "alice" || ctx.Value(key{}) != "value" {
				t.Errorf("user %+v, refusal %+v", user, refusal)
			}
			framework.Context = ctx
		}
	}
	if calls != 2 {
		t.Errorf("two guards have asked %d times", calls)
	}
	framework.Context, _ = run(first.Require(authgear.Role("admin")), framework, newRequest("Bearer alice", ""), http.Header{})
	if refused, _ := guard.Refused(framework); refused == nil || refused.Reason != authgear.ReasonRoleMissing || calls != 2 {
		t.Errorf("refused: %v, %d calls", refused, calls)
	}
}

// An identity put in by hand between two checks of a guard serves neither.
func TestPlantedIdentity(t *testing.T) {
	t.Parallel()
	calls := 0
	g := guard.New(byToken(&calls), silent())
	planted := &authgear.Identity{Kind: authgear.KindUser, ID: "mallory", Roles: []string{"admin"}}

	if _, refusal := run(g.Require(), authgear.NewContext(context.Background(), planted), newRequest("", ""), http.Header{}); refusal == nil {
		t.Error("an identity put in by hand satisfies Require")
	}

	ctx, refusal := run(g.Require(), context.Background(), newRequest("Bearer alice", ""), http.Header{})
	if refusal != nil {
		t.Fatal(refusal.Err)
	}
	calls = 0
	ctx, refusal = run(g.Require(), authgear.NewContext(ctx, planted), newRequest("Bearer alice", ""), http.Header{})
	if identity, _ := authgear.FromContext(ctx); refusal != nil || identity.ID != "alice" || calls != 0 {
		t.Errorf("refusal %+v, identity %+v, %d calls", refusal, identity, calls)
	}
	if _, refusal := run(g.Require(authgear.Role("admin")), authgear.NewContext(ctx, planted), newRequest("Bearer alice", ""), http.Header{}); refusal == nil {
		t.Error("a policy judged the identity that was put in by hand")
	}

	// Another value under the guard's key is none of ours.
	if identity, ok := authgear.FromContext(holding{context.Background(), planted}); ok {
		t.Errorf("FromContext = %+v", identity)
	}
}

// holding is a context with a value under the guard's key, as gin's and fiber's
// own contexts can have one.
type holding struct {
	context.Context
	value any
}

func (h holding) Value(key any) any {
	if key == any(guard.ContextKey) {
		return h.value
	}
	return h.Context.Value(key)
}

// A credential that is changed in place makes it another request.
func TestReuseSeesChangesInPlace(t *testing.T) {
	t.Parallel()
	calls := 0
	g := guard.New(byToken(&calls), silent())
	r := newRequest("Bearer alice", "")
	ctx, refusal := run(g.Require(), context.Background(), r, http.Header{})
	if refusal != nil {
		t.Fatal(refusal.Err)
	}
	r.Header["Authorization"][0] = "Bearer bob"
	ctx, refusal = run(g.Require(), ctx, r, http.Header{})
	if identity, _ := authgear.FromContext(ctx); refusal != nil || identity.ID != "bob" || calls != 2 {
		t.Errorf("refusal %+v, identity %+v, %d calls", refusal, identity, calls)
	}
}

// What other middleware put into the context between two checks of a guard
// stays there: its values, and its end.
func TestContextBetweenChecks(t *testing.T) {
	t.Parallel()
	type key struct{}
	for _, authorization := range []string{"Bearer alice", ""} {
		calls := 0
		g := guard.New(byToken(&calls), silent())
		r := newRequest(authorization, "")
		ctx, refusal := run(g.Optional(), context.Background(), r, http.Header{})
		if refusal != nil {
			t.Fatal(refusal.Err)
		}
		if same, _ := run(g.Optional(), ctx, r, http.Header{}); same != ctx {
			t.Errorf("%q: another context, although nothing has changed", authorization)
		}
		between, cancel := context.WithCancel(context.WithValue(ctx, key{}, "value"))
		after, refusal := run(g.Optional(), between, r, http.Header{})
		cancel()
		if refusal != nil || calls != 1 || after.Value(key{}) != "value" || after.Err() == nil {
			t.Errorf("%q: refusal %+v, %d calls, value %v, error %v", authorization, refusal, calls, after.Value(key{}), after.Err())
		}
		identity, _ := authgear.FromContext(after)
		if (identity != nil) != (authorization != "") {
			t.Errorf("%q: identity %+v", authorization, identity)
		}
	}
}

// The guard costs one context, and net/http another one for its request.
func TestAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	g := guard.New(&constant{identity: authgear.Identity{Kind: authgear.KindUser, ID: "alice", Roles: []string{"admin"}}}, silent())
	check, r, header := g.Require(authgear.Role("admin")), newRequest("Bearer a", "session=b"), http.Header{}
	if got := testing.AllocsPerRun(1000, func() {
		ctx, refusal := run(check, r.Context(), r, header)
		if refusal != nil {
			t.Fatal(refusal.Err)
		}
		_ = r.WithContext(ctx)
	}); got > 2 {
		t.Errorf("%v allocations, want at most 2", got)
	}
}
