package authgeartest_test

import (
	"context"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// The SDK accepts the tokens of a sign-in.
func TestSDKTakesSignIn(t *testing.T) {
	s := authgeartest.New(t, authgeartest.Config{Seed: "a seed"})
	s.AddUser(authgeartest.User{ID: "alice", Roles: []string{"editor"}})
	tokens := signInFor(t, s, "alice", "spa")
	jwt, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: s.Endpoint(), ClientIDs: []string{"spa"}})
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := authgear.NewHybrid(authgear.HybridConfig{Endpoint: s.Endpoint()})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{tokens["access_token"].(string), refreshed(t, s, tokens)} {
		for _, auth := range []interface {
			Verify(context.Context, string) (*authgear.Identity, error)
		}{jwt, hybrid} {
			identity, err := auth.Verify(t.Context(), token)
			if err != nil || identity.ID != "alice" || !identity.HasRole("editor") || identity.ClientID != "spa" {
				t.Errorf("%T: %v %v", auth, identity, err)
			}
		}
	}
}
