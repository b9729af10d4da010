package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Scopes are the machines', roles the users': a route for both has one of each.
func ExampleAny() {
	reports := authgear.Any(authgear.Role("reporter"), authgear.Scope("reports:read"))
	for _, identity := range []*authgear.Identity{
		{Kind: authgear.KindUser, Roles: []string{"reporter"}},
		{Kind: authgear.KindUser},
		{Kind: authgear.KindClient, Scopes: []string{"reports:read"}},
		{Kind: authgear.KindClient},
	} {
		fmt.Println(identity.Kind, reports.Check(context.Background(), identity))
	}
	// Output:
	// user <nil>
	// user role_missing: This request needs a role that the user does not have.
	// client <nil>
	// client insufficient_scope: This request needs a scope that the access token does not have.
}

// A login that is too old gets the challenge of RFC 9470. A user who has nothing to
// reauthenticate with is denied, unless such users may go on.
func ExampleRecentAuth() {
	longAgo := time.Now().Add(-time.Hour)
	alice := &authgear.Identity{Kind: authgear.KindUser, AuthenticatedAt: longAgo, CanReauthenticate: true}
	err := authgear.RecentAuth(5*time.Minute).Check(context.Background(), alice)
	fmt.Println(authgear.AsError(err).Refusal().Header.Get("WWW-Authenticate"))

	alice.AuthenticatedAt = time.Now()
	fmt.Println(authgear.RecentAuth(5*time.Minute).Check(context.Background(), alice))

	byGoogle := &authgear.Identity{Kind: authgear.KindUser, AuthenticatedAt: longAgo}
	fmt.Println(authgear.RecentAuth(5*time.Minute).Check(context.Background(), byGoogle))
	fmt.Println(authgear.RecentAuthIfPossible(5*time.Minute).Check(context.Background(), byGoogle))
	// Output:
	// Bearer error="insufficient_user_authentication", error_description="This request needs a more recent login.", max_age="300"
	// <nil>
	// cannot_reauthenticate: This request needs a recent login, and the user cannot sign in again.
	// <nil>
}

// A policy gives the handler what it has loaded, so that one query is enough.
func ExampleSetValue() {
	type accountKey struct{}
	balances := map[string]int{"alice": 12}
	account := authgear.PolicyFunc(func(ctx context.Context, identity *authgear.Identity) error {
		balance, ok := balances[identity.ID] // of a database, rather
		if !ok {
			return authgear.Deny("the user has no account")
		}
		authgear.SetValue(ctx, accountKey{}, balance)
		return nil
	})
	handler := func(ctx context.Context) { fmt.Println("balance:", ctx.Value(accountKey{})) }

	// What the middleware of an adapter does:
	server, stop := development()
	defer stop()
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint(), Observer: &authgear.Observer{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	check := guard.New(auth, guard.Config{}).Require(account)
	for _, user := range []string{"alice", "bob"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+server.AccessToken(server.AddUser(authgeartest.User{ID: user})))
		r, refusal := guard.Run(r.Context(), check, guard.HTTP(r), http.Header{}, r)
		if refusal != nil {
			fmt.Println(refusal.Status, refusal.Err)
			continue
		}
		handler(r.Context())
	}
	// Output:
	// balance: 12
	// 403 policy_denied: This request is not allowed.
}

// partnerKeys finds out which client sent X-Api-Key.
type partnerKeys map[string]string

func (keys partnerKeys) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	values := r.Values("X-Api-Key")
	if len(values) == 0 {
		return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
	}
	if client, ok := keys[values[0]]; ok && len(values) == 1 {
		return &authgear.Identity{Kind: authgear.KindClient, ID: client, Scopes: []string{"reports:read"}}, nil
	}
	return nil, &authgear.Error{Reason: authgear.ReasonTokenRejected, Err: errors.New("there is no such API key")}
}

// A service accepts API keys of its own beside access tokens. A token does not rescue a
// bad key.
func ExampleInOrder() {
	server, stop := development()
	defer stop()
	jwt, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint()})
	if err != nil {
		fmt.Println(err)
		return
	}
	auth := authgear.InOrder(partnerKeys{"s3cret": "partner"}, jwt)

	token := "Bearer " + server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	for _, header := range []http.Header{
		{"X-Api-Key": {"s3cret"}},
		{"Authorization": {token}},
		{"X-Api-Key": {"wrong"}, "Authorization": {token}},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = header
		identity, err := auth.Authenticate(context.Background(), guard.HTTP(r))
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(identity.Kind, identity.ID)
	}
	// Output:
	// client partner
	// user alice
	// token_rejected: The access token is not, or no longer, valid.
}
