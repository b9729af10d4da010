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

// The resolver is asked about access tokens and session cookies alike. A user who
// is disabled is refused at once.
func ExampleNewResolver() {
	server, stop := development()
	defer stop()
	auth, err := authgear.NewResolver(authgear.ResolverConfig{Endpoint: server.Endpoint(), Observer: &authgear.Observer{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	who := func(name, value string) {
		request, _ := http.NewRequest(http.MethodGet, "https://api.example.com/", http.NoBody) //nolint:noctx // it is not sent
		request.Header.Set(name, value)
		// A guard of your framework's adapter does this for each request.
		identity, err := auth.Authenticate(context.Background(), guard.HTTP(request))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(identity.ID, identity.Roles, identity.Source)
	}

	alice := server.AddUser(authgeartest.User{ID: "alice", Roles: []string{"editor"}})
	token, cookie := server.OpaqueToken(alice), server.SessionCookie(alice)
	who("Authorization", "Bearer "+token)
	who("Cookie", cookie.Name+"="+cookie.Value)

	server.DisableUser(alice)
	who("Authorization", "Bearer "+token)
	who("Cookie", cookie.Name+"="+cookie.Value)
	// Output:
	// alice [editor] resolver
	// alice [editor] resolver
	// token_rejected: The access token is not, or no longer, valid.
	// session_invalid: The session is not, or no longer, valid.
}

// With CacheTTL an answer counts for a while. With StaleIfError it counts
// longer while Authgear cannot be asked. A live request never takes an answer
// that is older than itself.
func ExampleNewResolver_cache() {
	server, stop := development()
	defer stop()
	auth, err := authgear.NewResolver(authgear.ResolverConfig{
		Endpoint:     server.Endpoint(),
		CacheTTL:     time.Minute,
		StaleIfError: 5 * time.Minute,
		Observer:     &authgear.Observer{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	alice := server.AddUser(authgeartest.User{ID: "alice"})
	request, _ := http.NewRequest(http.MethodGet, "https://api.example.com/", http.NoBody) //nolint:noctx // it is not sent
	request.Header.Set("Authorization", "Bearer "+server.AccessToken(alice))

	asked := 0
	for range 100 {
		identity, err := auth.Authenticate(context.Background(), guard.HTTP(request))
		if err != nil {
			fmt.Println(err)
			return
		}
		if !identity.Evidence.Cached {
			asked++
		}
	}
	fmt.Println("requests that asked Authgear:", asked)

	server.RevokeSessions(alice)
	identity, err := auth.Authenticate(context.Background(), guard.HTTP(request))
	fmt.Println("cached:", identity.ID, err)
	_, err = auth.AuthenticateFresh(context.Background(), guard.HTTP(request))
	fmt.Println("live:", err)
	_, err = auth.Authenticate(context.Background(), guard.HTTP(request))
	fmt.Println("from then on:", err)
	// Output:
	// requests that asked Authgear: 1
	// cached: alice <nil>
	// live: token_rejected: The access token is not, or no longer, valid.
	// from then on: token_rejected: The access token is not, or no longer, valid.
}
