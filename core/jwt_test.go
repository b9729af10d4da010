package authgear_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// All mistakes are named at once, each by its field.
func TestNewJWTMistakes(t *testing.T) {
	t.Parallel()
	_, err := authgear.NewJWT(authgear.JWTConfig{
		Endpoint:    "myapp.authgear.cloud",
		InternalURL: "http://10.0.0.1",
		ClientIDs:   []string{""},
		Resources:   []string{"my-client", "https://api.example.com/#x"},
		TokenCookie: "a b",
		Leeway:      -time.Second,

		IDTokenClients: []string{"spa", "", "https://myapp.authgear.cloud"},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"Endpoint: ", "InternalURL: ", "ClientIDs: ", "Resources: ", `TokenCookie: "a b"`, "Leeway: ", "use ClientIDs", "fragment",
		"IDTokenClients: an empty client id", `IDTokenClients: "https://myapp.authgear.cloud" is a URI, no client id`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error:\n%v", want, err)
		}
	}
}

func TestNewJWTAccepts(t *testing.T) {
	t.Parallel()
	for _, config := range []authgear.JWTConfig{
		{Endpoint: "https://myapp.authgear.cloud"},
		{Endpoint: "HTTPS://MyApp.Authgear.Cloud:443/"},
		{Endpoint: "http://localhost:3100"},
		{Endpoint: "http://10.0.0.1:3100", InsecureHTTP: true},
		{Endpoint: "https://myapp.authgear.cloud", Leeway: time.Minute, Resources: []string{"https://api.example.com", "https://api.example.com/orders"}},
		{Endpoint: "https://myapp.authgear.cloud", IDTokenClients: []string{"spa", "a:b"}},
	} {
		if _, err := authgear.NewJWT(config); err != nil {
			t.Errorf("%+v: %v", config, err)
		}
	}
	for _, config := range []authgear.JWTConfig{
		{},
		{Endpoint: "http://10.0.0.1:3100"},
		{Endpoint: "https://myapp.authgear.cloud", Leeway: time.Minute + 1},
	} {
		if _, err := authgear.NewJWT(config); err == nil {
			t.Errorf("%+v is accepted", config)
		}
	}
}

// Resources are what Authgear accepts as such (RFC 8707 §2, and its own rules).
func TestResources(t *testing.T) {
	t.Parallel()
	const endpoint = "https://myapp.authgear.cloud"
	for _, resource := range []string{
		"https://api.example.com", "https://api.example.com/", "https://api.example.com:8443/orders/v1", "HTTPS://API.example.com",
		"https://[2001:db8::1]/orders", "https://api.example.com/@orders", "https://api.example.com./",
		"https://orders.myapp.authgear.cloud", "https://myapp.authgear.com",
	} {
		if _, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: endpoint, Resources: []string{resource}}); err != nil {
			t.Errorf("%s: %v", resource, err)
		}
	}
	for resource, rule := range map[string]string{
		"":                                         "not an absolute URI",
		"my-client":                                "use ClientIDs",
		"api.example.com/orders":                   "use ClientIDs",
		"//api.example.com":                        "not an absolute URI",
		"https://api.example.com:x":                "not an absolute URI",
		"http://api.example.com":                   "not an https URI",
		"urn:example:api":                          "not an https URI",
		"wss://api.example.com":                    "not an https URI",
		"https:api.example.com":                    "no host",
		"https:///orders":                          "no host",
		"https://:8443/orders":                     "no host",
		"https://alice@api.example.com":            "user information",
		"https://@api.example.com":                 "user information",
		"https://api.example.com/?a=b":             "a query",
		"https://api.example.com/orders?":          "a query",
		"https://api.example.com/#orders":          "a fragment",
		"https://api.example.com/orders#":          "a fragment",
		"https://myapp.authgear.cloud":             "begins with Endpoint",
		"https://myapp.authgear.cloud/":            "begins with Endpoint",
		"https://myapp.authgear.cloud/api":         "begins with Endpoint",
		"https://MYAPP.authgear.cloud/api":         "begins with Endpoint",
		"https://myapp.authgear.cloud:443":         "begins with Endpoint",
		"https://myapp.authgear.cloud:8443":        "begins with Endpoint",
		"https://myapp.authgear.cloud.example.org": "begins with Endpoint",
	} {
		_, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: endpoint, Resources: []string{"https://api.example.com", resource}})
		if err == nil || !strings.Contains(err.Error(), "Resources: ") || !strings.Contains(err.Error(), rule) {
			t.Errorf("%q: err = %v, want %q", resource, err, rule)
		}
	}
	// Without an endpoint there is no origin that a resource could be on.
	_, err := authgear.NewJWT(authgear.JWTConfig{Resources: []string{"https://api.example.com."}})
	if err == nil || strings.Contains(err.Error(), "Resources: ") {
		t.Errorf("err = %v, want one about Endpoint alone", err)
	}
	_, err = authgear.NewJWT(authgear.JWTConfig{Endpoint: endpoint, Resources: []string{"https://alice:hunter2@api.example.com"}})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("err = %v, want one without the password", err)
	}
}

// Verify reports its decision, without the token.
func TestVerifyReports(t *testing.T) {
	t.Parallel()
	alice := golden(t, "token-jwt-alice")
	at(t, alice.RecordedAt, func(t *testing.T) {
		var decisions []authgear.Decision
		var fetches []authgear.Fetch
		auth := live(t, "jwks", authgear.JWTConfig{Observer: &authgear.Observer{
			Decision: func(_ context.Context, d authgear.Decision) { decisions = append(decisions, d) },
			Fetch:    func(_ context.Context, f authgear.Fetch) { fetches = append(fetches, f) },
		}})
		_, _ = auth.Verify(t.Context(), alice.AccessToken.Raw)
		_, _ = auth.Verify(t.Context(), alice.IDToken.Raw)
		if len(decisions) != 2 ||
			decisions[0].Outcome != authgear.OutcomeAuthenticated || decisions[0].Source != authgear.SourceJWT || decisions[0].Err != nil ||
			decisions[1].Outcome != authgear.OutcomeInvalid || decisions[1].Reason != authgear.ReasonTokenType || decisions[1].Source != "" {
			t.Errorf("decisions = %+v", decisions)
		}
		if len(fetches) != 2 || fetches[0].Kind != authgear.FetchDiscovery || fetches[1].Kind != authgear.FetchJWKS ||
			fetches[1].URL != liveEndpoint+"/oauth2/jwks" || fetches[1].Status != 200 || fetches[1].Err != nil {
			t.Errorf("fetches = %+v", fetches)
		}
	})
}

// The text of an error is its code and public sentence; the cause, for the
// operator, names the advice.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	alice := golden(t, "token-jwt-alice")
	at(t, alice.RecordedAt, func(t *testing.T) {
		_, err := live(t, "jwks", authgear.JWTConfig{}).Verify(t.Context(), "opaqueopaqueopaqueopaqueopaqueop")
		if got, want := err.Error(), "token_opaque: The access token is not a JSON Web Token."; got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
		if cause := errors.Unwrap(err); cause == nil || !strings.Contains(cause.Error(), "Issue JWT as access token") {
			t.Errorf("cause = %v", cause)
		}
		_, err = live(t, "jwks", authgear.JWTConfig{}).Verify(t.Context(), "0f8fad5b-d9cb-469f-a165-70867728950e.AbCdEfGhIjKlMnOpQrStUvWxYz012345")
		if cause := errors.Unwrap(err); cause == nil || !strings.Contains(cause.Error(), "refresh token") {
			t.Errorf("cause = %v", cause)
		}
	})
}

// A token is good from iat, and until exp, at which it is not (RFC 7519 §4.1.4),
// each with the leeway, to the nanosecond. An ID token is no different.
func TestTimesOfTokens(t *testing.T) {
	t.Parallel()
	alice := golden(t, "token-jwt-alice")
	claim := func(claims map[string]any, name string) time.Time { return time.Unix(int64(claims[name].(float64)), 0) }
	access, id := alice.AccessToken.Claims, alice.IDToken.Claims
	const leeway = time.Minute
	for _, c := range []struct {
		name       string
		when       time.Time
		want       authgear.Reason
		ofIDTokens bool
	}{
		{"too early", claim(access, "iat").Add(-leeway - 1), authgear.ReasonTokenNotYetValid, false},
		{"just early enough", claim(access, "iat").Add(-leeway), "", false},
		{"nearly expired", claim(access, "exp").Add(leeway - 1), "", false},
		{"just expired", claim(access, "exp").Add(leeway), authgear.ReasonTokenExpired, false},
		{"an ID token, nearly expired", claim(id, "exp").Add(leeway - 1), "", true},
		{"an ID token, just expired", claim(id, "exp").Add(leeway), authgear.ReasonTokenExpired, true},
	} {
		at(t, c.when, func(t *testing.T) {
			auth := live(t, "jwks", authgear.JWTConfig{Leeway: leeway, IDTokenClients: []string{access["client_id"].(string)}})
			identity, err := auth.Authenticate(t.Context(), beside(alice.AccessToken.Raw, alice.IDToken.Raw))
			if c.ofIDTokens && err == nil {
				if refused := authgear.IDTokenRefused(identity); refused != nil {
					err = refused
				}
			}
			if c.want != "" {
				wantReason(t, err, c.want)
			} else if err != nil {
				t.Errorf("%s: %v: %v", c.name, err, errors.Unwrap(err))
			}
		})
	}
}
