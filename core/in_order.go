package authgear

import (
	"context"
	"errors"
	"fmt"

	"github.com/authgear/authgear-sdk-go/core/internal/isnil"
)

// InOrder returns an authenticator that asks these one after the other, until
// one finds credentials. That one alone decides. The next one is asked only
// after [ReasonNoCredentials]. So a credential that is invalid, or that cannot
// be judged now, is never rescued by another.
//
//	auth := authgear.InOrder(apiKeys, jwt)
//
// It is a [FreshAuthenticator] when all of them are. Its observer is that of
// the first one that has an observer. InOrder panics without authenticators,
// and when one is nil.
func InOrder(authenticators ...Authenticator) Authenticator {
	if len(authenticators) == 0 {
		panic("authgear: InOrder: there is no authenticator")
	}
	all := freshInOrder{}
	for i, a := range authenticators {
		if isnil.IsNil(a) {
			panic(fmt.Sprintf("authgear: InOrder: authenticator number %d is nil", i+1))
		}
		all.inOrder = append(all.inOrder, a)
	}
	for _, a := range authenticators {
		if _, ok := a.(FreshAuthenticator); !ok {
			return all.inOrder
		}
	}
	return all
}

type inOrder []Authenticator

// Authenticate implements [Authenticator].
func (o inOrder) Authenticate(ctx context.Context, r Request) (*Identity, error) {
	return o.authenticate(func(a Authenticator) (*Identity, error) { return a.Authenticate(ctx, r) })
}

func (o inOrder) authenticate(ask func(Authenticator) (*Identity, error)) (*Identity, error) {
	none := &Error{Reason: ReasonNoCredentials}
	for _, a := range o {
		identity, err := ask(a)
		switch {
		case err == nil && identity == nil:
			return nil, &Error{Reason: ReasonInternal, Err: errors.New("an authenticator returned neither an identity nor an error")}
		case err == nil:
			return identity, nil
		case AsError(err).Reason != ReasonNoCredentials:
			return nil, AsError(err)
		case none.Err == nil:
			none.Err = AsError(err).Err // the first cause
		}
	}
	return nil, none
}

// Observer returns the observer of the first that has one.
func (o inOrder) Observer() *Observer {
	for _, a := range o {
		if observed, ok := a.(interface{ Observer() *Observer }); ok {
			return observed.Observer()
		}
	}
	return nil
}

// freshInOrder are authenticators that are all [FreshAuthenticator]s.
type freshInOrder struct{ inOrder }

// AuthenticateFresh implements [FreshAuthenticator].
func (f freshInOrder) AuthenticateFresh(ctx context.Context, r Request) (*Identity, error) {
	return f.authenticate(func(a Authenticator) (*Identity, error) { return a.(FreshAuthenticator).AuthenticateFresh(ctx, r) })
}
