package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// user is alice, who has all that a policy asks for, with changes.
func user(changes ...func(*authgear.Identity)) *authgear.Identity {
	i := &authgear.Identity{
		Kind: authgear.KindUser, ID: "alice", Verified: true, CanReauthenticate: true, AuthenticatedAt: time.Now(),
		Roles: []string{"editor", "reporter"}, Scopes: []string{"openid", "email"}, Source: authgear.SourceJWT,
	}
	for _, change := range changes {
		change(i)
	}
	return i
}

func machine(scopes ...string) *authgear.Identity {
	return &authgear.Identity{Kind: authgear.KindClient, ID: "client_id_m2m", ClientID: "m2m", Anonymous: true, Scopes: scopes, Source: authgear.SourceJWT}
}

func anonymous(i *authgear.Identity)            { i.Anonymous = true }
func noRoles(i *authgear.Identity)              { i.Roles = nil }
func cannotReauthenticate(i *authgear.Identity) { i.CanReauthenticate = false }
func loginUnknown(i *authgear.Identity)         { i.AuthenticatedAt = time.Time{} }
func ofResolver(i *authgear.Identity)           { i.Source, i.Scopes = authgear.SourceResolver, nil }
func loginOld(i *authgear.Identity)             { i.AuthenticatedAt = time.Now().Add(-time.Hour) }
func loginAt(age time.Duration) func(*authgear.Identity) {
	return func(i *authgear.Identity) { i.AuthenticatedAt = time.Now().Add(-age) }
}

func allows() authgear.Policy { return answers(nil) }

func answers(err error) authgear.Policy {
	return authgear.PolicyFunc(func(context.Context, *authgear.Identity) error { return err })
}

const (
	scopeMissing = "Bearer error=\"insufficient_scope\""
	stepUp       = "Bearer error=\"insufficient_user_authentication\", error_description=\"This request needs a more recent login.\""
	fullUserInfo = "https://authgear.com/scopes/full-userinfo"
)

// Each answer is one line of behaviour: the reason, and the challenge for which
// RFC 6750 §3.1 and RFC 9470 §3 have the words.
func TestAnswersOfPolicies(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is down")
	both := authgear.Kinds(authgear.KindUser, authgear.KindClient)
	reports := authgear.Any(authgear.Role("reporter"), authgear.Scope("reports:read"))
	recent := authgear.RecentAuth(5 * time.Minute)
	for _, c := range []struct {
		name      string
		policy    authgear.Policy
		identity  *authgear.Identity
		want      authgear.Reason
		challenge string
	}{
		{"any role, the second", authgear.AnyRole("admin", "editor"), user(), "", ""},
		{"any role, none", authgear.AnyRole("admin", "owner"), user(), "role_missing", ""},
		{"any role, exactly", authgear.AnyRole("Editor"), user(), "role_missing", ""},
		{"any role, a client", authgear.AnyRole("editor"), machine(), "kind_not_allowed", ""},
		{"all roles", authgear.AllRoles("reporter", "editor"), user(), "", ""},
		{"all roles, one missing", authgear.AllRoles("editor", "admin"), user(), "role_missing", ""},
		{"all roles, a user without", authgear.AllRoles("editor"), user(noRoles), "role_missing", ""},

		{"scope of a client", authgear.Scope("reports:read"), machine("reports:read"), "", ""},
		{"scope among others", authgear.Scope("b"), machine("a", "b"), "", ""},
		{"scope missing", authgear.Scope("reports:read"), machine("reports:write"), "insufficient_scope", scopeMissing + `, scope="reports:read"`},
		{"no scopes at all", authgear.Scope("reports:read"), machine(), "insufficient_scope", scopeMissing + `, scope="reports:read"`},
		{"two scopes, one missing", authgear.Scope("a", "b"), machine("a"), "insufficient_scope", scopeMissing + `, scope="a b"`},
		{"two policies, the second fails", authgear.All(authgear.Scope("a"), authgear.Scope("b")), machine("a"), "insufficient_scope", scopeMissing + `, scope="a b"`},
		{"a scope that users cannot have", authgear.Scope("reports:read"), user(), "insufficient_scope", scopeMissing},
		{"a scope that users can have", authgear.Scope("email"), user(), "", ""},
		{"and do not", authgear.Scope("phone"), user(), "insufficient_scope", scopeMissing + `, scope="phone"`},
		{"one of Authgear's", authgear.Scope(fullUserInfo), user(), "insufficient_scope", scopeMissing + `, scope="` + fullUserInfo + `"`},
		{"both sorts", authgear.Scope("phone", "reports:read"), user(), "insufficient_scope", scopeMissing},
		{"a held one, and one that users cannot have", authgear.Scope("email", "reports:read"), user(), "insufficient_scope", scopeMissing},
		{"in a list", authgear.All(authgear.Scope("phone"), authgear.Scope("reports:read")), user(), "insufficient_scope", scopeMissing},
		{"in an alternative", authgear.All(authgear.Scope("email"), authgear.Any(authgear.Scope("reports:read"))), user(), "insufficient_scope", scopeMissing},
		{"a held one, and a missing one", authgear.Scope("email", "phone"), user(), "insufficient_scope", scopeMissing + `, scope="email phone"`},
		{"the resolver tells no scopes", authgear.Scope("openid"), user(ofResolver), "insufficient_scope", scopeMissing + `, scope="openid"`},
		{"scope of a kind that does not exist", authgear.Scope("a"), &authgear.Identity{Kind: "robot", Scopes: []string{"a"}}, "kind_not_allowed", ""},

		{"just signed in", recent, user(), "", ""},
		{"not too old", recent, user(loginAt(4 * time.Minute)), "", ""},
		{"too old", recent, user(loginAt(5*time.Minute + time.Second)), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"a little in the future", recent, user(loginAt(-30 * time.Second)), "", ""},
		{"far in the future", recent, user(loginAt(-10 * time.Minute)), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"login unknown", recent, user(loginUnknown), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"login unknown, any age will do", authgear.RecentAuth(math.MaxInt64), user(loginUnknown), "insufficient_user_authentication", stepUp + `, max_age="9223372036"`},
		{"a fraction of a second", authgear.RecentAuth(90*time.Second + 999*time.Millisecond), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="90"`},
		{"cannot sign in again", recent, user(loginOld, cannotReauthenticate), "cannot_reauthenticate", ""},
		{"cannot, and has just signed in", recent, user(cannotReauthenticate), "", ""},
		{"anonymous", recent, user(loginOld, cannotReauthenticate, anonymous), "cannot_reauthenticate", ""},
		{"recent, a client", recent, machine(), "kind_not_allowed", ""},
		{"if possible, and it is possible", authgear.RecentAuthIfPossible(5 * time.Minute), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"if possible, and it is not possible", authgear.RecentAuthIfPossible(5 * time.Minute), user(loginOld, cannotReauthenticate), "", ""},
		{"if possible, login unknown", authgear.RecentAuthIfPossible(5 * time.Minute), user(loginUnknown, cannotReauthenticate), "", ""},
		{"if possible, a client", authgear.RecentAuthIfPossible(5 * time.Minute), machine(), "kind_not_allowed", ""},

		// RFC 9470 §3: a step-up challenge names a missing scope too.
		{"scope, then login", authgear.All(authgear.Scope("phone"), recent), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300", scope="phone"`},
		{"login, then scope", authgear.All(recent, authgear.Scope("phone")), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300", scope="phone"`},
		{"only the scope", authgear.All(recent, authgear.Scope("phone")), user(), "insufficient_scope", scopeMissing + `, scope="phone"`},
		{"only the login", authgear.All(authgear.Scope("email"), recent), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"a scope that no login brings", authgear.All(recent, authgear.Scope("reports:read")), user(loginOld), "insufficient_scope", scopeMissing},
		{"one of two that no login brings", authgear.All(authgear.Scope("phone", "reports:read"), recent), user(loginOld), "insufficient_scope", scopeMissing},
		{"a role stands in front", authgear.All(authgear.Role("admin"), recent), user(loginOld), "role_missing", ""},
		{"a role stands behind", authgear.All(recent, authgear.Role("admin")), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"scope, and cannot sign in again", authgear.All(authgear.Scope("phone"), recent), user(loginOld, cannotReauthenticate), "insufficient_scope", scopeMissing + `, scope="phone"`},
		{"login, then two scopes", authgear.All(recent, authgear.Scope("phone"), authgear.Scope("address")), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300", scope="phone address"`},
		{"of two ages the first", authgear.All(recent, authgear.RecentAuth(time.Minute)), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"of two alternatives with scopes the first", authgear.All(authgear.Any(authgear.Role("admin"), authgear.Scope("phone")), authgear.Any(authgear.Role("admin"), authgear.Scope("address"))), user(), "insufficient_scope", scopeMissing + `, scope="phone"`},
		{"an alternative behind", authgear.All(authgear.Scope("phone"), authgear.Any(recent, authgear.Role("admin"))), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300", scope="phone"`},

		{"reports, a reporter", reports, user(), "", ""},
		{"reports, a client", reports, machine("reports:read"), "", ""},
		{"reports, another user", reports, user(noRoles), "role_missing", ""},
		{"reports, another client", reports, machine(), "insufficient_scope", scopeMissing + `, scope="reports:read"`},
		{"reports, the other way round", authgear.Any(authgear.Scope("reports:read"), authgear.Role("reporter")), user(noRoles), "role_missing", ""},
		{"reports, a kind that does not exist", reports, &authgear.Identity{Roles: []string{"reporter"}, Scopes: []string{"reports:read"}}, "kind_not_allowed", ""},
		{"a client with the role is no user", authgear.Any(authgear.Role("reporter"), authgear.Scope("x")), func() *authgear.Identity { m := machine(); m.Roles = []string{"reporter"}; return m }(), "insufficient_scope", scopeMissing + `, scope="x"`},
		{"users only, beside", authgear.All(authgear.NotAnonymous(), reports), machine("reports:read"), "kind_not_allowed", ""},
		{"an alternative for users, in a list for both", authgear.All(both, authgear.Any(authgear.Verified(), allows())), machine(), "kind_not_allowed", ""},
		{"a function alone is for users", authgear.Any(allows(), authgear.Scope("x")), machine(), "insufficient_scope", scopeMissing + `, scope="x"`},
		{"a function beside clients", authgear.Any(allows(), authgear.Kinds(authgear.KindClient)), user(), "", ""},
		{"a function with a kind", authgear.Any(authgear.All(allows(), authgear.Kinds(authgear.KindClient)), authgear.Role("admin")), machine(), "", ""},

		{"one allows, one cannot tell", authgear.Any(answers(down), authgear.Role("editor")), user(), "", ""},
		{"one denies, one cannot tell", authgear.Any(authgear.Role("admin"), answers(authgear.Unavailable(down))), user(), "policy_unavailable", ""},
		{"cannot tell goes before step-up", authgear.Any(recent, answers(authgear.Unavailable(down))), user(loginOld), "policy_unavailable", ""},
		{"step-up goes before a role", authgear.Any(authgear.Role("admin"), recent), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"step-up goes before a scope", authgear.Any(authgear.Scope("phone"), recent), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"a scope to ask for goes before a denial", authgear.Any(answers(authgear.Deny("no")), authgear.Scope("phone")), user(), "insufficient_scope", scopeMissing + `, scope="phone"`},
		{"no login where the first part denies", authgear.Any(authgear.All(authgear.Role("admin"), recent), authgear.Verified()), user(loginOld, func(i *authgear.Identity) { i.Verified = false }), "role_missing", ""},
		{"of two denials the first", authgear.Any(authgear.Role("admin"), answers(authgear.Deny("no"))), user(), "role_missing", ""},
		{"an alternative in an alternative", authgear.Any(authgear.Role("admin"), authgear.Any(authgear.Role("owner"), authgear.Role("editor"))), user(), "", ""},

		{"denied", answers(authgear.Deny("no")), user(), "policy_denied", ""},
		{"unavailable", answers(authgear.Unavailable(down)), user(), "policy_unavailable", ""},
		{"a foreign error", answers(down), user(), "internal", ""},
		{"a policy asked within a function", authgear.PolicyFunc(recent.Check), user(loginOld), "insufficient_user_authentication", stepUp + `, max_age="300"`},
		{"and wrapped there", answers(fmt.Errorf("project 42: %w", &authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication, MaxAge: time.Minute, Scopes: []string{"phone"}})), user(), "insufficient_user_authentication", stepUp + `, max_age="60", scope="phone"`},
		{"no identity", reports, nil, "internal", ""},
	} {
		err := c.policy.Check(t.Context(), c.identity)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		e, ok := errors.AsType[*authgear.Error](err)
		if !ok || e.Reason != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
			continue
		}
		if got := e.Refusal().Header["Www-Authenticate"]; len(got) > 1 || http.Header(e.Refusal().Header).Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: challenge %q, want %q", c.name, got, c.challenge)
		}
	}
}

// What a sender lacks is told to that sender only, although policies share
// their errors.
func TestRefusalsAreNotMixed(t *testing.T) {
	t.Parallel()
	policy := authgear.All(authgear.Scope("phone"), authgear.RecentAuth(time.Minute), authgear.Scope("address"))
	first, again := policy.Check(t.Context(), user()), policy.Check(t.Context(), user())
	if first == again {
		t.Error("two refusals are one")
	}
	e := first.(*authgear.Error)
	e.Scopes[0] = "changed"
	if got := policy.Check(t.Context(), user()).(*authgear.Error).Scopes[0]; got != "phone" {
		t.Errorf("the next refusal names %q", got)
	}

	// Nor is an error changed that a function keeps.
	login := &authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication}
	scope := &authgear.Error{Reason: authgear.ReasonInsufficientScope, Scopes: []string{"email", "email"}}
	for range 2 {
		_ = authgear.All(answers(login), authgear.Scope("phone")).Check(t.Context(), user())
		_ = authgear.All(authgear.Scope("openid"), answers(scope)).Check(t.Context(), user())
	}
	if login.Scopes != nil || !slices.Equal(scope.Scopes, []string{"email", "email"}) {
		t.Errorf("a function's errors name %q and %q now", login.Scopes, scope.Scopes)
	}
}

// When two alternatives refuse, the answer is that of the alternative that the
// sender can do more about, whichever comes first.
func TestAnyAnswersWithWhatHelps(t *testing.T) {
	t.Parallel()
	fail := func(e authgear.Error) authgear.Policy { return answers(&e) }
	ordered := [][]authgear.Policy{ // the best first; of equals the first counts
		{fail(authgear.Error{Reason: authgear.ReasonPolicyUnavailable}), fail(authgear.Error{Reason: authgear.ReasonInternal})},
		{fail(authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication})},
		{fail(authgear.Error{Reason: authgear.ReasonCannotReauthenticate})},
		{fail(authgear.Error{Reason: authgear.ReasonInsufficientScope, Scopes: []string{"phone"}})},
		{fail(authgear.Error{Reason: authgear.ReasonRoleMissing}), fail(authgear.Error{Reason: authgear.ReasonPolicyDenied})},
		{fail(authgear.Error{Reason: authgear.ReasonKindNotAllowed}), fail(authgear.Error{Reason: authgear.ReasonInsufficientScope})},
	}
	check := func(p authgear.Policy) *authgear.Error { return p.Check(t.Context(), user()).(*authgear.Error) }
	for i, better := range ordered {
		for n, a := range better {
			for m, b := range better {
				if n != m && check(authgear.Any(a, b)).Reason != check(a).Reason {
					t.Errorf("of %v and %v the second counts", check(a), check(b))
				}
			}
			for _, worse := range ordered[i+1:] {
				for _, b := range worse {
					if check(authgear.Any(a, b)).Reason != check(a).Reason || check(authgear.Any(b, a)).Reason != check(a).Reason {
						t.Errorf("%v does not go before %v", check(a), check(b))
					}
				}
			}
		}
	}
}

// A scope that only clients can hold never stands in a user's challenge, even if
// the user holds it, or a function says so; it stays one that a client needs.
func TestScopesOfClients(t *testing.T) {
	t.Parallel()
	policy := authgear.Scope("reports:read", "phone")
	holds := user(func(i *authgear.Identity) { i.Scopes = []string{"reports:read"} })
	says := authgear.All(
		authgear.Kinds(authgear.KindUser, authgear.KindClient),
		answers(&authgear.Error{Reason: authgear.ReasonInsufficientScope, Scopes: []string{"reports:read", "phone"}}),
	)
	for _, c := range []struct {
		policy   authgear.Policy
		identity *authgear.Identity
		want     string
	}{
		{policy, holds, `phone`},
		{authgear.All(authgear.Scope("reports:read"), authgear.Scope("phone")), holds, `phone`},
		{says, user(), `phone`},
		{policy, machine("phone"), `reports:read phone`},
		{says, machine(), `reports:read phone`},
	} {
		err, ok := errors.AsType[*authgear.Error](c.policy.Check(t.Context(), c.identity))
		if want := scopeMissing + `, scope="` + c.want + `"`; !ok || err.Refusal().Header.Get("WWW-Authenticate") != want {
			t.Errorf("%+v, want %s", err, want)
		}
	}
}

// A scope that a user can be granted is one of Authgear's closed list; no other
// stands in a user's challenge.
func TestScopesOfUsers(t *testing.T) {
	t.Parallel()
	for scope, users := range map[string]bool{
		"openid": true, "profile": true, "email": true, "address": true, "phone": true, "offline_access": true, "device_sso": true,
		"https://authgear.com": true, "https://authgear.com/scopes/full-access": true, "https://authgear.com/other": true,
		"OpenID": false, "phones": false, "http://authgear.com/scopes/full-access": false, "https://api.example.com/read": false,
		"see:https://authgear.com": false, "reports:read": false, "!": false, "~": false,
	} {
		want := scopeMissing
		if users {
			want += `, scope="` + scope + `"`
		}
		nobody := user(func(i *authgear.Identity) { i.Scopes = nil })
		err, ok := errors.AsType[*authgear.Error](authgear.Scope(scope).Check(t.Context(), nobody))
		if !ok || err.Refusal().Header.Get("WWW-Authenticate") != want {
			t.Errorf("%s: %+v, want %s", scope, err, want)
		}
	}
}

// Functions run in order, up to the first refusal or the first alternative that
// allows. After that, only policies are checked that look at nothing but the
// identity.
func TestFunctionsRunInOrder(t *testing.T) {
	t.Parallel()
	ran := ""
	step := func(name string, err error) authgear.Policy {
		return authgear.PolicyFunc(func(context.Context, *authgear.Identity) error { ran += name; return err })
	}
	recent, no := authgear.RecentAuth(time.Minute), authgear.Deny("no")
	for _, c := range []struct {
		policy authgear.Policy
		want   string
	}{
		{authgear.All(step("1", nil), step("2", nil)), "12"},
		{authgear.All(step("1", no), step("2", nil)), "1"},
		{authgear.All(recent, step("1", nil)), ""},
		{authgear.All(step("1", nil), recent, step("2", nil)), "1"},
		{authgear.All(recent, authgear.Any(step("1", nil), authgear.Role("admin"))), ""},
		{authgear.Any(step("1", no), step("2", nil), step("3", nil)), "12"},
		{authgear.Any(step("1", nil), step("2", nil)), "1"},
		{authgear.Any(authgear.Role("editor"), step("1", nil)), ""},
		{authgear.All(authgear.Any(step("1", no), step("2", nil)), step("3", nil)), "123"},
	} {
		ran = ""
		_ = c.policy.Check(t.Context(), user(loginOld))
		if ran != c.want {
			t.Errorf("%q ran, want %q", ran, c.want)
		}
	}
}

// An error of the user's own is told like those of policies, but none of its
// scopes can end the quoted string that it stands in.
func TestChallengeParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  authgear.Error
		want string
	}{
		{authgear.Error{Reason: authgear.ReasonInsufficientScope, Scopes: []string{`a"`, "b", "c d", "", "é", "e\r\nf"}}, scopeMissing + `, scope="b"`},
		{authgear.Error{Reason: authgear.ReasonInsufficientScope, MaxAge: time.Minute}, scopeMissing},
		{authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication}, stepUp},
		{authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication, MaxAge: -time.Minute}, stepUp},
		{authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication, MaxAge: time.Second - 1}, stepUp},
		{authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication, MaxAge: time.Second}, stepUp + `, max_age="1"`},
		{authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication, MaxAge: time.Hour, Scopes: []string{"a", "b"}}, stepUp + `, max_age="3600", scope="a b"`},
		{authgear.Error{Reason: authgear.ReasonRoleMissing, MaxAge: time.Hour, Scopes: []string{"a"}}, ""},
		{authgear.Error{Reason: authgear.ReasonNoCredentials, MaxAge: time.Hour, Scopes: []string{"a"}}, "Bearer"},
		{authgear.Error{Reason: authgear.ReasonTokenExpired, MaxAge: time.Hour, Scopes: []string{"a"}}, `Bearer error="invalid_token", error_description="The access token has expired."`},
		{authgear.Error{Reason: authgear.ReasonTokenTooLarge, MaxAge: time.Hour, Scopes: []string{"a"}}, `Bearer error="invalid_request", error_description="The access token is too large."`},
		{authgear.Error{Reason: authgear.ReasonPolicyUnavailable, MaxAge: time.Hour, Scopes: []string{"a"}}, ""},
	} {
		scopes := slices.Clone(c.err.Scopes)
		if got := c.err.Refusal().Header.Get("WWW-Authenticate"); got != c.want {
			t.Errorf("%+v: %q, want %q", c.err, got, c.want)
		}
		if !slices.Equal(c.err.Scopes, scopes) {
			t.Errorf("the answer has changed the scopes %q to %q", scopes, c.err.Scopes)
		}
	}
}

// The lists that a policy was made of belong to the caller.
func TestPoliciesKeepTheirNames(t *testing.T) {
	t.Parallel()
	roles, scopes, list := []string{"editor"}, []string{"a"}, []authgear.Policy{authgear.Role("editor")}
	anyRole, allRoles, scope, alternatives := authgear.AnyRole(roles...), authgear.AllRoles(roles...), authgear.Scope(scopes...), authgear.Any(list...)
	roles[0], scopes[0], list[0] = "admin", "b", authgear.Role("admin")
	for i, err := range []error{
		anyRole.Check(t.Context(), user()), allRoles.Check(t.Context(), user()),
		scope.Check(t.Context(), machine("a")), alternatives.Check(t.Context(), user()),
	} {
		if err != nil {
			t.Errorf("policy %d: %v", i+1, err)
		}
	}
}
