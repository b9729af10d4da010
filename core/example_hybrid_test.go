package authgear_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// A hundred requests with one token cost one call, and roles are those that Authgear
// knows, not those of the token.
func ExampleNewHybrid() {
	server, stop := development()
	defer stop()
	auth, err := authgear.NewHybrid(authgear.HybridConfig{Endpoint: server.Endpoint(), Observer: &authgear.Observer{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	alice := server.AddUser(authgeartest.User{ID: "alice", Roles: []string{"viewer"}})
	request, _ := http.NewRequest(http.MethodGet, "https://api.example.com/", http.NoBody) //nolint:noctx // it is not sent
	request.Header.Set("Authorization", "Bearer "+server.AccessToken(alice))
	server.SetRoles(alice, "editor")

	waited := 0
	for range 100 {
		// A guard of your framework's adapter does this for each request.
		identity, err := auth.Authenticate(context.Background(), guard.HTTP(request))
		if err != nil || !identity.HasRole("editor") {
			fmt.Println(identity, err)
			return
		}
		if !identity.Evidence.Cached {
			waited++
		}
	}
	fmt.Println("requests that waited for a call:", waited)

	server.DisableUser(alice) // which is noticed after Freshness, or at once where it has to be
	_, err = auth.AuthenticateFresh(context.Background(), guard.HTTP(request))
	fmt.Println(err)
	// Output:
	// requests that waited for a call: 1
	// token_rejected: The access token is not, or no longer, valid.
}

// Whoever learns that a user was disabled, as a webhook does, tells the Revocations that
// NewHybrid has: the next request is refused.
func ExampleMemoryRevocations() {
	server, stop := development()
	defer stop()
	var revocations authgear.MemoryRevocations
	auth, err := authgear.NewHybrid(authgear.HybridConfig{
		Endpoint: server.Endpoint(), Revocations: &revocations, Observer: &authgear.Observer{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	alice := server.AddUser(authgeartest.User{ID: "alice"})
	token := server.AccessToken(alice)
	identity, err := auth.Verify(ctx, token)
	fmt.Println(identity.ID, err)

	server.DisableUser(alice)
	identity, err = auth.Verify(ctx, token)
	fmt.Println("nobody has told:", identity.ID, err)

	err = revocations.Revoke(ctx, alice, time.Now()) // the time of the event
	fmt.Println(err)
	_, err = auth.Verify(ctx, token)
	fmt.Println(err)
	// Output:
	// alice <nil>
	// nobody has told: alice <nil>
	// <nil>
	// token_rejected: The access token is not, or no longer, valid.
}
