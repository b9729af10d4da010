package authgear

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authgear/authgear-sdk-go/core/internal/judge"
)

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
	return Policy{kinds: slices.Clone(kinds)}
}

// forUsers makes a policy that names users.
func forUsers(check func(*Identity) error) Policy {
	return Policy{usersOnly, []rule{{
		check:    func(_ context.Context, i *Identity) error { return check(i) },
		declared: true,
	}}}
}

// Role allows users who have the role with this key. It panics for "".
func Role(key string) Policy { return roles("Role", "the role", (*Identity).hasAllRoles, key) }

// AnyRole allows users who have at least one of the roles with these keys. It
// panics without any, and for "".
func AnyRole(keys ...string) Policy {
	return roles("AnyRole", "one of the roles", (*Identity).hasAnyRole, keys...)
}

// AllRoles allows users who have all of the roles with these keys. It panics
// without any, and for "".
func AllRoles(keys ...string) Policy {
	return roles("AllRoles", "each of the roles", (*Identity).hasAllRoles, keys...)
}

func roles(name, needed string, has func(*Identity, []string) bool, keys ...string) Policy {
	keys = checkNames(name, "key", keys)
	return forUsers(func(i *Identity) error {
		if has(i, keys) {
			return nil
		}
		return &Error{Reason: ReasonRoleMissing, Err: fmt.Errorf("%s %q is needed, the user has %s", needed, keys, i.quotedRoles())}
	})
}

// quotedRoles is for the operator, who sees a misspelt key beside the right one.
func (i *Identity) quotedRoles() string {
	if len(i.Roles) == 0 {
		return "no role"
	}
	return judge.QuoteAll(i.Roles)
}

func (i *Identity) hasAnyRole(keys []string) bool { return slices.ContainsFunc(keys, i.HasRole) }

func (i *Identity) hasAllRoles(keys []string) bool {
	return !slices.ContainsFunc(keys, func(key string) bool { return !i.HasRole(key) })
}

// checkNames returns a copy of a list of names. It panics for what can never mean
// anything.
func checkNames(policy, what string, names []string) []string {
	if len(names) == 0 {
		panic(fmt.Sprintf("authgear: %s: there is no %s", policy, what))
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.TrimSpace(name) == "" }) {
		panic(fmt.Sprintf("authgear: %s: a %s is empty", policy, what))
	}
	return slices.Clone(names)
}

// Verified allows users who have a verified identity.
func Verified() Policy {
	return forUsers(func(i *Identity) error {
		if i.Verified {
			return nil
		}
		return &Error{Reason: ReasonNotVerified, Err: errors.New("the user has no verified identity")}
	})
}

// NotAnonymous allows users who are not anonymous.
func NotAnonymous() Policy {
	return forUsers(func(i *Identity) error {
		if !i.Anonymous {
			return nil
		}
		return &Error{Reason: ReasonAnonymousUser, Err: errors.New("the user is anonymous")}
	})
}
