package guardtest

import (
	"context"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// everybody is one of each sort of which policies think differently, in the order
// in which policyCase has what they get; and at last two of kinds that do not
// exist, which get nothing.
func everybody() []authgear.Identity {
	now := time.Now()
	old := now.Add(-time.Hour)
	scopes := []string{"openid", "offline_access"} // as Authgear grants them to users
	alice := authgear.Identity{
		Kind: authgear.KindUser, ID: "alice", Verified: true, CanReauthenticate: true,
		Roles: []string{"admin", "reporter"}, Scopes: scopes, AuthenticatedAt: now,
	}
	robot, noKind := alice, alice
	robot.Kind, noKind.Kind = "robot", ""
	return []authgear.Identity{
		alice,
		{Kind: authgear.KindUser, ID: "bob", CanReauthenticate: true, Scopes: scopes, AuthenticatedAt: old},
		{Kind: authgear.KindUser, ID: "guest", Anonymous: true, Scopes: scopes, AuthenticatedAt: old},
		{Kind: authgear.KindUser, ID: "google", Verified: true, Roles: []string{"reporter"}, Scopes: scopes, AuthenticatedAt: old},
		{Kind: authgear.KindClient, ID: "client_id_reports", Scopes: []string{"reports:read", "reports:write"}},
		{Kind: authgear.KindClient, ID: "client_id_orders", Scopes: []string{"orders:read"}},
		robot,
		noKind,
	}
}

// keyring is an authenticator of a user's own: a key in a header names the
// identity.
type keyring map[string]*authgear.Identity

func (k keyring) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	for _, key := range r.Values("X-Api-Key") {
		if identity := k[key]; identity != nil {
			return identity, nil
		}
	}
	return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
}

// entrance is an authenticator and how senders come in by it.
type entrance struct {
	name   string
	auth   authgear.Authenticator
	scopes bool       // it knows them
	lines  [][]string // of each sender, nil for one that cannot come this way
}

// entrances are by each authenticator of the SDK, before which the embedded
// Authgear knows the senders, and by one of a user's own. Clients have a JWT only.
func entrances(t *testing.T, server *authgeartest.Server, observer *authgear.Observer) []entrance {
	t.Helper()
	keys := keyring{}
	auths := []authgear.Authenticator{nil, nil, nil, nil, nil, keys}
	var errs [5]error
	for i, s := range []source{jwtSource, hybridSource, resolverSource} {
		auths[i], errs[i] = s.open(server.Endpoint(), observer)
	}
	auths[3], errs[3] = authgear.NewResolver(authgear.ResolverConfig{Endpoint: server.Endpoint(), CacheTTL: time.Hour, Timeout: patience, Observer: observer})
	auths[4], errs[4] = authgear.NewForwarded(authgear.ForwardedConfig{Secrets: []string{proxySecret}, TrustRoles: true, Observer: observer})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	var byJWT, asked, kept, proxied, byKey [][]string
	for _, s := range everybody() {
		keys["key of "+string(s.Kind)+s.ID] = &s
		byKey = append(byKey, []string{"X-Api-Key: key of " + string(s.Kind) + s.ID})
		switch s.Kind {
		case authgear.KindUser:
			server.AddUser(authgeartest.User{ID: s.ID, Anonymous: s.Anonymous, Verified: s.Verified, Roles: s.Roles, CannotReauthenticate: !s.CanReauthenticate})
			token := authgeartest.Token{Scopes: s.Scopes, AuthTime: s.AuthenticatedAt}
			session := sessionLine(server.SessionCookie(s.ID, token).Value)
			byJWT = append(byJWT, []string{"Authorization: Bearer " + server.AccessToken(s.ID, token)})
			asked = append(asked, []string{"Authorization: Bearer " + server.OpaqueToken(s.ID, token)})
			kept = append(kept, []string{session})
			proxied = append(proxied, project{server: server}.proxied(t, []string{session}))
		case authgear.KindClient:
			byJWT = append(byJWT, []string{"Authorization: Bearer " + server.ClientToken(strings.TrimPrefix(s.ID, "client_id_"), resource, s.Scopes...)})
		}
	}
	return []entrance{
		{"jwt", auths[0], true, byJWT},
		{"hybrid", auths[1], true, byJWT},
		{"resolver", auths[2], false, asked},
		{"cached", auths[3], false, kept},
		{"forwarded", auths[4], false, proxied},
		{"own", auths[5], true, byKey},
	}
}
