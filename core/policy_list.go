package authgear

import (
	"context"
	"fmt"
	"slices"
)

// All allows an identity that all of the policies allow. They are checked in order. All
// names the kinds that are named by each policy that names any. It panics when there is
// no policy, or no kind left.
//
// The answer is that of the first refusal. But a missing scope and a login that is too
// old are told in one step-up challenge, whichever comes first (RFC 9470 §3). A scope
// that the sender can never have is told alone.
func All(policies ...Policy) Policy {
	checkList("All", policies)
	var all Policy
	for _, p := range policies {
		all.rules = append(all.rules, p.rules...)
		switch {
		case p.kinds == nil:
		case all.kinds == nil:
			all.kinds = slices.Clone(p.kinds)
		default:
			all.kinds = slices.DeleteFunc(all.kinds, func(k Kind) bool { return !slices.Contains(p.kinds, k) })
			if len(all.kinds) == 0 {
				panic("authgear: the policies agree on no kind of identity, so nobody would be allowed")
			}
		}
	}
	return all
}

// Any allows an identity that one of the policies allows; the later ones are then not
// checked. Each policy is a list of its own, which checks the identity's kind first:
// beside Scope("reports:read"), Role("reporter") is for users only. Any names the kinds
// that its policies admit. It panics when there is no policy.
//
// When none allows it, the answer is that of the policy that the sender can do most
// about. First comes a policy that cannot be decided now, then one that a new login
// satisfies, then a missing scope, then any other.
func Any(policies ...Policy) Policy {
	checkList("Any", policies)
	policies = slices.Clone(policies)
	one := rule{declared: true}
	var kinds []Kind
	for _, p := range policies {
		for _, kind := range p.admitted() {
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
		one.declared = one.declared && !p.NeedsContext()
	}
	one.check = func(ctx context.Context, i *Identity) error {
		var refused *Error
		for _, p := range policies {
			err := p.Check(ctx, i)
			if err == nil {
				return nil
			}
			if e := AsError(err); refused == nil || e.precedence() > refused.precedence() {
				refused = e
			}
		}
		return refused
	}
	return Policy{kinds, []rule{one}}
}

func checkList(name string, policies []Policy) {
	if len(policies) == 0 {
		panic("authgear: " + name + ": there is no policy")
	}
	for i, p := range policies {
		if p.IsZero() {
			panic(fmt.Sprintf("authgear: policy number %d is the zero Policy", i+1))
		}
	}
}

// precedence orders the refusals of alternatives by what the sender can do about them.
func (e *Error) precedence() int {
	switch {
	case e.Outcome() == OutcomeUnavailable: // it could still be a yes
		return 5
	case e.Outcome() == OutcomeStepUp:
		return 4
	case e.Reason == ReasonCannotReauthenticate: // newer facts may say otherwise
		return 3
	case e.Reason == ReasonInsufficientScope && len(e.Scopes) > 0:
		return 2
	case e.Reason == ReasonKindNotAllowed, e.Reason == ReasonInsufficientScope:
		return 0 // the alternative is for others
	default:
		return 1
	}
}

// complete adds to a refusal what later rules would refuse by the same answer. So the
// client learns at once of a missing scope and of a login that is too old (RFC 9470 §3).
func (p Policy) complete(ctx context.Context, i *Identity, refused *Error, later []rule) *Error {
	var stepUp, scope *Error
	note := func(e *Error) {
		switch {
		case e.Outcome() == OutcomeStepUp && stepUp == nil:
			stepUp = e
		case e.Reason == ReasonInsufficientScope && (scope == nil || len(e.Scopes) == 0):
			scope = e
		}
	}
	note(refused)
	if stepUp == nil && scope == nil {
		return refused
	}
	for _, rule := range later {
		if rule.declared {
			if err := rule.check(ctx, i); err != nil {
				note(AsError(err))
			}
		}
	}
	switch {
	case scope == nil:
		return stepUp
	case len(scope.Scopes) == 0: // there is nothing to ask for, and no login brings it
		return scope
	}
	told := *scope
	told.Scopes = nil
	var needed []string
	for _, rule := range p.rules {
		needed = append(needed, rule.scopes...)
	}
	for _, s := range append(needed, scope.Scopes...) { // which can be an alternative's
		if i.canHave(s) && !slices.Contains(told.Scopes, s) {
			told.Scopes = append(told.Scopes, s)
		}
	}
	if stepUp == nil {
		return &told
	}
	both := *stepUp
	both.Scopes = told.Scopes
	return &both
}
