package authgear_test

import (
	"context"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	alice := &authgear.Identity{Kind: authgear.KindUser, ID: "alice", Verified: true, Roles: []string{"admin"}}
	guest := &authgear.Identity{Kind: authgear.KindUser, ID: "guest", Anonymous: true}
	// A machine whose flags say otherwise is still no user.
	machine := &authgear.Identity{Kind: authgear.KindClient, ID: "client_id_x", Verified: true}
	for _, c := range []struct {
		name     string
		policy   authgear.Policy
		identity *authgear.Identity
		want     authgear.Reason
	}{
		{"role", authgear.Role("admin"), alice, ""},
		{"role missing", authgear.Role("Admin"), alice, authgear.ReasonRoleMissing},
		{"no roles", authgear.Role("admin"), guest, authgear.ReasonRoleMissing},
		{"the empty role", authgear.Role(""), alice, authgear.ReasonRoleMissing},
		{"verified", authgear.Verified(), alice, ""},
		{"not verified", authgear.Verified(), guest, authgear.ReasonNotVerified},
		{"verified machine", authgear.Verified(), machine, authgear.ReasonNotVerified},
		{"not anonymous", authgear.NotAnonymous(), alice, ""},
		{"anonymous", authgear.NotAnonymous(), guest, authgear.ReasonAnonymousUser},
		{"machine", authgear.NotAnonymous(), machine, authgear.ReasonAnonymousUser},
		{"the zero identity", authgear.NotAnonymous(), &authgear.Identity{}, authgear.ReasonAnonymousUser},
	} {
		err := c.policy(context.Background(), c.identity)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		wantReason(t, err, c.want)
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
