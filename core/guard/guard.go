package guard

import (
	"reflect"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Guard is an authenticator with what its routes share. One guard serves one
// authenticator: a decision is reused within a request by the guard that made
// it, and by no other.
type Guard struct {
	authenticator authgear.Authenticator
	observer      *authgear.Observer
}

// New returns a guard. It panics without an authenticator, as frameworks do for
// a wrong route: better at start than at the first request.
func New(authenticator authgear.Authenticator, options authgear.Options) *Guard {
	if isNil(authenticator) {
		panic("authgear: New: the authenticator is nil; was the error of its constructor checked?")
	}
	observer := options.Observer
	if observer == nil {
		observer = authgear.LogObserver(nil)
	}
	return &Guard{authenticator: authenticator, observer: observer}
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
	for _, policy := range policies {
		if policy == nil {
			panic("authgear: Require: a policy is nil")
		}
	}
	return &Check{guard: g, policies: policies}
}

// Optional returns the check of a route that is served with and without an
// identity.
func (g *Guard) Optional() *Check {
	return &Check{guard: g, optional: true}
}
