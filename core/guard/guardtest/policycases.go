package guardtest

import (
	"context"
	"errors"
	"net/http"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// policyCases is the table, from the rules. The path's parameter id is bob's.
func policyCases(adapter Adapter) []policyCase {
	no := func(reason authgear.Reason) verdict { return verdict{status: 403, reason: reason} }
	missing := func(parameters ...string) verdict {
		return verdict{403, authgear.ReasonInsufficientScope, parameters}
	}
	stepUp := func(parameters ...string) verdict {
		return verdict{401, authgear.ReasonInsufficientUserAuthentication, parameters}
	}
	yes, unknown := verdict{status: 200}, verdict{status: 503, reason: authgear.ReasonInternal}
	later := verdict{status: 503, reason: authgear.ReasonPolicyUnavailable}
	kind, role, denied := no(authgear.ReasonKindNotAllowed), no(authgear.ReasonRoleMissing), no(authgear.ReasonPolicyDenied)
	bare, anonymous, cannot := no(authgear.ReasonNotVerified), no(authgear.ReasonAnonymousUser), no(authgear.ReasonCannotReauthenticate)
	const (
		maxAge  = `max_age="300"`
		openid  = `scope="openid"`
		email   = `scope="email"`
		reports = `scope="reports:read"`
	)
	list := func(policies ...authgear.Policy) []authgear.Policy { return policies }
	recent := authgear.RecentAuth(5 * time.Minute)
	both := authgear.Kinds(authgear.KindUser, authgear.KindClient)
	reporters := authgear.Any(authgear.Role("reporter"), authgear.Scope("reports:read"))
	down := adapter.Policy(func(Context, *authgear.Identity) error {
		return authgear.Unavailable(errors.New("the database is down"))
	})
	cases := []policyCase{
		//                                                                     alice bob guest google, reports orders
		{"none", nil, [6]verdict{yes, yes, yes, yes, kind, kind}, nil},
		{"Role", list(authgear.Role("reporter")), [6]verdict{yes, role, role, yes, kind, kind}, nil},
		{"AnyRole", list(authgear.AnyRole("editor", "reporter")), [6]verdict{yes, role, role, yes, kind, kind}, nil},
		{"AllRoles", list(authgear.AllRoles("admin", "reporter")), [6]verdict{yes, role, role, role, kind, kind}, nil},
		{"Verified", list(authgear.Verified()), [6]verdict{yes, bare, bare, yes, kind, kind}, nil},
		{"NotAnonymous", list(authgear.NotAnonymous()), [6]verdict{yes, yes, anonymous, yes, kind, kind}, nil},
		{"Kinds, users", list(authgear.Kinds(authgear.KindUser)), [6]verdict{yes, yes, yes, yes, kind, kind}, nil},
		{"Kinds, clients", list(authgear.Kinds(authgear.KindClient)), [6]verdict{kind, kind, kind, kind, yes, yes}, nil},
		{"Kinds, both", list(both), [6]verdict{yes, yes, yes, yes, yes, yes}, nil},

		// Only clients can hold the scopes of an API, and nobody else is told to ask.
		{"Scope of an API", list(authgear.Scope("reports:read")),
			[6]verdict{missing(), missing(), missing(), missing(), yes, missing(reports)}, nil},
		{"two scopes of an API", list(authgear.Scope("reports:read", "reports:write")),
			[6]verdict{missing(), missing(), missing(), missing(), yes, missing(`scope="reports:read reports:write"`)}, nil},
		{"two Scopes", list(authgear.Scope("reports:write"), authgear.Scope("orders:read")),
			[6]verdict{missing(), missing(), missing(), missing(), missing(`scope="reports:write orders:read"`), missing(`scope="reports:write orders:read"`)}, nil},
		{"Scope of users", list(authgear.Scope("openid")),
			[6]verdict{yes, yes, yes, yes, missing(openid), missing(openid)},
			[]verdict{missing(openid), missing(openid), missing(openid), missing(openid)}},
		{"two scopes of users", list(authgear.Scope("openid", "offline_access")),
			[6]verdict{yes, yes, yes, yes, missing(`scope="openid offline_access"`), missing(`scope="openid offline_access"`)},
			[]verdict{missing(`scope="openid offline_access"`), missing(`scope="openid offline_access"`), missing(`scope="openid offline_access"`), missing(`scope="openid offline_access"`)}},
		{"Scope for clients", list(authgear.Scope("reports:read"), authgear.Kinds(authgear.KindClient)),
			[6]verdict{kind, kind, kind, kind, yes, missing(reports)}, nil},

		{"RecentAuth", list(recent), [6]verdict{yes, stepUp(maxAge), cannot, cannot, kind, kind}, nil},
		{"RecentAuth, longer ago", list(authgear.RecentAuth(2 * time.Hour)), [6]verdict{yes, yes, yes, yes, kind, kind}, nil},
		{"RecentAuthIfPossible", list(authgear.RecentAuthIfPossible(90 * time.Second)), [6]verdict{yes, stepUp(`max_age="90"`), yes, yes, kind, kind}, nil},
		{"/transfer", list(authgear.NotAnonymous(), recent), [6]verdict{yes, stepUp(maxAge), anonymous, cannot, kind, kind}, nil},
		{"a scope that is there, and RecentAuth", list(authgear.Scope("openid"), recent),
			[6]verdict{yes, stepUp(maxAge), cannot, cannot, kind, kind},
			[]verdict{missing(openid), stepUp(maxAge, openid), missing(openid), missing(openid)}},
		{"a scope that is missing, and RecentAuth", list(authgear.Scope("email"), recent),
			[6]verdict{missing(email), stepUp(maxAge, email), missing(email), missing(email), kind, kind}, nil},
		{"RecentAuth, and a scope that is missing", list(recent, authgear.Scope("email")),
			[6]verdict{missing(email), stepUp(maxAge, email), cannot, cannot, kind, kind}, nil},
		{"RecentAuth, and a scope that no login brings", list(recent, authgear.Scope("reports:read")),
			[6]verdict{missing(), missing(), cannot, cannot, kind, kind}, nil},

		{"All", list(authgear.All(authgear.Verified(), authgear.Role("admin"))), [6]verdict{yes, bare, bare, role, kind, kind}, nil},
		{"a list", list(authgear.Role("admin"), authgear.Verified()), [6]verdict{yes, role, role, role, kind, kind}, nil},
		{"/reports", list(reporters), [6]verdict{yes, role, role, yes, yes, missing(reports)}, nil},
		{"/reports, the other way round", list(authgear.Any(authgear.Scope("reports:read"), authgear.Role("reporter"))), [6]verdict{yes, role, role, yes, yes, missing(reports)}, nil},
		{"/reports, users", list(reporters, authgear.NotAnonymous()), [6]verdict{yes, role, role, yes, kind, kind}, nil},
		{"/reports, clients", list(reporters, authgear.Kinds(authgear.KindClient)), [6]verdict{kind, kind, kind, kind, yes, missing(reports)}, nil},
		{"Any, one for clients", list(authgear.Any(authgear.Kinds(authgear.KindClient), authgear.Role("admin"))), [6]verdict{yes, role, role, role, yes, yes}, nil},
		{"Any, a scope that users can ask for", list(authgear.Any(authgear.Role("admin"), authgear.Scope("email"))),
			[6]verdict{yes, missing(email), missing(email), missing(email), missing(email), missing(email)}, nil},
		{"Any, a function, which is for users", list(authgear.Any(authgear.All(authgear.Kinds(authgear.KindClient), authgear.Scope("orders:read")), adapter.Policy(func(Context, *authgear.Identity) error { return nil }))),
			[6]verdict{yes, yes, yes, yes, missing(`scope="orders:read"`), yes}, nil},
		{"Any, a login", list(authgear.Any(authgear.Role("editor"), recent)), [6]verdict{yes, stepUp(maxAge), cannot, cannot, kind, kind}, nil},
		{"Any, one that cannot tell", list(authgear.Any(down, authgear.Role("reporter"), recent)), [6]verdict{yes, later, later, yes, kind, kind}, nil},
		{"Any, and one that cannot tell", list(authgear.Any(authgear.Role("reporter"), recent, down)), [6]verdict{yes, later, later, yes, kind, kind}, nil},

		{"Self", list(adapter.Self("id")), [6]verdict{denied, yes, denied, denied, kind, kind}, nil},
		{"Self, no such parameter", list(adapter.Self("user")), [6]verdict{denied, denied, denied, denied, kind, kind}, nil},
		{"/users/{id}/notes", list(authgear.Any(adapter.Self("id"), authgear.Role("admin"))), [6]verdict{yes, yes, denied, denied, kind, kind}, nil},
		{"a function for both kinds", list(both, adapter.Policy(func(Context, *authgear.Identity) error { return authgear.Deny("no") })),
			[6]verdict{denied, denied, denied, denied, denied, denied}, nil},
	}
	for name, want := range map[string]struct {
		err error
		verdict
	}{
		"allows":               {nil, yes},
		"denies":               {authgear.Deny("no"), denied},
		"cannot tell":          {authgear.Unavailable(errors.New("the database is down")), later},
		"fails":                {errors.New("the database is down"), unknown},
		"has an error of ours": {&authgear.Error{Reason: authgear.ReasonInsufficientScope, Scopes: []string{"email"}}, missing(email)},
	} {
		verdicts := [6]verdict{want.verdict, want.verdict, want.verdict, want.verdict, kind, kind}
		cases = append(cases,
			policyCase{"Policy " + name, list(adapter.Policy(func(Context, *authgear.Identity) error { return want.err })), verdicts, nil},
			policyCase{"PolicyFunc " + name, list(authgear.PolicyFunc(func(context.Context, *authgear.Identity) error { return want.err })), verdicts, nil},
		)
	}
	for name, foreign := range map[string]authgear.Policy{
		"Policy of another framework":            guard.Policy(allowed, func(c *otherContext, _ *http.Request) *otherContext { return c }),
		"Policy of another framework's requests": guard.Policy(allowed, func(_, c *otherContext) *otherContext { return c }),
		"Self of another framework":              guard.Self[*otherContext, *http.Request]("id", func(*otherContext, string) string { return "bob" }),
	} {
		cases = append(cases,
			policyCase{name, list(foreign), [6]verdict{denied, denied, denied, denied, kind, kind}, nil},
			policyCase{"Any, " + name, list(authgear.Any(foreign, authgear.Role("reporter"))), [6]verdict{yes, denied, denied, yes, kind, kind}, nil},
		)
	}
	return cases
}

// otherContext is the context of a framework that nobody has.
type otherContext struct{}

func allowed(*otherContext, *authgear.Identity) error { return nil }
