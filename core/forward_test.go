package authgear_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// The service behind a gateway reads what the gateway forwards, whatever the
// client has sent.
func TestForwardIdentity(t *testing.T) {
	t.Parallel()
	auth := newForwarded(t, authgear.ForwardedConfig{Secrets: []string{proxySecret}, TrustRoles: true})
	for _, ambient := range []bool{false, true} {
		alice := &authgear.Identity{
			Kind: authgear.KindUser, ID: "alice", Verified: true, CanReauthenticate: true, Roles: []string{"admin", "editor"},
			AMR: []string{"pwd", "otp"}, AuthenticatedAt: time.Unix(1795470161, 0).UTC(), Source: authgear.SourceJWT,
			Evidence: authgear.Evidence{Ambient: ambient, CheckedAt: time.Now()},
		}
		header := http.Header{"X-Authgear-User-Id": {"mallory"}, "x_authgear_user_roles": {"owner"}, "X-Other": {"stays"}}
		if err := authgear.ForwardIdentity(header, alice, proxySecret); err != nil {
			t.Fatal(err)
		}
		got, err := auth.Authenticate(t.Context(), guard.HTTP(&http.Request{Method: "POST", Header: header}))
		want := *alice
		want.Source, want.Evidence = authgear.SourceForwarded, authgear.Evidence{Ambient: ambient}
		if err != nil || !reflect.DeepEqual(*got, want) || header.Get("X-Other") != "stays" {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}

	header := http.Header{"X-Authgear-Proxy-Secret": {"mallory"}}
	if err := authgear.ForwardIdentity(header, nil, ""); err != nil || len(header) != 0 {
		t.Errorf("without a secret: %v, %v", err, header)
	}
	header = http.Header{"X-Authgear-User-Id": {"mallory"}}
	if err := authgear.ForwardIdentity(header, nil, proxySecret); err != nil {
		t.Fatal(err)
	}
	_, err := auth.Authenticate(t.Context(), guard.HTTP(&http.Request{Method: "GET", Header: header}))
	wantReason(t, err, authgear.ReasonNoCredentials)

	header = http.Header{"X-Authgear-User-Id": {"mallory"}}
	if err := authgear.ForwardIdentity(header, &authgear.Identity{Kind: authgear.KindClient, ID: "client_id_x"}, ""); err == nil || len(header) != 0 {
		t.Errorf("a client: %v, %v", err, header)
	}
}
