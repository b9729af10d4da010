package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// development starts an Authgear for the examples; a service configures the
// endpoint of its project instead.
func development() (*authgeartest.Server, func()) {
	server, err := authgeartest.Start(authgeartest.Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return server, server.Close
}

// An authenticator is made from the project's endpoint alone, and given to the
// adapter of the framework.
func Example() {
	server, stop := development()
	defer stop()

	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint()})
	if err != nil {
		fmt.Println(err)
		return
	}
	alice := server.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"editor"}})

	identity, err := auth.Verify(context.Background(), server.AccessToken(alice))
	fmt.Println(identity.ID, identity.Verified, identity.HasRole("editor"), err)

	_, err = auth.Verify(context.Background(), server.IDToken(alice, "my-client"))
	fmt.Println(err)
	// Output:
	// alice true true <nil>
	// token_type: The token is not an access token.
}

// A queue consumer has no request: it verifies the token that came with the
// message. If it cannot be verified now, the consumer tries again later. Any
// other error drops the message.
func ExampleJWT_Verify_queue() {
	server, stop := development()
	defer stop()
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint(), Observer: &authgear.Observer{}})
	if err != nil {
		fmt.Println(err)
		return
	}

	consume := func(token string) {
		identity, err := auth.Verify(context.Background(), token)
		if failure, ok := errors.AsType[*authgear.Error](err); ok {
			if failure.Outcome() == authgear.OutcomeUnavailable {
				fmt.Println("try again later")
			} else {
				fmt.Println("dropped:", failure.Reason)
			}
			return
		}
		fmt.Println("done for", identity.ID)
	}

	alice := server.AddUser(authgeartest.User{ID: "alice"})
	consume(server.AccessToken(alice))
	consume(server.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Hour}))
	// Output:
	// done for alice
	// dropped: token_expired
}

// The first message of a socket carries the token, since browsers cannot send
// an Authorization field with it. The connection ends when the token ends, at
// the latest.
func ExampleJWT_Verify_socket() {
	server, stop := development()
	defer stop()
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint()})
	if err != nil {
		fmt.Println(err)
		return
	}

	open := func(ctx context.Context, firstMessage string) (context.Context, context.CancelFunc, error) {
		identity, err := auth.Verify(ctx, firstMessage)
		if err != nil {
			return nil, nil, err
		}
		ctx, cancel := context.WithDeadline(authgear.NewContext(ctx, identity), identity.ExpiresAt)
		return ctx, cancel, nil
	}

	alice := server.AddUser(authgeartest.User{ID: "alice"})
	ctx, cancel, err := open(context.Background(), server.AccessToken(alice))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cancel()
	identity, _ := authgear.FromContext(ctx)
	_, ends := ctx.Deadline()
	fmt.Println(identity.ID, ends)
	// Output:
	// alice true
}

// A hook that another library calls with the token. The hook has to return an
// identity of the library's own kind.
func ExampleJWT_Verify_hook() {
	server, stop := development()
	defer stop()
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint(), Observer: &authgear.Observer{}})
	if err != nil {
		fmt.Println(err)
		return
	}

	type principal struct{ Name string }
	verifyToken := func(ctx context.Context, token string) (*principal, error) {
		identity, err := auth.Verify(ctx, token)
		if err != nil {
			return nil, err // its text is safe to show
		}
		return &principal{Name: identity.ID}, nil
	}

	alice := server.AddUser(authgeartest.User{ID: "alice"})
	p, err := verifyToken(context.Background(), server.AccessToken(alice))
	fmt.Println(p.Name, err)
	_, err = verifyToken(context.Background(), "not.a.token")
	fmt.Println(err)
	// Output:
	// alice <nil>
	// token_malformed: The access token is malformed.
}

// Custom claims, which a hook of the project adds, decode into a struct of
// yours.
func ExampleIdentity_Claims() {
	server, stop := development()
	defer stop()
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint()})
	if err != nil {
		fmt.Println(err)
		return
	}
	alice := server.AddUser(authgeartest.User{ID: "alice"})
	token := server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"https://example.com/tenant": "acme"}})
	identity, err := auth.Verify(context.Background(), token)
	if err != nil {
		fmt.Println(err)
		return
	}

	var claims struct {
		Tenant string `json:"https://example.com/tenant"`
	}
	if err := identity.Claims(&claims); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claims.Tenant)
	// Output: acme
}

// A policy of your own is made of a function. It denies by Deny. Any other
// error means that it cannot decide now.
func ExamplePolicyFunc() {
	tenant := func(want string) authgear.Policy {
		return authgear.PolicyFunc(func(_ context.Context, identity *authgear.Identity) error {
			var claims struct {
				Tenant string `json:"https://example.com/tenant"`
			}
			if err := identity.Claims(&claims); err != nil {
				return err
			}
			if claims.Tenant != want {
				return authgear.Deny("the user belongs to another tenant")
			}
			return nil
		})
	}
	err := tenant("acme").Check(context.Background(), &authgear.Identity{Kind: authgear.KindUser})
	fmt.Println(err)
	// Output: internal: The request cannot be checked now. Try again later.
}
