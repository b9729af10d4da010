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
// Only JWTs tell scopes, to [JWT] and [Hybrid]; for another credential, and with
// another authenticator, Scope denies. It panics without any, and for what is no scope.
func Scope(scopes ...string) Policy {
	scopes = checkNames("Scope", "scope", scopes)
	for _, s := range scopes {
		if !isScope(s) {
			panic(fmt.Sprintf("authgear: Scope: %q is not one scope (RFC 6749 §3.3)", s))
		}
	}
	check := func(_ context.Context, i *Identity) error {
		missing := slices.DeleteFunc(slices.Clone(scopes), i.HasScope)
		if len(missing) == 0 {
			return nil
		}
		cause := fmt.Errorf("the scopes %q are needed", scopes)
		if i.Source == SourceResolver || i.Source == SourceForwarded {
			cause = fmt.Errorf("%w, and the resolver tells none: only NewJWT and NewHybrid read scopes", cause)
		}
		return &Error{Reason: ReasonInsufficientScope, Scopes: toAskFor(i, missing), Err: cause}
	}
	return Policy{[]Kind{KindUser, KindClient}, []rule{{check: check, scopes: scopes, declared: true}}}
}

// toAskFor returns the missing scopes, to which complete adds those that have to be
// asked for again. A user can never be granted those of an API: where one of them
// is missing, there is nothing to ask for.
func toAskFor(i *Identity, missing []string) []string {
	if slices.ContainsFunc(missing, func(s string) bool { return !i.canHave(s) }) {
		return nil
	}
	return missing
}

// canHave reports whether Authgear would grant the scope to this kind of sender.
func (i *Identity) canHave(scope string) bool { return i.Kind != KindUser || isUserScope(scope) }

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
