package guard

import (
	"context"
	"sync/atomic"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Policy makes a policy of a function that gets the framework's own context C.
// with puts the handler's request T into C; the context of T holds the
// identity. Nothing of this outlives the policy. In a guard of another
// framework the policy denies. Policy panics for nil.
func Policy[C, T any](check func(C, *authgear.Identity) error, with func(C, T) C) authgear.Policy {
	if check == nil {
		panic("authgear: Policy: the function is nil")
	}
	return authgear.PolicyFunc(func(ctx context.Context, identity *authgear.Identity) error {
		j, request, c, err := inFramework[C, T](ctx)
		if err != nil {
			return err
		}
		return check(with(c, request.stripped.HandOn(j)), identity)
	})
}

// Self makes the policy that allows the user whose id is the value of a path
// parameter. It denies when there is no such value, and in a guard of another
// framework. It panics for "".
func Self[C, T any](parameter string, value func(C, string) string) authgear.Policy {
	if parameter == "" {
		panic("authgear: Self: the name of the path parameter is empty")
	}
	return authgear.All(authgear.Kinds(authgear.KindUser), authgear.PolicyFunc(func(ctx context.Context, identity *authgear.Identity) error {
		_, _, c, err := inFramework[C, T](ctx)
		if err != nil {
			return err
		}
		switch id := value(c, parameter); {
		case id == "":
			return authgear.Deny("the path of the route has no value for the parameter of Self")
		case id != identity.ID:
			return authgear.Deny("the path names another user than the sender")
		}
		return nil
	}))
}

// inFramework finds the framework's own context.
func inFramework[C, T any](ctx context.Context) (j *judging[T], request *judged[T], c C, err error) {
	j, ok := ctx.Value(ContextKey).(*judging[T]) // a key that frameworks know
	if ok {
		request = j.request.Load()
	}
	if request != nil {
		c, ok = request.framework.(C)
	}
	if request == nil || !ok {
		return nil, nil, c, errOtherFramework
	}
	return j, request, c, nil
}

var errOtherFramework = authgear.Deny("the policy was asked without the request that it is about: it is of the adapter of another framework, or was asked outside of a guard")

// judged is a request about which policies decide.
type judged[T any] struct {
	stripped  Request[T] // as the handler gets it
	framework any        // the framework's own context
}

// judge returns why the request is refused, nil when it is allowed, and the
// context with the values that policies have set.
func judge[T any](ctx context.Context, c *Check, found *finding, request judged[T]) (context.Context, *authgear.Error) {
	if found.failure != nil {
		return ctx, found.failure
	}
	if found.identity.Evidence.Ambient {
		if err := c.guard.crossOrigin.check(request.stripped); err != nil {
			return ctx, err
		}
	}
	if !c.policy.NeedsContext() {
		return ctx, asError(c.policy.Check(ctx, found.identity))
	}
	j := &judging[T]{Context: ctx, found: found}
	j.request.Store(new(request))
	// Once this request has ended, the framework's context belongs to the next
	// one, and somebody may still keep j.
	defer j.request.Store(nil)
	err := asError(c.policy.Check(j, found.identity))
	return j.withValues(), err
}

// asError is [authgear.AsError] for an error that may be nil.
func asError(err error) *authgear.Error {
	if err == nil {
		return nil
	}
	return authgear.AsError(err)
}

// judging is the context that policies get. It holds the identity. By it,
// policies reach the framework's own context and set values for the handler.
// Work that a policy has begun with it may go on in another goroutine, such as
// a driver that waits for the end of the context.
type judging[T any] struct {
	context.Context // the request's
	found           *finding
	request         atomic.Pointer[judged[T]] // nil when the policies have been asked
	values          atomic.Pointer[values]    // nil when none is set
}

// values is the request's context with what policies have set.
type values struct{ context.Context }

// Value implements [context.Context].
func (j *judging[T]) Value(key any) any {
	switch key {
	case any(ContextKey):
		return j
	case any(foundKey{}): // a request that a policy sends in this one's name fills no [Found] of this one
		return nil
	}
	return j.withValues().Value(key)
}

func (j *judging[T]) withValues() context.Context {
	if v := j.values.Load(); v != nil {
		return v.Context
	}
	return j.Context
}

// Identity is what authgear.FromContext returns.
func (j *judging[T]) Identity() *authgear.Identity { return j.found.identity }

// SetValue is what authgear.SetValue does.
func (j *judging[T]) SetValue(key, value any) {
	for {
		before := j.values.Load()
		if j.values.CompareAndSwap(before, &values{context.WithValue(j.withValues(), key, value)}) {
			return
		}
	}
}
