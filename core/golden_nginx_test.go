package authgear_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// What a backend behind nginx received, and what that means here. nginx was set
// up as Authgear's documentation tells, or so and with roles (docs-plus-roles).
// Where nginx itself mixes people up, nothing in the request could tell.
func TestRecordedNginx(t *testing.T) {
	t.Parallel()
	const (
		alice = "66a95b0e-8068-40d1-8b5c-a15f18254225"
		bob   = "69a89435-499e-4a94-983f-e79daabf3d3f"
		ivan  = "87b696b1-9b2a-4ca4-a961-2c8c955ba507"
		zoe   = "016babcc-9829-4246-b40a-d0f6d9816c16" // of another project
	)
	type meaning struct {
		user   string
		roles  []string // with TrustRoles
		reason authgear.Reason
	}
	refused := func(reason authgear.Reason) meaning { return meaning{reason: reason} }
	editor := []string{"editor"}
	cases := map[string]meaning{
		"nginx-docs-jwt":            {user: alice}, // an editor, but the field is not copied
		"nginx-docs-post":           {user: alice},
		"nginx-docs-none":           refused(authgear.ReasonNoCredentials),
		"nginx-docs-invalid-token":  refused(authgear.ReasonTokenRejected),
		"nginx-docs-invalid-cookie": refused(authgear.ReasonSessionInvalid),
		// The client's own role is there, and bob has none: hence TrustRoles.
		"nginx-docs-forged-jwt-no-role-user": {user: bob, roles: []string{"admin"}},
		"nginx-docs-forged-none":             refused(authgear.ReasonAnswerMalformed), // a role of nobody
		"nginx-docs-forged-two-lines":        refused(authgear.ReasonAnswerMalformed),
		// X-Forwarded-Host of the client's chooses the project.
		"nginx-docs-xfh-other-project":        refused(authgear.ReasonTokenRejected),
		"nginx-docs-xfh-other-project-token":  refused(authgear.ReasonTokenRejected),
		"nginx-docs-xfh-other-project-opaque": {user: zoe},

		"nginx-docs-plus-roles-jwt":                      {user: alice, roles: editor},
		"nginx-docs-plus-roles-post":                     {user: alice, roles: editor},
		"nginx-docs-plus-roles-cookie":                   {user: alice, roles: editor},
		"nginx-docs-plus-roles-none":                     refused(authgear.ReasonNoCredentials),
		"nginx-docs-plus-roles-invalid-token":            refused(authgear.ReasonTokenRejected),
		"nginx-docs-plus-roles-forged-jwt":               {user: alice, roles: editor},
		"nginx-docs-plus-roles-forged-jwt-no-role-user":  {user: bob},
		"nginx-docs-plus-roles-forged-none":              refused(authgear.ReasonNoCredentials), // a field that nobody knows came through
		"nginx-docs-plus-roles-xfh-other-project":        refused(authgear.ReasonTokenRejected),
		"nginx-docs-plus-roles-xfh-other-project-token":  refused(authgear.ReasonTokenRejected),
		"nginx-docs-plus-roles-xfh-other-project-opaque": {user: zoe},

		// The documented cache.
		"nginx-cache-1-jwt-alice":                     {user: alice},
		"nginx-cache-2-jwt-alice":                     {user: alice},
		"nginx-cache-4-app-access-token-cookie":       refused(authgear.ReasonNoCredentials), // kept for "nothing sent"
		"nginx-cache-5-app-access-token-cookie-first": {user: alice},
		"nginx-cache-6-none-after":                    {user: alice}, // sent nothing
		"nginx-cache-8-after-revoke":                  {user: ivan},  // was revoked
		"nginx-cache-9-invalid-cookie":                refused(authgear.ReasonSessionInvalid),
		"nginx-cache-prefix-1-alice":                  {user: alice},
		"nginx-cache-prefix-2-bob":                    {user: alice}, // is bob
	}
	// nginx answered by itself.
	notReached := []string{"nginx-docs-authz-9k", "nginx-docs-xfh-unknown", "nginx-docs-plus-roles-xfh-unknown"}

	all := exchanges(t, func(e exchange) bool { return strings.HasPrefix(e.Name, "nginx-") })
	for name, e := range all {
		if _, known := cases[name]; !known && !slices.Contains(notReached, name) {
			t.Errorf("nothing is expected of %s", name)
		}
		if reached := e.BackendReached == nil || *e.BackendReached; reached == slices.Contains(notReached, name) {
			t.Errorf("%s: reached the backend: %v", name, reached)
		}
	}
	for name, want := range cases {
		e, ok := all[name]
		if !ok {
			t.Errorf("there is no recording %s", name)
			continue
		}
		request := guard.HTTP(&http.Request{Method: http.MethodGet, Host: "app.example.com", RemoteAddr: "127.0.0.1:41234", Header: e.BackendSaw})
		_, token := e.BackendSaw["Authorization"]
		for _, trustRoles := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				auth := newForwarded(t, authgear.ForwardedConfig{TrustedProxies: prefixes("127.0.0.1/32"), TrustRoles: trustRoles})
				identity, err := auth.Authenticate(t.Context(), request)
				if want.reason != "" {
					wantRefusal(t, identity, err, want.reason, want.reason == authgear.ReasonSessionInvalid)
					return
				}
				if err != nil {
					t.Fatal(err, errors.Unwrap(err))
				}
				roles := want.roles
				if !trustRoles {
					roles = nil
				}
				if identity.ID != want.user || !slices.Equal(identity.Roles, roles) || identity.Evidence.Ambient == token ||
					identity.Source != authgear.SourceForwarded || identity.Anonymous || !identity.CanReauthenticate ||
					identity.Verified != (want.user == alice || want.user == ivan) || identity.AuthenticatedAt.Year() != 2026 {
					t.Errorf("identity = %+v, want %+v", identity, want)
				}
			})
		}
		t.Run(name+" round the proxy", func(t *testing.T) {
			t.Parallel()
			auth := newForwarded(t, authgear.ForwardedConfig{TrustedProxies: prefixes("10.1.0.0/16"), TrustRoles: true})
			identity, err := auth.Authenticate(t.Context(), request)
			wantRefusal(t, identity, err, authgear.ReasonNoCredentials, false)
		})
	}
}
