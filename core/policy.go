package authgear

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Policy says whether an identity is allowed. The guard of a route takes a list
// of them, checks them in order after authentication, and refuses with the first
// error. The zero value is a mistake, for which a guard panics at set-up.
//
// A policy may name the kinds of identities that it is for. A list admits the
// kinds on which all of its policies agree that name any, and users if none
// does: so a client gets to no route that does not name clients.
type Policy struct {
	kinds []Kind // nil: it names none
	check func(context.Context, *Identity) error
}

// PolicyFunc makes a policy of a function: nil allows, [Deny] denies. An [*Error]
// decides the answer by its reason. Any other error means that nobody can tell,
// [ReasonInternal]: a database that is down is no "no".
//
// The context is the request's and holds the identity. The policy names no kind.
// It panics for nil.
func PolicyFunc(check func(context.Context, *Identity) error) Policy {
	if check == nil {
		panic("authgear: PolicyFunc: the function is nil")
	}
	return Policy{check: check}
}

// Deny returns the error by which a policy denies, with [ReasonPolicyDenied]. The
// text is for the operator.
func Deny(text string) error { return &Error{Reason: ReasonPolicyDenied, Err: errors.New(text)} }

// Check returns nil when the policy allows the identity, else why not, which is
// always an [*Error]. It is what guards call.
func (p Policy) Check(ctx context.Context, identity *Identity) error {
	if identity == nil || p.check == nil {
		return &Error{Reason: ReasonInternal, Err: errors.New("a policy needs a check and an identity")}
	}
	kinds := p.kinds
	if kinds == nil {
		kinds = usersOnly
	}
	if !slices.Contains(kinds, identity.Kind) {
		return &Error{Reason: ReasonKindNotAllowed, Err: fmt.Errorf("the sender is of kind %q, the route admits %q only; Kinds names others", identity.Kind, kinds)}
	}
	if err := p.check(ctx, identity); err != nil {
		return AsError(err)
	}
	return nil
}

// IsZero reports whether the policy was made by no constructor.
func (p Policy) IsZero() bool { return p.check == nil }

var usersOnly = []Kind{KindUser}

// All allows what all of the policies allow, checked in order. It names the kinds
// on which those agree that name any. It panics when there is no policy, or no
// kind left.
func All(policies ...Policy) Policy {
	if len(policies) == 0 {
		panic("authgear: All: there is no policy")
	}
	var kinds []Kind
	for i, p := range policies {
		switch {
		case p.IsZero():
			panic(fmt.Sprintf("authgear: policy number %d is the zero Policy", i+1))
		case p.kinds == nil:
		case kinds == nil:
			kinds = slices.Clone(p.kinds)
		default:
			kinds = slices.DeleteFunc(kinds, func(k Kind) bool { return !slices.Contains(p.kinds, k) })
			if len(kinds) == 0 {
				panic("authgear: the policies agree on no kind of identity, so nobody would be allowed")
			}
		}
	}
	policies = slices.Clone(policies)
	return Policy{kinds, func(ctx context.Context, i *Identity) error {
		for _, p := range policies {
			if err := p.check(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Kinds allows and names these kinds of identities, such as
// Kinds(KindUser, KindClient) for a route that serves clients too. It panics
// for a kind that does not exist.
func Kinds(kinds ...Kind) Policy {
	if len(kinds) == 0 {
		panic("authgear: Kinds: there is no kind")
	}
	for _, k := range kinds {
		if k != KindUser && k != KindClient {
			panic(fmt.Sprintf("authgear: Kinds: there is no kind %q", k))
		}
	}
	return Policy{slices.Clone(kinds), allow}
}

// allow has nothing to check beside the kind.
func allow(context.Context, *Identity) error { return nil }

// Role allows users who have the role with this key. It panics for "".
func Role(key string) Policy {
	if strings.TrimSpace(key) == "" {
		panic("authgear: Role: the key is empty")
	}
	denied := &Error{Reason: ReasonRoleMissing, Err: fmt.Errorf("the role %q is needed", key)}
	return Policy{usersOnly, func(_ context.Context, i *Identity) error {
		if i.HasRole(key) {
			return nil
		}
		return denied
	}}
}

// Verified allows users who have a verified identity.
func Verified() Policy {
	return Policy{usersOnly, func(_ context.Context, i *Identity) error {
		if i.Verified {
			return nil
		}
		return &Error{Reason: ReasonNotVerified}
	}}
}

// NotAnonymous allows users who are not anonymous.
func NotAnonymous() Policy {
	return Policy{usersOnly, func(_ context.Context, i *Identity) error {
		if !i.Anonymous {
			return nil
		}
		return &Error{Reason: ReasonAnonymousUser}
	}}
}
