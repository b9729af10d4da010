package guard

import (
	"context"
	"fmt"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/isnil"
)

// Guard is an authenticator with what its routes share. One guard serves one
// authenticator. Within a request, a decision is reused only by the guard that
// made it.
type Guard struct {
	authenticator authgear.Authenticator
	crossOrigin   crossOrigin
	observer      *authgear.Observer
}

// Config is what the configurations of all adapters have in common.
type Config struct {
	// TrustedOrigins are the origins of other websites whose pages may send
	// unsafe requests with the user's cookies.
	TrustedOrigins []string
	// Observer is told of each decision. nil: that of the authenticator when it
	// has one, else LogObserver(nil).
	Observer *authgear.Observer
}

// New returns a guard. It panics without an authenticator and for a configuration
// with a mistake, as frameworks do for a wrong route: better at start than at the
// first request.
func New(authenticator authgear.Authenticator, config Config) *Guard {
	if isnil.IsNil(authenticator) {
		panic("authgear: New: the authenticator is nil; was the error of its constructor checked?")
	}
	protection, err := newCrossOrigin(config.TrustedOrigins)
	if err != nil {
		panic(err)
	}
	observer := config.Observer
	if own, ok := authenticator.(interface{ Observer() *authgear.Observer }); ok && observer == nil {
		observer = own.Observer()
	}
	if observer == nil {
		observer = authgear.LogObserver(nil)
	}
	return &Guard{authenticator: authenticator, crossOrigin: protection, observer: observer}
}

// Notice tells the observer of something that an operator should mend. It is for
// adapters.
func (g *Guard) Notice(ctx context.Context, kind authgear.NoticeKind, err error) {
	g.observer.ReportNotice(ctx, kind, err)
}

// Require returns the check of a route that needs an identity which all policies
// allow: a user, unless a policy names other kinds. It panics for the zero Policy
// and for policies that agree on no kind.
func (g *Guard) Require(policies ...authgear.Policy) *Check {
	return &Check{guard: g, authenticate: g.authenticator.Authenticate, policy: list(policies)}
}

// RequireFresh is like [Guard.Require], but its check takes no answer that is
// older than the request, neither from a cache nor from another check. It
// panics as Require does, and when the authenticator is no
// [authgear.FreshAuthenticator].
func (g *Guard) RequireFresh(policies ...authgear.Policy) *Check {
	fresh, ok := g.authenticator.(authgear.FreshAuthenticator)
	if !ok {
		panic(fmt.Sprintf("authgear: RequireFresh: a %T cannot ask about each request; use a Resolver, and in InOrder only authenticators that can", g.authenticator))
	}
	return &Check{guard: g, authenticate: fresh.AuthenticateFresh, policy: list(policies), fresh: true}
}

// list makes one policy of a route's policies.
func list(policies []authgear.Policy) authgear.Policy {
	if len(policies) == 0 {
		return authgear.Kinds(authgear.KindUser)
	}
	return authgear.All(policies...)
}

// Optional returns the check of a route that is served with and without an
// identity, of whatever kind.
func (g *Guard) Optional() *Check {
	return &Check{
		guard: g, authenticate: g.authenticator.Authenticate, optional: true,
		policy: authgear.Kinds(authgear.KindUser, authgear.KindClient),
	}
}
