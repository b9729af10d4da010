package guard_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
)

// remembering is an authenticator with a cache: what it knows is old, and what it
// is told when it has to ask is next.
type remembering struct {
	known, next *authgear.Identity
	err         *authgear.Error // in the place of next
	calls       string
}

func (a *remembering) Authenticate(ctx context.Context, r authgear.Request) (*authgear.Identity, error) {
	_ = r.Values("Authorization")
	if !contextkey.IsFresh(ctx) {
		a.calls += "k"
		return a.known, nil
	}
	a.calls += "a"
	if a.err != nil {
		return nil, a.err
	}
	return a.next, nil
}

// signedIn is alice, who did that so long ago.
func signedIn(ago time.Duration, cached bool) *authgear.Identity {
	return &authgear.Identity{
		Kind: authgear.KindUser, ID: "alice", CanReauthenticate: true, AuthenticatedAt: time.Now().Add(-ago),
		Evidence: authgear.Evidence{Cached: cached},
	}
}

// askedAt is alice, who signed in long ago, by an answer to a question of then.
func askedAt(since time.Duration) *authgear.Identity {
	identity := signedIn(2*time.Hour, false)
	identity.Evidence.CheckedAt = time.Now().Add(since)
	return identity
}

// keyOnceUnavailable is how RecentAuth refuses while the key of an ID token is
// being fetched.
func keyOnceUnavailable() authgear.Policy {
	asked := false
	return authgear.PolicyFunc(func(context.Context, *authgear.Identity) error {
		if asked {
			return nil
		}
		asked = true
		return &authgear.Error{Reason: authgear.ReasonKeysUnavailable}
	})
}

// A user who has reauthenticated is not sent to do so again because of what was
// known before.
func TestStepUpAsksOnceMore(t *testing.T) {
	t.Parallel()
	recent := authgear.RecentAuth(time.Minute)
	cannot := signedIn(time.Hour, true)
	cannot.CanReauthenticate = false
	admin := authgear.Role("admin")
	for name, c := range map[string]struct {
		auth   remembering
		policy authgear.Policy
		want   authgear.Reason
		calls  string
	}{
		"known to be recent":           {remembering{known: signedIn(0, true)}, recent, "", "k"},
		"renewed since":                {remembering{known: signedIn(time.Hour, true), next: signedIn(0, false)}, recent, "", "ka"},
		"not renewed":                  {remembering{known: signedIn(time.Hour, true), next: signedIn(time.Hour, false)}, recent, "insufficient_user_authentication", "ka"},
		"no answer of a cache":         {remembering{known: signedIn(time.Hour, false), next: signedIn(0, false)}, recent, "insufficient_user_authentication", "k"},
		"an authenticator that cannot": {remembering{known: signedIn(time.Hour, true), next: signedIn(time.Hour, true)}, recent, "insufficient_user_authentication", "ka"},
		"could not, and can by now":    {remembering{known: cannot, next: signedIn(0, false)}, recent, "", "ka"},
		"Authgear does not answer":     {remembering{known: signedIn(time.Hour, true), err: &authgear.Error{Reason: authgear.ReasonResolverUnavailable}}, recent, "resolver_unavailable", "ka"},
		"the session has ended":        {remembering{known: signedIn(time.Hour, true), err: &authgear.Error{Reason: authgear.ReasonTokenRejected}}, recent, "token_rejected", "ka"},
		"of a call that began before":  {remembering{known: askedAt(-time.Second), next: signedIn(0, false)}, recent, "", "ka"},
		"of a call since":              {remembering{known: askedAt(time.Hour), next: signedIn(0, false)}, recent, "insufficient_user_authentication", "k"},
		"the key of an ID token":       {remembering{known: signedIn(0, false), next: signedIn(0, false)}, keyOnceUnavailable(), "", "ka"},
		"denied by something else":     {remembering{known: signedIn(time.Hour, true), next: signedIn(0, false)}, admin, "role_missing", "k"},
		"one of two alternatives":      {remembering{known: cannot, next: signedIn(0, false)}, authgear.Any(admin, recent), "", "ka"},
		"asked within a function":      {remembering{known: signedIn(time.Hour, true), next: signedIn(0, false)}, authgear.PolicyFunc(recent.Check), "", "ka"},
	} {
		var decisions []authgear.Decision
		g := guard.New(&c.auth, guard.Config{Observer: &authgear.Observer{Decision: func(_ context.Context, d authgear.Decision) { decisions = append(decisions, d) }}})
		ctx, refusal := run(g.Require(c.policy), t.Context(), newRequest("Bearer a", ""), http.Header{})
		var got authgear.Reason
		if refusal != nil {
			got = refusal.Err.Reason
		}
		if got != c.want || c.auth.calls != c.calls {
			t.Errorf("%s: %q after %q, want %q after %q", name, got, c.auth.calls, c.want, c.calls)
		}
		if len(decisions) != 1 || decisions[0].Reason != c.want {
			t.Errorf("%s: decisions %+v", name, decisions)
		}
		if contextkey.IsFresh(ctx) {
			t.Errorf("%s: the handler's context asks for fresh answers", name)
		}
		identity, _ := authgear.FromContext(ctx)
		if c.auth.err == nil && len(c.calls) == 2 && identity != c.auth.next {
			t.Errorf("%s: the handler gets %+v", name, identity)
		}
	}
}

// What the guard of a group knows is what the guard of a route asks about.
func TestStepUpInsideAGroup(t *testing.T) {
	t.Parallel()
	auth := &remembering{known: signedIn(time.Hour, true), next: signedIn(0, false)}
	g := guard.New(auth, silent())
	recent := g.Require(authgear.RecentAuth(time.Minute))
	r := newRequest("Bearer a", "")
	ctx, _ := run(g.Require(), t.Context(), r, http.Header{})
	for range 2 { // the second finds what the first has found
		var refusal *guard.Refusal
		if ctx, refusal = run(recent, ctx, r, http.Header{}); refusal != nil {
			t.Fatal(refusal.Err)
		}
	}
	if auth.calls != "ka" {
		t.Errorf("calls %q", auth.calls)
	}
}

// The handler gets what policies have loaded for the newer answer, and nothing
// that they have loaded for the older.
func TestStepUpLoadsAnew(t *testing.T) {
	t.Parallel()
	type key string
	loads := authgear.PolicyFunc(func(ctx context.Context, i *authgear.Identity) error {
		if i.Evidence.Cached {
			authgear.SetValue(ctx, key("old"), i)
		}
		authgear.SetValue(ctx, key("identity"), i)
		return nil
	})
	auth := &remembering{known: signedIn(time.Hour, true), next: signedIn(0, false)}
	ctx, refusal := run(guard.New(auth, silent()).Require(loads, authgear.RecentAuth(time.Minute)), t.Context(), newRequest("Bearer a", ""), http.Header{})
	if refusal != nil {
		t.Fatal(refusal.Err)
	}
	if got := ctx.Value(key("identity")); got != auth.next {
		t.Errorf("the handler gets what was loaded for %+v", got)
	}
	if got := ctx.Value(key("old")); got != nil {
		t.Errorf("the handler gets what was loaded for the older answer, too: %+v", got)
	}
}
