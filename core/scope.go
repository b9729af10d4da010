package authgear

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Scope allows an identity that was granted all of these scopes (RFC 6749 §3.3). It names
// both kinds. Authgear grants the scopes of an API to clients only, and grants users only
// a closed list of its own. So a route that is for users too needs another policy beside
// Scope: Any(Role("reporter"), Scope("reports:read")).
//
// Only JWTs tell scopes, and only [JWT] and [Hybrid] read them. For another credential,
// and with another authenticator, Scope denies. It panics without scopes, and for a
// string that is not a scope.
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

// toAskFor returns the missing scopes. complete adds those that have to be asked for
// again. A user can never be granted the scopes of an API. When one of these is missing,
// there is nothing to ask for.
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
