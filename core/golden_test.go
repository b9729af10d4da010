package authgear_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

func golden(t testing.TB, name string) recordings.Recording {
	t.Helper()
	return recordings.Load(t, name)
}

// recorded answers discovery and JWKS with recordings, without a network.
type recorded struct{ discovery, jwks string }

func (r recorded) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Header: http.Header{}, Request: request}
	body, ok := map[string]string{
		"/.well-known/openid-configuration": r.discovery,
		"/oauth2/jwks":                      r.jwks,
	}[request.URL.Path]
	if ok {
		answer.StatusCode, answer.Body = http.StatusOK, io.NopCloser(strings.NewReader(body))
	}
	return answer, nil
}

const (
	liveEndpoint  = "http://localhost:3100"
	httpsEndpoint = "https://auth.example.com"
)

// live is an authenticator of the recorded project, which answers with the
// recorded key set of that name.
func live(t testing.TB, jwks string, config authgear.JWTConfig) *authgear.JWT {
	t.Helper()
	config.Endpoint = liveEndpoint
	config.HTTPClient = &http.Client{Transport: recorded{
		discovery: golden(t, "discovery-openid-configuration").Response.Body,
		jwks:      golden(t, jwks).Response.Body,
	}}
	return newJWT(t, config)
}

func newJWT(t testing.TB, config authgear.JWTConfig) *authgear.JWT {
	t.Helper()
	if config.Observer == nil {
		config.Observer = &authgear.Observer{}
	}
	auth, err := authgear.NewJWT(config)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// at runs f with the clock set to that time.
func at(t *testing.T, when time.Time, f func(*testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(when))
		f(t)
	})
}

func wantReason(t *testing.T, err error, want authgear.Reason) {
	t.Helper()
	e, ok := errors.AsType[*authgear.Error](err)
	if !ok || e.Reason != want {
		t.Errorf("err = %v (cause: %v), want %s", err, errors.Unwrap(err), want)
	}
}

// Every recorded access token of a user verifies, and says what its claims say.
func TestRecordedUserTokens(t *testing.T) {
	t.Parallel()
	verified := 0
	for _, r := range recordings.All(t, "") {
		name, token := r.Name, r.AccessToken
		if token.Raw == "" || strings.HasPrefix(name, "token-m2m-") || name == "token-expired-jwt" {
			continue
		}
		verified++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at(t, r.RecordedAt, func(t *testing.T) {
				jwks := "jwks"
				if strings.HasPrefix(name, "rotation-") {
					jwks = "rotation-2-second-key-first-jwks" // both keys
				}
				got, err := live(t, jwks, authgear.JWTConfig{}).Verify(t.Context(), token.Raw)
				if err != nil {
					t.Fatal(err, errors.Unwrap(err))
				}
				checkIdentity(t, got, token.Claims)
			})
		})
	}
	if verified < 15 {
		t.Errorf("only %d recordings found", verified)
	}
}

// checkIdentity compares an identity, by its JSON form, with the claims of its
// token as another JSON decoder reads them.
func checkIdentity(t *testing.T, identity *authgear.Identity, claims map[string]any) {
	t.Helper()
	want := map[string]any{
		"kind":               "user",
		"source":             "jwt",
		"id":                 claims["sub"],
		"client_id":          claims["client_id"],
		"anonymous":          claims["https://authgear.com/claims/user/is_anonymous"],
		"verified":           claims["https://authgear.com/claims/user/is_verified"],
		"can_reauthenticate": claims["https://authgear.com/claims/user/can_reauthenticate"],
		"expires_at":         time.Unix(int64(claims["exp"].(float64)), 0).UTC().Format(time.RFC3339),
		"authenticated_at":   time.Unix(int64(claims["auth_time"].(float64)), 0).UTC().Format(time.RFC3339),
	}
	var scopes []any
	for scope := range strings.SplitSeq(claims["scope"].(string), " ") {
		scopes = append(scopes, scope)
	}
	want["scopes"] = scopes
	if roles := claims["https://authgear.com/claims/user/roles"].([]any); len(roles) > 0 {
		slices.SortFunc(roles, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		want["roles"] = roles
	}
	if amr, ok := claims["amr"]; ok {
		want["amr"] = amr
	}
	data, err := json.Marshal(identity)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("identity = %v\nwant       %v", got, want)
	}
}

func TestRecordedClientToken(t *testing.T) {
	t.Parallel()
	r := golden(t, "token-m2m-jwt")
	at(t, r.RecordedAt, func(t *testing.T) {
		_, err := live(t, "jwks", authgear.JWTConfig{}).Verify(t.Context(), r.AccessToken.Raw)
		wantReason(t, err, authgear.ReasonAudienceMismatch)

		_, err = live(t, "jwks", authgear.JWTConfig{Resources: []string{"https://other.example.com"}}).Verify(t.Context(), r.AccessToken.Raw)
		wantReason(t, err, authgear.ReasonAudienceMismatch)

		resources := []string{"https://api.example.com"}
		auth := live(t, "jwks", authgear.JWTConfig{Resources: resources})
		resources[0] = "https://other.example.com" // the list belongs to the caller
		got, err := auth.Verify(t.Context(), r.AccessToken.Raw)
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		data, _ := json.Marshal(got)
		want := `{"kind":"client","id":"client_id_m2m-jwt","client_id":"m2m-jwt","anonymous":true,"verified":false,"can_reauthenticate":false,` +
			`"scopes":["read:orders","write:orders"],"expires_at":"2026-11-23T21:42:45Z","source":"jwt"}`
		if string(data) != want {
			t.Errorf("identity = %s\nwant       %s", data, want)
		}
	})
}

// The second recorded project has another endpoint and other keys.
func TestRecordedOtherProject(t *testing.T) {
	t.Parallel()
	r := golden(t, "https-resolve-jwt-xfp")
	var token string
	for _, field := range r.Request.Headers {
		if field[0] == "Authorization" {
			token = strings.TrimPrefix(field[1], "Bearer ")
		}
	}
	at(t, r.RecordedAt, func(t *testing.T) {
		other := newJWT(t, authgear.JWTConfig{Endpoint: httpsEndpoint, HTTPClient: &http.Client{Transport: recorded{
			discovery: golden(t, "https-discovery-openid-configuration").Response.Body,
			jwks:      golden(t, "https-jwks").Response.Body,
		}}})
		got, err := other.Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		if got.ID != "016babcc-9829-4246-b40a-d0f6d9816c16" {
			t.Errorf("ID = %q", got.ID)
		}
		_, err = live(t, "jwks", authgear.JWTConfig{}).Verify(t.Context(), token)
		wantReason(t, err, authgear.ReasonIssuerMismatch)
		_, err = other.Verify(t.Context(), golden(t, "token-jwt-alice").AccessToken.Raw)
		wantReason(t, err, authgear.ReasonIssuerMismatch)
	})
}

func TestRecordedRotation(t *testing.T) {
	t.Parallel()
	oldToken, newToken := golden(t, "rotation-1-second-key-appended-token"), golden(t, "rotation-2-second-key-first-token")
	const later = 2 * time.Minute // then the key of neither can be on its way
	for _, c := range []struct {
		jwks, token string
		after       time.Duration // the recording
		want        authgear.Reason
	}{
		{"rotation-0-one-key-jwks", oldToken.AccessToken.Raw, 0, ""},
		{"rotation-0-one-key-jwks", newToken.AccessToken.Raw, 0, authgear.ReasonKeysUnavailable},
		{"rotation-0-one-key-jwks", newToken.AccessToken.Raw, later, authgear.ReasonKeyUnknown},
		{"rotation-1-second-key-appended-jwks", newToken.AccessToken.Raw, 0, ""},
		{"rotation-2-second-key-first-jwks", oldToken.AccessToken.Raw, 0, ""},
		{"rotation-3-old-key-removed-jwks", oldToken.AccessToken.Raw, later, authgear.ReasonKeyUnknown},
		{"rotation-3-old-key-removed-jwks", newToken.AccessToken.Raw, 0, ""},
	} {
		at(t, newToken.RecordedAt.Add(c.after), func(t *testing.T) {
			_, err := live(t, c.jwks, authgear.JWTConfig{}).Verify(t.Context(), c.token)
			if c.want == "" && err != nil {
				t.Errorf("%s: %v: %v", c.jwks, err, errors.Unwrap(err))
			} else if c.want != "" {
				wantReason(t, err, c.want)
			}
		})
	}
}

// Several keys can share a kid.
func TestRecordedSharedKid(t *testing.T) {
	t.Parallel()
	alice := golden(t, "token-jwt-alice")
	kid := alice.AccessToken.Header["kid"].(string)
	_, own, _ := strings.Cut(golden(t, "jwks").Response.Body, "[")
	other := regexp.MustCompile(`"kid":"[^"]*"`).ReplaceAllString(golden(t, "https-jwks").Response.Body, `"kid":"`+kid+`"`)
	network := recorded{golden(t, "discovery-openid-configuration").Response.Body, strings.Replace(other, "]", ","+own, 1)}
	network.jwks = network.jwks[:strings.LastIndexByte(network.jwks, ']')+1] + "}"
	at(t, alice.RecordedAt, func(t *testing.T) {
		auth := newJWT(t, authgear.JWTConfig{Endpoint: liveEndpoint, HTTPClient: &http.Client{Transport: network}})
		if _, err := auth.Verify(t.Context(), alice.AccessToken.Raw); err != nil {
			t.Error(err, errors.Unwrap(err))
		}
	})
}

func TestRecordedCustomClaims(t *testing.T) {
	t.Parallel()
	r := golden(t, "token-jwt-alice-hook-added-claims")
	at(t, r.RecordedAt, func(t *testing.T) {
		identity, err := live(t, "jwks", authgear.JWTConfig{}).Verify(t.Context(), r.AccessToken.Raw)
		if err != nil {
			t.Fatal(err)
		}
		var claims struct {
			Plan   string `json:"plan"`
			Tenant string `json:"https://example.com/tenant"`
			Wrong  string `json:"PLAN"`
		}
		if err := identity.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		if claims.Plan != "pro" || claims.Tenant != "acme" || claims.Wrong != "" {
			t.Errorf("claims = %+v", claims)
		}
	})
}

// What is not an access token of now is refused, each for its own reason.
func TestRecordedRefusals(t *testing.T) {
	t.Parallel()
	alice := golden(t, "token-jwt-alice")
	for _, c := range []struct {
		name  string
		token string
		after time.Duration // the recording
		want  authgear.Reason
	}{
		{"ID token", alice.IDToken.Raw, 0, authgear.ReasonTokenType},
		{"opaque token", "AFb5i1MATYVeKOJg5EybeFqhuRBiBH7C", 0, authgear.ReasonTokenOpaque},
		{"expired when recorded", golden(t, "token-expired-jwt").AccessToken.Raw, 0, ""},
		{"last moment of the leeway", alice.AccessToken.Raw, 1809*time.Second - 2*time.Second, ""},
		{"after the leeway", alice.AccessToken.Raw, 1811 * time.Second, authgear.ReasonTokenExpired},
		{"within the leeway before", alice.AccessToken.Raw, -8 * time.Second, ""},
		{"before the leeway", alice.AccessToken.Raw, -time.Minute, authgear.ReasonTokenNotYetValid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at(t, alice.RecordedAt.Add(c.after), func(t *testing.T) {
				_, err := live(t, "jwks", authgear.JWTConfig{}).Verify(t.Context(), c.token)
				if c.want == "" && err != nil {
					t.Error(err, errors.Unwrap(err))
				} else if c.want != "" {
					wantReason(t, err, c.want)
				}
			})
		})
	}
	expired := golden(t, "token-expired-jwt")
	at(t, expired.RecordedAt.Add(10*time.Second), func(t *testing.T) {
		_, err := live(t, "jwks", authgear.JWTConfig{}).Verify(t.Context(), expired.AccessToken.Raw)
		wantReason(t, err, authgear.ReasonTokenExpired)
	})
}
