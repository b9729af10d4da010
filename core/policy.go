package authgear

import (
	"context"
	"fmt"
)

// Policy says whether an identity may go on: nil, or an error. Policies run in
// order after authentication. An [*Error] decides the answer by its reason (a
// policy whose database is down returns one with [ReasonInternal]); any other
// error means [ReasonPolicyDenied].
//
// The context is the framework's own and holds the identity too.
type Policy func(context.Context, *Identity) error

// Role lets identities go on that have the role with this key.
func Role(key string) Policy {
	denied := &Error{Reason: ReasonRoleMissing, Err: fmt.Errorf("the role %q is needed", key)}
	return func(_ context.Context, i *Identity) error {
		if i.HasRole(key) {
			return nil
		}
		return denied
	}
}

// Verified lets users go on who have a verified identity. It denies machines.
func Verified() Policy {
	return func(_ context.Context, i *Identity) error {
		if i.Kind == KindUser && i.Verified {
			return nil
		}
		return &Error{Reason: ReasonNotVerified}
	}
}

// NotAnonymous lets users go on who are not anonymous. It denies machines.
func NotAnonymous() Policy {
	return func(_ context.Context, i *Identity) error {
		if i.Kind == KindUser && !i.Anonymous {
			return nil
		}
		return &Error{Reason: ReasonAnonymousUser}
	}
}
