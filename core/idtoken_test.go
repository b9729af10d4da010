package authgear_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// beside is a request with an access token, and with these lines of X-ID-Token.
func beside(access string, idTokens ...string) authgear.Request {
	return guard.HTTP(&http.Request{Method: http.MethodPost, Host: "app.example.com", RemoteAddr: "192.0.2.1:1234", Header: http.Header{
		"Authorization": {"Bearer " + access}, "X-Id-Token": idTokens,
	}})
}

// signedIn is a project with a user who signed in two hours ago, and has
// reauthenticated a minute ago.
type signedIn struct {
	server         *authgeartest.Server
	alice          string
	before, lately time.Time
	access         string // from before
}

func newSignedIn(t *testing.T) signedIn {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	s := signedIn{server: authgeartest.New(t), before: now.Add(-2 * time.Hour), lately: now.Add(-time.Minute)}
	s.alice = s.server.AddUser(authgeartest.User{Verified: true, Roles: []string{"editor"}})
	s.access = s.server.AccessToken(s.alice, authgeartest.Token{AuthTime: s.before})
	return s
}

// auth accepts the ID tokens of two clients.
func (s signedIn) auth(t *testing.T, config authgear.JWTConfig) *authgear.JWT {
	t.Helper()
	config.Endpoint = s.server.Endpoint()
	if config.IDTokenClients == nil {
		config.IDTokenClients = []string{"spa", "app"}
	}
	return newJWT(t, config)
}

// idToken is a good ID token of lately, but for these changes.
func (s signedIn) idToken(header, claims map[string]any) string {
	return s.server.IDToken(s.alice, "spa", authgeartest.Token{AuthTime: s.lately, Header: header, Claims: claims})
}

// m changes members of a header or of claims.
type m = map[string]any

// The newer time counts, and nothing else in an ID token.
func TestIDTokenCounts(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	without := func() m { return fromJSON(t, authenticated(t, s.auth(t, authgear.JWTConfig{}), beside(s.access))) }()

	for _, c := range []struct {
		name    string
		idToken string
		leeway  time.Duration
		want    time.Time
	}{
		{"newer", s.idToken(nil, nil), 0, s.lately},
		{"newer by part of a second", s.idToken(nil, m{"auth_time": float64(s.lately.Unix()) + 0.75}), 0, s.lately},
		{"the same", s.idToken(nil, m{"auth_time": s.before.Unix()}), 0, s.before},
		{"the same but for part of a second", s.idToken(nil, m{"auth_time": float64(s.before.Unix()) + 0.75}), 0, s.before},
		{"older", s.idToken(nil, m{"auth_time": s.before.Add(-time.Hour).Unix()}), 0, s.before},
		{"aud a string", s.idToken(nil, m{"aud": "spa"}), 0, s.lately},
		{"the other client", s.server.IDToken(s.alice, "app", authgeartest.Token{AuthTime: s.lately}), 0, s.lately},
		{"typ in lower case", s.idToken(m{"typ": "jwt"}, nil), 0, s.lately},
		{"large", s.idToken(nil, m{"x": strings.Repeat("x", 10<<10)}), 0, s.lately},
		{"expired within the leeway", s.idToken(nil, m{"exp": in(-20 * time.Second)}), time.Minute, s.lately},
		{"nbf within the leeway", s.idToken(nil, m{"nbf": in(30 * time.Second)}), time.Minute, s.lately},
		{"iat within the leeway", s.idToken(nil, m{"iat": in(30 * time.Second)}), time.Minute, s.lately},
		{"without amr", s.server.IDToken(s.alice, "spa", authgeartest.Token{AuthTime: s.lately, NoAMR: true}), 0, s.lately},
		{"with other facts", s.idToken(nil, m{
			"https://authgear.com/claims/user/can_reauthenticate": false,
			"https://authgear.com/claims/user/is_anonymous":       true,
			"https://authgear.com/claims/user/is_verified":        false,
			"https://authgear.com/claims/user/roles":              []string{"admin"},
			"scope":                                               "admin",
			"client_id":                                           "app",
			"amr":                                                 []string{"hwk"},
		}), 0, s.lately},
	} {
		t.Run(c.name, func(t *testing.T) { // not parallel: it would wait for other tests while its token gets old
			identity := authenticated(t, s.auth(t, authgear.JWTConfig{Leeway: c.leeway}), beside(s.access, c.idToken))
			if refused := authgear.IDTokenRefused(identity); refused != nil {
				t.Fatal(refused, refused.Err)
			}
			if identity.AuthenticatedAt != c.want {
				t.Errorf("AuthenticatedAt = %v, want %v", identity.AuthenticatedAt, c.want)
			}
			want := maps.Clone(without)
			want["authenticated_at"] = c.want.Format(time.RFC3339)
			if got := fromJSON(t, identity); !jsonEqual(got, want) {
				t.Errorf("identity = %v\nwant       %v", got, want)
			}
		})
	}

	// An access token that does not say when.
	access := s.server.AccessToken(s.alice, authgeartest.Token{Claims: m{"auth_time": nil}})
	identity := authenticated(t, s.auth(t, authgear.JWTConfig{}), beside(access, s.idToken(nil, nil)))
	if identity.AuthenticatedAt != s.lately {
		t.Errorf("AuthenticatedAt = %v, want %v", identity.AuthenticatedAt, s.lately)
	}

	// An access token in a cookie stays one that browsers send by themselves.
	identity = authenticated(t, s.auth(t, authgear.JWTConfig{TokenCookie: "token"}), guard.HTTP(&http.Request{Header: http.Header{
		"Cookie": {"token=" + s.access}, "X-Id-Token": {s.idToken(nil, nil)},
	}}))
	if identity.AuthenticatedAt != s.lately || !identity.Evidence.Ambient {
		t.Errorf("identity = %+v", identity)
	}
}

// authenticated asks as the guard of a route that needs the ID token does.
func authenticated(t *testing.T, auth *authgear.JWT, request authgear.Request) *authgear.Identity {
	t.Helper()
	identity, err := auth.Authenticate(contextkey.WithFresh(t.Context()), request)
	if err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	return identity
}

func fromJSON(t *testing.T, identity *authgear.Identity) m {
	t.Helper()
	data, err := json.Marshal(identity)
	if err != nil {
		t.Fatal(err)
	}
	var read m
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// jsonEqual compares by JSON, whose members json.Marshal sorts.
func jsonEqual(a, b m) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// watched is a request that tells which headers were read.
type watched struct {
	authgear.Request
	read map[string]bool
}

func (w watched) Values(name string) []string {
	w.read[strings.ToLower(name)] = true
	return w.Request.Values(name)
}

// No ID token, or none that anybody looks at.
func TestNoIDToken(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	machine := s.server.ClientToken("spa", "https://api.example.com")
	for _, c := range []struct {
		name    string
		config  authgear.JWTConfig
		request authgear.Request
		read    bool
	}{
		{"none", authgear.JWTConfig{}, beside(s.access), true},
		{"an empty header", authgear.JWTConfig{}, beside(s.access, ""), true},
		{"no client is configured", authgear.JWTConfig{IDTokenClients: []string{}}, beside(s.access, s.idToken(nil, nil)), false},
		{"beside a client's own token", authgear.JWTConfig{Resources: []string{"https://api.example.com"}}, beside(machine, "garbage"), false},
	} {
		w := watched{c.request, map[string]bool{}}
		identity := authenticated(t, s.auth(t, c.config), w)
		if refused := authgear.IDTokenRefused(identity); refused != nil {
			t.Errorf("%s: %v", c.name, refused)
		}
		if w.read["x-id-token"] != c.read {
			t.Errorf("%s: read = %v", c.name, w.read)
		}
		if identity.Kind == authgear.KindUser && identity.AuthenticatedAt != s.before || identity.Kind == authgear.KindClient && !identity.AuthenticatedAt.IsZero() {
			t.Errorf("%s: AuthenticatedAt = %v", c.name, identity.AuthenticatedAt)
		}
	}

	// Without a good access token an ID token does not count.
	for _, authorization := range [][]string{nil, {"Bearer " + s.idToken(nil, nil)}} {
		_, err := s.auth(t, authgear.JWTConfig{}).Authenticate(t.Context(), guard.HTTP(&http.Request{Header: http.Header{
			"Authorization": authorization, "X-Id-Token": {s.idToken(nil, nil)},
		}}))
		want := authgear.ReasonNoCredentials
		if authorization != nil {
			want = authgear.ReasonTokenType
		}
		wantReason(t, err, want)
	}
}

// What is known of a refused ID token stays with the identity and out of its
// JSON.
func TestIDTokenRefusalStays(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.auth(t, authgear.JWTConfig{})
	identity := authenticated(t, auth, beside(s.access, "garbage"))
	refused := authgear.IDTokenRefused(identity)
	if refused == nil || authgear.IDTokenRefused(authgear.Clone(identity)) != refused {
		t.Errorf("refused = %v, of the clone %v", refused, authgear.IDTokenRefused(authgear.Clone(identity)))
	}
	if got, want := fromJSON(t, identity), fromJSON(t, authenticated(t, auth, beside(s.access))); !jsonEqual(got, want) {
		t.Errorf("identity = %v\nwant       %v", got, want)
	}
}

// The lists belong to the caller.
func TestIDTokenClientsAreCopied(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	clients, resources := []string{"spa"}, []string{"https://api.example.com"}
	auth := s.auth(t, authgear.JWTConfig{IDTokenClients: clients, Resources: resources})
	clients[0], resources[0] = "app", "https://other.example.com"
	if _, err := auth.Verify(t.Context(), s.server.ClientToken("m2m", "https://api.example.com")); err != nil {
		t.Error(err)
	}
	if identity := authenticated(t, auth, beside(s.access, s.idToken(nil, nil))); identity.AuthenticatedAt != s.lately {
		t.Errorf("AuthenticatedAt = %v, want %v: %v", identity.AuthenticatedAt, s.lately, authgear.IDTokenRefused(identity))
	}
}

// Verify has no request, so no ID token: it says what the access token says.
func TestVerifyWithIDTokenClients(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	identity, err := s.auth(t, authgear.JWTConfig{}).Verify(context.Background(), s.access)
	if err != nil || identity.AuthenticatedAt != s.before || authgear.IDTokenRefused(identity) != nil {
		t.Errorf("identity = %+v, %v", identity, err)
	}
}

// Every recorded ID token is good for its own user and client, and for no other;
// no recorded access token is one.
func TestRecordedIDTokens(t *testing.T) {
	t.Parallel()
	bob := golden(t, "token-jwt-bob").IDToken.Raw
	found := 0
	for _, r := range recordings.All(t, "") {
		if r.IDToken.Raw == "" || r.AccessToken.Claims == nil {
			continue
		}
		found++
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			at(t, r.RecordedAt, func(t *testing.T) {
				jwks := "jwks"
				if strings.HasPrefix(r.Name, "rotation-") {
					jwks = "rotation-2-second-key-first-jwks" // both keys
				}
				client := r.AccessToken.Claims["client_id"].(string)
				authTime := time.Unix(int64(r.IDToken.Claims["auth_time"].(float64)), 0).UTC()
				for _, c := range []struct {
					name, idToken, client string
					want                  authgear.Reason
				}{
					{"its own", r.IDToken.Raw, client, ""},
					{"another client", r.IDToken.Raw, client + "x", authgear.ReasonAudienceMismatch},
					{"an access token", r.AccessToken.Raw, client, authgear.ReasonTokenType},
				} {
					identity := authenticated(t, live(t, jwks, authgear.JWTConfig{IDTokenClients: []string{c.client}}), beside(r.AccessToken.Raw, c.idToken))
					refused := authgear.IDTokenRefused(identity)
					switch {
					case c.want == "" && refused != nil:
						t.Errorf("%s: %v: %v", c.name, refused, refused.Err)
					case c.want != "" && (refused == nil || refused.Reason != c.want):
						t.Errorf("%s: refused by %v, want %s", c.name, refused, c.want)
					}
					if identity.AuthenticatedAt != authTime {
						t.Errorf("%s: AuthenticatedAt = %v, want %v", c.name, identity.AuthenticatedAt, authTime)
					}
				}
			})
		})
	}
	if found < 12 {
		t.Errorf("only %d recordings found", found)
	}

	// The ID token of a later login, beside the access token of an earlier one.
	early, later := golden(t, "token-jwt-alice"), golden(t, "token-jwt-alice-scope-openid")
	at(t, later.RecordedAt, func(t *testing.T) {
		auth := live(t, "jwks", authgear.JWTConfig{IDTokenClients: []string{"spa-jwt"}})
		identity := authenticated(t, auth, beside(early.AccessToken.Raw, later.IDToken.Raw))
		before, want := early.AccessToken.Claims["auth_time"].(float64), later.IDToken.Claims["auth_time"].(float64)
		if before >= want || identity.AuthenticatedAt.Unix() != int64(want) {
			t.Errorf("AuthenticatedAt = %v, want %v: %v", identity.AuthenticatedAt.Unix(), want, authgear.IDTokenRefused(identity))
		}
		if refused := authgear.IDTokenRefused(authenticated(t, auth, beside(early.AccessToken.Raw, bob))); refused == nil || refused.Reason != authgear.ReasonClaimsInvalid {
			t.Errorf("another user's: %v", refused)
		}
	})
}
