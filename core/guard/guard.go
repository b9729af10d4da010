package guard

import (
	"fmt"
	"reflect"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Guard is an authenticator with what its routes share. One guard serves one
// authenticator: a decision is reused within a request by the guard that made
// it, and by no other.
type Guard struct {
	authenticator authgear.Authenticator
	crossOrigin   crossOrigin
	observer      *authgear.Observer
}

// New returns a guard. It panics without an authenticator and for options with a
// mistake, as frameworks do for a wrong route: better at start than at the first
// request.
func New(authenticator authgear.Authenticator, options authgear.Options) *Guard {
	if isNil(authenticator) {
		panic("authgear: New: the authenticator is nil; was the error of its constructor checked?")
	}
	if err := options.Validate(); err != nil {
		panic(err)
	}
	observer := options.Observer
	if observer == nil {
		observer = authgear.LogObserver(nil)
	}
	return &Guard{authenticator: authenticator, crossOrigin: newCrossOrigin(options.TrustedOrigins), observer: observer}
}

// isNil sees a nil pointer in the interface too, the usual result of an
// unchecked error.
func isNil(authenticator authgear.Authenticator) bool {
	if authenticator == nil {
		return true
	}
	switch v := reflect.ValueOf(authenticator); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return v.IsNil()
	default:
		return false
	}
}

// Require returns the check of a route that needs an identity which all
// policies let go on. It panics for a nil policy.
func (g *Guard) Require(policies ...authgear.Policy) *Check {
	refuseNil("Require", policies)
	return &Check{guard: g, authenticate: g.authenticator.Authenticate, policies: policies}
}

// RequireFresh returns the check of a route that is like one with Require, but takes no
// answer that is older than the request: neither from a cache nor from another
// check. It panics for a nil policy, and when the authenticator cannot do that.
func (g *Guard) RequireFresh(policies ...authgear.Policy) *Check {
	refuseNil("RequireFresh", policies)
	live, ok := g.authenticator.(authgear.FreshAuthenticator)
	if !ok {
		panic(fmt.Sprintf("authgear: RequireFresh: a %T cannot ask Authgear about each request; use a Resolver", g.authenticator))
	}
	return &Check{guard: g, authenticate: live.AuthenticateFresh, policies: policies, live: true}
}

func refuseNil(method string, policies []authgear.Policy) {
	for _, policy := range policies {
		if policy == nil {
			panic("authgear: " + method + ": a policy is nil")
		}
	}
}

// Optional returns the check of a route that is served with and without an
// identity.
func (g *Guard) Optional() *Check {
	return &Check{guard: g, authenticate: g.authenticator.Authenticate, optional: true}
}
