package claims_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
)

// at makes a time. Authgear issues whole seconds.
func at(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

func TestParseRecorded(t *testing.T) {
	const origin = "http://localhost:3100"
	for name, want := range map[string]claims.Claims{
		"user": {
			Issuer:            origin,
			Subject:           "66a95b0e-8068-40d1-8b5c-a15f18254225",
			ClientID:          "spa-jwt",
			ID:                "0995cf4103268467b9c4f7412cebc441420db96415c97dfd1133fb502f935127",
			Audience:          []string{origin},
			Scopes:            []string{"openid", "offline_access", "https://authgear.com/scopes/full-access"},
			AMR:               []string{"pwd", "x_primary_password"},
			Roles:             []string{"editor"},
			ExpiresAt:         at(1795470161),
			IssuedAt:          at(1795468361),
			AuthTime:          at(1795468361),
			Verified:          true,
			CanReauthenticate: true, CanReauthenticateStated: true,
			UserClaims: true,
		},
		"client": {
			Issuer:    origin,
			Subject:   "client_id_m2m-jwt",
			ClientID:  "m2m-jwt",
			ID:        "dd47d74dc27ea2655c1d412f685052c1f332b068570270b1ff2a992bf4384597",
			Audience:  []string{"https://api.example.com"},
			Scopes:    []string{"read:orders", "write:orders"},
			ExpiresAt: at(1795470165),
			IssuedAt:  at(1795468365),
			Anonymous: true, // the claim is absent: the value that grants least
		},
		"hook": {
			Issuer:            origin,
			Subject:           "66a95b0e-8068-40d1-8b5c-a15f18254225",
			ClientID:          "spa-jwt",
			ID:                "1be9c974494988ead4382ce06ce2fa2f8eb6402d011def48921b600bb8bbb68a",
			Audience:          []string{origin},
			Scopes:            []string{"openid", "offline_access", "https://authgear.com/scopes/full-access"},
			AMR:               []string{"pwd", "x_primary_password"},
			Roles:             []string{"editor"},
			ExpiresAt:         at(1795470209),
			IssuedAt:          at(1795468409),
			AuthTime:          at(1795468409),
			Verified:          true,
			CanReauthenticate: true, CanReauthenticateStated: true,
			UserClaims: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			payload := recorded(t, name)
			got, err := claims.Parse(payload)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestParseRecordedAnonymous(t *testing.T) {
	c, err := claims.Parse(recorded(t, "anonymous"))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Anonymous || c.Verified || c.CanReauthenticate || !c.UserClaims || len(c.Roles) != 0 {
		t.Errorf("%+v", c)
	}
}
