package authgear

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Scope allows who was granted all of these scopes (RFC 6749 §3.3). It names both
// kinds: Authgear grants the scopes of an API to clients only, and users a closed
// list of its own, so a route that is for users as well says so by a policy
// beside it: Any(Role("reporter"), Scope("reports:read")).
//
// Only [JWT] knows scopes; with another authenticator Scope denies. It panics
// without any, and for what is no scope.
func Scope(scopes ...string) Policy {
	scopes = checkNames("Scope", "scope", scopes)
	for _, s := range scopes {
		if !isScope(s) {
			panic(fmt.Sprintf("authgear: Scope: %q is not one scope (RFC 6749 §3.3)", s))
		}
	}
	check := func(_ context.Context, i *Identity) error {
		if !slices.ContainsFunc(scopes, func(s string) bool { return !i.HasScope(s) }) {
			return nil
		}
		cause := fmt.Errorf("the scopes %q are needed", scopes)
		if i.Source == SourceResolver || i.Source == SourceForwarded {
			cause = fmt.Errorf("%w, and the resolver tells none: only NewJWT reads scopes", cause)
		}
		return &Error{Reason: ReasonInsufficientScope, Scopes: scopesFor(i.Kind, scopes), Err: cause}
	}
	return Policy{[]Kind{KindUser, KindClient}, []rule{{check: check, scopes: scopes, declared: true}}}
}

// scopesFor leaves out scopes that this kind of sender can never be granted, so
// that nobody is sent to ask for them.
func scopesFor(kind Kind, scopes []string) []string {
	scopes = slices.Clone(scopes)
	if kind == KindUser {
		scopes = slices.DeleteFunc(scopes, func(s string) bool { return !isUserScope(s) })
	}
	return scopes
}

// isUserScope reports whether the scope is one of Authgear's own, which it grants
// to users. An API can have none of these.
func isUserScope(scope string) bool {
	switch scope {
	case "openid", "profile", "email", "address", "phone", "offline_access", "device_sso":
		return true
	}
	return strings.HasPrefix(scope, "https://authgear.com")
}

// isScope reports whether s is a scope-token of RFC 6749 §3.3, which stands in a
// quoted string as it is.
func isScope(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' })
}
