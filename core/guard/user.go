package guard

import (
	"context"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// User returns the identity in ctx when it is a user, not a machine.
func User(ctx context.Context) (*authgear.Identity, bool) {
	identity, ok := authgear.FromContext(ctx)
	if !ok || identity.Kind != authgear.KindUser {
		return nil, false
	}
	return identity, true
}

// MustUser is [User] for routes on which there is always one. It panics when
// there is none.
func MustUser(ctx context.Context) *authgear.Identity {
	user, ok := User(ctx)
	if !ok {
		panic("authgear: MustUser: no user in this request; put the guard's Require before this handler, and where machines may come in use User or Identity")
	}
	return user
}
