package authgearfiber_test

import (
	"context"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// constant is an authenticator that takes everybody for the same user.
type constant struct{ identity *authgear.Identity }

func (c constant) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return c.identity, nil
}

// nobody is one that finds no credentials.
type nobody struct{}

func (nobody) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
}

var alice = constant{&authgear.Identity{Kind: authgear.KindUser, ID: "alice", Source: authgear.SourceJWT}}
