package authgear

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
)

// Policy says whether an identity is allowed. The guard of a route takes a list
// of policies, checks them in order after authentication, and refuses with the
// first error. A missing scope and a login that is too old are told together,
// see [All]. The zero value is a mistake: a guard panics for it at set-up.
//
// A policy may name the kinds of identities that it is for. A list admits the
// kinds that are named by each of its policies that names any. If no policy
// names a kind, the list admits users. So a client reaches only routes that
// name clients.
type Policy struct {
	kinds []Kind // nil: it names none
	rules []rule // checked in order
}

// rule is one check of a policy.
type rule struct {
	check  func(context.Context, *Identity) error
	scopes []string // that it asks for
	// declared: it looks at nothing but the identity. So it can be checked even
	// after a refusal, for an answer that tells all at once.
	declared bool
}

// PolicyFunc makes a policy of a function. The function returns nil to allow,
// [Deny] to deny, and [Unavailable] when it cannot decide now. An [*Error]
// decides the answer by its reason. Any other error means [ReasonInternal],
// which does not deny either: a database that is down is not a "no".
//
// The context is the request's and holds the identity. By [SetValue] the
// function can give the handler what it has loaded. The policy names no kind.
// The function may run twice for one request, see [RecentAuth]. PolicyFunc
// panics for nil.
//
// The adapters have a Policy of their own, whose function gets the framework's
// context.
func PolicyFunc(check func(context.Context, *Identity) error) Policy {
	if check == nil {
		panic("authgear: PolicyFunc: the function is nil")
	}
	return Policy{rules: []rule{{check: check}}}
}

// Deny returns the error by which a policy denies, with [ReasonPolicyDenied]. The
// text is for the operator.
func Deny(text string) error { return &Error{Reason: ReasonPolicyDenied, Err: errors.New(text)} }

// Unavailable returns the error by which a policy says that it cannot decide
// now, such as when its database is down. The reason is
// [ReasonPolicyUnavailable]. The cause is for the operator.
func Unavailable(cause error) error { return &Error{Reason: ReasonPolicyUnavailable, Err: cause} }

// SetValue gives the handler a value that a policy has loaded, such as the row
// of an account. The handler, and the policies that are checked later, find it
// by Value of the request's context, under this key. ctx is the context that
// the policy got, that of the request it got, or one derived from these. With
// any other context nothing happens, so that a policy can be tested by itself.
// The value stays set even when the policy denies. SetValue panics for the keys
// for which [context.WithValue] does.
func SetValue(ctx context.Context, key, value any) {
	if request, ok := ctx.Value(contextkey.Identity).(interface{ SetValue(key, value any) }); ok {
		request.SetValue(key, value)
	}
}

// Check returns nil when the policy allows the identity, else an error that
// says why not and is always an [*Error]. Guards call it. A function of your
// own can call it to ask another policy.
func (p Policy) Check(ctx context.Context, identity *Identity) error {
	if identity == nil || p.IsZero() {
		return &Error{Reason: ReasonInternal, Err: errors.New("a policy needs a check and an identity")}
	}
	if kinds := p.admitted(); !slices.Contains(kinds, identity.Kind) {
		return &Error{Reason: ReasonKindNotAllowed, Err: fmt.Errorf("the sender is of kind %q, the route admits %q only; Kinds names others", identity.Kind, kinds)}
	}
	for n, rule := range p.rules {
		if err := rule.check(ctx, identity); err != nil {
			return p.complete(ctx, identity, AsError(err), p.rules[n+1:])
		}
	}
	return nil
}

// IsZero reports whether the policy is the zero value, which no constructor
// makes.
func (p Policy) IsZero() bool { return p.kinds == nil && p.rules == nil }

// NeedsContext reports whether the policy checks by a function that needs the
// context. All other checks look at nothing but the identity.
func (p Policy) NeedsContext() bool {
	return slices.ContainsFunc(p.rules, func(r rule) bool { return !r.declared })
}

var usersOnly = []Kind{KindUser}

// admitted are the kinds that the policy admits as a list of its own.
func (p Policy) admitted() []Kind {
	if p.kinds == nil {
		return usersOnly
	}
	return p.kinds
}
