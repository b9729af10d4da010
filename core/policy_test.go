package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	alice := &authgear.Identity{Kind: authgear.KindUser, ID: "alice", Verified: true, Roles: []string{"admin"}}
	guest := &authgear.Identity{Kind: authgear.KindUser, ID: "guest", Anonymous: true}
	// A client whose flags say otherwise is still no user.
	client := &authgear.Identity{Kind: authgear.KindClient, ID: "client_id_x", Verified: true, Roles: []string{"admin"}}
	own := authgear.PolicyFunc(func(context.Context, *authgear.Identity) error { return nil })
	both := authgear.Kinds(authgear.KindUser, authgear.KindClient)
	for _, c := range []struct {
		name     string
		policy   authgear.Policy
		identity *authgear.Identity
		want     authgear.Reason
	}{
		{"role", authgear.Role("admin"), alice, ""},
		{"role missing", authgear.Role("Admin"), alice, authgear.ReasonRoleMissing},
		{"no roles", authgear.Role("admin"), guest, authgear.ReasonRoleMissing},
		{"a client with a role", authgear.Role("admin"), client, authgear.ReasonKindNotAllowed},
		{"verified", authgear.Verified(), alice, ""},
		{"not verified", authgear.Verified(), guest, authgear.ReasonNotVerified},
		{"verified client", authgear.Verified(), client, authgear.ReasonKindNotAllowed},
		{"not anonymous", authgear.NotAnonymous(), alice, ""},
		{"anonymous", authgear.NotAnonymous(), guest, authgear.ReasonAnonymousUser},
		{"client", authgear.NotAnonymous(), client, authgear.ReasonKindNotAllowed},
		{"the zero identity", authgear.NotAnonymous(), &authgear.Identity{}, authgear.ReasonKindNotAllowed},
		{"no identity", authgear.NotAnonymous(), nil, authgear.ReasonInternal},
		{"the zero policy", authgear.Policy{}, alice, authgear.ReasonInternal},

		{"a function names no kind, so it is for users", own, alice, ""},
		{"a function and a client", own, client, authgear.ReasonKindNotAllowed},
		{"clients only, a user", authgear.Kinds(authgear.KindClient), alice, authgear.ReasonKindNotAllowed},
		{"clients only, a client", authgear.Kinds(authgear.KindClient), client, ""},
		{"both, a user", both, alice, ""},
		{"both, a client", both, client, ""},
		{"both, a kind that does not exist", both, &authgear.Identity{Kind: "robot"}, authgear.ReasonKindNotAllowed},
		{"both and a role, a client", authgear.All(both, authgear.Role("admin")), client, authgear.ReasonKindNotAllowed},
		{"a function and clients", authgear.All(own, authgear.Kinds(authgear.KindClient)), client, ""},
		{"the first that denies", authgear.All(authgear.Verified(), authgear.Role("admin")), guest, authgear.ReasonNotVerified},
		{"lists in lists", authgear.All(authgear.All(own, both), authgear.All(authgear.Kinds(authgear.KindClient))), client, ""},
	} {
		err := c.policy.Check(context.Background(), c.identity)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		wantReason(t, err, c.want)
	}
}

// The lists of a policy belong to the caller.
func TestPoliciesCopyTheirLists(t *testing.T) {
	t.Parallel()
	kinds, list := []authgear.Kind{authgear.KindClient}, []authgear.Policy{authgear.Verified()}
	machines, verified := authgear.Kinds(kinds...), authgear.All(list...)
	kinds[0], list[0] = authgear.KindUser, authgear.NotAnonymous()
	guest := &authgear.Identity{Kind: authgear.KindUser}
	wantReason(t, machines.Check(t.Context(), guest), authgear.ReasonKindNotAllowed)
	wantReason(t, verified.Check(t.Context(), guest), authgear.ReasonNotVerified)
}

// What can never mean anything is refused at set-up.
func TestMeaninglessPolicies(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"no function":     func() { authgear.PolicyFunc(nil) },
		"no role":         func() { authgear.Role("") },
		"no kind":         func() { authgear.Kinds() },
		"a made-up kind":  func() { authgear.Kinds("robot") },
		"an empty list":   func() { authgear.All() },
		"the zero policy": func() { authgear.All(authgear.Verified(), authgear.Policy{}) },
		"a blank role":    func() { authgear.Role(" ") },
		"no role of any":  func() { authgear.AnyRole() },
		"no role of all":  func() { authgear.AllRoles() },
		"one role empty":  func() { authgear.AnyRole("admin", "") },
		"one role blank":  func() { authgear.AllRoles("admin", "\t") },
		"no scope":        func() { authgear.Scope() },
		"an empty scope":  func() { authgear.Scope("") },
		"two in one":      func() { authgear.Scope("reports:read reports:write") },
		"a quote":         func() { authgear.Scope(`a"b`) },
		"a backslash":     func() { authgear.Scope(`a\b`) },
		"not ASCII":       func() { authgear.Scope("é") },
		"DEL":             func() { authgear.Scope("a\x7f") },
		"the second":      func() { authgear.Scope("a", `b"`) },
		"no alternative":  func() { authgear.Any() },
		"a zero one":      func() { authgear.Any(authgear.Verified(), authgear.Policy{}) },
		"no time":         func() { authgear.RecentAuth(0) },
		"less than 1 s":   func() { authgear.RecentAuth(time.Second - 1) },
		"a negative time": func() { authgear.RecentAuthIfPossible(-time.Minute) },
		"no kind for it":  func() { authgear.All(authgear.NotAnonymous(), authgear.Kinds(authgear.KindClient)) },
		"no kind left":    func() { authgear.All(authgear.Verified(), authgear.Kinds(authgear.KindClient)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	authgear.RecentAuth(time.Second) // the least that there is

	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "policy number 2 is") {
			t.Errorf("panics with %q", text)
		}
	}()
	authgear.All(authgear.Verified(), authgear.Policy{}, authgear.Verified())
}

// The operator reads what is needed, and what to do about it.
func TestCausesOfPolicies(t *testing.T) {
	t.Parallel()
	both := authgear.Kinds(authgear.KindUser, authgear.KindClient)
	forwarded := user(ofResolver)
	forwarded.Source = authgear.SourceForwarded
	for _, c := range []struct {
		policy   authgear.Policy
		identity *authgear.Identity
		want     string
	}{
		{authgear.Role("admin"), user(), `the role ["admin"] is needed, the user has "editor reporter"`},
		{authgear.AnyRole("admin", "owner"), user(), `one of the roles ["admin" "owner"] is needed, the user has "editor reporter"`},
		{authgear.AllRoles("admin", "owner"), user(), `each of the roles ["admin" "owner"] is needed, the user has "editor reporter"`},
		{authgear.Role("admin"), &authgear.Identity{Kind: authgear.KindUser}, `the role ["admin"] is needed, the user has no role`},
		{authgear.Verified(), &authgear.Identity{Kind: authgear.KindUser}, "the user has no verified identity"},
		{authgear.NotAnonymous(), &authgear.Identity{Kind: authgear.KindUser, Anonymous: true}, "the user is anonymous"},
		{authgear.Any(authgear.Verified(), authgear.Role("admin")), machine(), `the sender is of kind "client", the route admits ["user"] only; Kinds names others`},
		{both, &authgear.Identity{Kind: "robot"}, `the sender is of kind "robot", the route admits ["user" "client"] only; Kinds names others`},
		{authgear.Scope("a", "b"), machine("a"), `the scopes ["a" "b"] are needed`},
		{authgear.Scope("phone"), user(), `the scopes ["phone"] are needed`},
		{authgear.Scope("phone"), user(ofResolver), `the scopes ["phone"] are needed, and the resolver tells none: only NewJWT and NewHybrid read scopes`},
		{authgear.Scope("phone"), forwarded, `the scopes ["phone"] are needed, and the resolver tells none: only NewJWT and NewHybrid read scopes`},
		{answers(authgear.Deny("not a member")), user(), "not a member"},
		{answers(authgear.Unavailable(errors.New("the database is down"))), user(), "the database is down"},
		{answers(errors.New("the database is down")), user(), "the database is down"},
	} {
		err := c.policy.Check(t.Context(), c.identity)
		if cause := errors.Unwrap(err); cause == nil || cause.Error() != c.want {
			t.Errorf("the operator reads %v of %v, want %s", cause, err, c.want)
		}
	}
}

// What wraps an error of ours stays in the operator's text, with its own cause.
func TestWrappedDenial(t *testing.T) {
	t.Parallel()
	policy := authgear.PolicyFunc(func(context.Context, *authgear.Identity) error {
		return fmt.Errorf("project 42: %w", authgear.Deny("not a member"))
	})
	err := policy.Check(context.Background(), &authgear.Identity{Kind: authgear.KindUser})
	wantReason(t, err, authgear.ReasonPolicyDenied)
	if text := errors.Unwrap(err).Error(); !strings.Contains(text, "project 42") || !strings.Contains(text, "not a member") {
		t.Errorf("the operator reads %q", text)
	}
	if strings.Contains(err.Error(), "42") {
		t.Errorf("the client could read %q", err)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	if identity, ok := authgear.FromContext(context.Background()); ok || identity != nil {
		t.Errorf("identity = %v", identity)
	}
	ctx := authgear.NewContext(context.Background(), &authgear.Identity{ID: "alice"})
	if identity, ok := authgear.FromContext(ctx); !ok || identity.ID != "alice" {
		t.Errorf("identity = %v", identity)
	}
	// nil hides an identity further out, and is none.
	if identity, ok := authgear.FromContext(authgear.NewContext(ctx, nil)); ok || identity != nil {
		t.Errorf("identity = %v", identity)
	}
	if err := (&authgear.Identity{}).Claims(&struct{}{}); err == nil {
		t.Error("an identity without a token has claims")
	}
}
