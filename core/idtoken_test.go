package authgear_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

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

// An ID token that is not good changes nothing but what is known of why: the
// request still is whose access token it carries.
func TestIDTokenRefused(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	bob := s.server.AddUser(authgeartest.User{})
	endpoint := s.server.Endpoint()
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }

	good := s.idToken(nil, nil)
	parts := strings.Split(good, ".")
	decode := func(part string) string {
		b, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var header struct{ Kid string }
	if err := json.Unmarshal([]byte(decode(parts[0])), &header); err != nil {
		t.Fatal(err)
	}
	// Another project that says of itself all that this one does.
	other := authgeartest.New(t, authgeartest.Config{Endpoint: endpoint})
	other.AddUser(authgeartest.User{ID: s.alice, Verified: true, Roles: []string{"editor"}})
	twice := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(decode(parts[1]), "{", `{"sub":"`+bob+`",`, 1)))

	for _, c := range []struct {
		name     string
		idTokens []string
		want     authgear.Reason
	}{
		{"typ of an access token", []string{s.idToken(m{"typ": "at+jwt"}, nil)}, authgear.ReasonTokenType},
		{"typ missing", []string{s.idToken(m{"typ": nil}, nil)}, authgear.ReasonTokenType},
		{"typ no string", []string{s.idToken(m{"typ": []string{"JWT"}}, nil)}, authgear.ReasonTokenType},
		{"typ in long", []string{s.idToken(m{"typ": "application/jwt"}, nil)}, authgear.ReasonTokenType},
		{"typ of a stranger's choice", []string{s.idToken(m{"typ": strings.Repeat("\n\u2028", 1000)}, nil)}, authgear.ReasonTokenType},
		{"the access token itself", []string{s.access}, authgear.ReasonTokenType},
		{"another access token", []string{s.server.AccessToken(s.alice, authgeartest.Token{AuthTime: s.lately})}, authgear.ReasonTokenType},
		{"an access token that calls itself JWT", []string{s.server.AccessToken(s.alice, authgeartest.Token{AuthTime: s.lately, Header: m{"typ": "JWT"}})}, authgear.ReasonAudienceMismatch},
		{"a client's own token", []string{s.server.ClientToken("spa", "https://api.example.com")}, authgear.ReasonTokenType},

		{"alg none", []string{s.idToken(m{"alg": "none"}, nil)}, authgear.ReasonTokenAlgorithm},
		{"alg HS256", []string{s.idToken(m{"alg": "HS256"}, nil)}, authgear.ReasonTokenAlgorithm},
		{"alg RS512", []string{s.idToken(m{"alg": "RS512"}, nil)}, authgear.ReasonTokenAlgorithm},
		{"alg missing", []string{s.idToken(m{"alg": nil}, nil)}, authgear.ReasonTokenAlgorithm},
		{"crit", []string{s.idToken(m{"crit": []string{"x"}, "x": 1}, nil)}, authgear.ReasonTokenMalformed},
		{"b64", []string{s.idToken(m{"b64": true}, nil)}, authgear.ReasonTokenMalformed},
		{"zip", []string{s.idToken(m{"zip": "DEF"}, nil)}, authgear.ReasonTokenMalformed},
		{"kid missing", []string{s.idToken(m{"kid": nil}, nil)}, authgear.ReasonTokenMalformed},

		{"another user's", []string{s.server.IDToken(bob, "spa", authgeartest.Token{AuthTime: s.lately})}, authgear.ReasonClaimsInvalid},
		{"sub missing", []string{s.idToken(nil, m{"sub": nil})}, authgear.ReasonClaimsInvalid},
		{"sub in upper case", []string{s.idToken(nil, m{"sub": strings.ToUpper(s.alice)})}, authgear.ReasonClaimsInvalid},
		{"sub of a client", []string{s.idToken(nil, m{"sub": "client_id_spa"})}, authgear.ReasonClaimsInvalid},

		{"aud another client", []string{s.server.IDToken(s.alice, "third-party", authgeartest.Token{AuthTime: s.lately})}, authgear.ReasonAudienceMismatch},
		{"aud in upper case", []string{s.idToken(nil, m{"aud": "SPA"})}, authgear.ReasonAudienceMismatch},
		{"aud two clients, both allowed", []string{s.idToken(nil, m{"aud": []string{"spa", "app"}})}, authgear.ReasonAudienceMismatch},
		{"aud twice the same", []string{s.idToken(nil, m{"aud": []string{"spa", "spa"}})}, authgear.ReasonAudienceMismatch},
		{"aud a client and the endpoint", []string{s.idToken(nil, m{"aud": []string{"spa", endpoint}})}, authgear.ReasonAudienceMismatch},
		{"aud the endpoint", []string{s.idToken(nil, m{"aud": endpoint})}, authgear.ReasonAudienceMismatch},
		{"aud of a stranger's choice", []string{s.idToken(nil, m{"aud": strings.Repeat("\u2028", 1000)})}, authgear.ReasonAudienceMismatch},
		{"aud missing", []string{s.idToken(nil, m{"aud": nil})}, authgear.ReasonAudienceMismatch},
		{"aud an empty list", []string{s.idToken(nil, m{"aud": []string{}})}, authgear.ReasonAudienceMismatch},
		{"aud empty", []string{s.idToken(nil, m{"aud": ""})}, authgear.ReasonAudienceMismatch},
		{"aud a number", []string{s.idToken(nil, m{"aud": 1})}, authgear.ReasonClaimsInvalid},

		{"iss another project", []string{s.idToken(nil, m{"iss": "https://other.authgear.cloud"})}, authgear.ReasonIssuerMismatch},
		{"iss with a slash", []string{s.idToken(nil, m{"iss": endpoint + "/"})}, authgear.ReasonIssuerMismatch},
		{"iss of a stranger's choice", []string{s.idToken(nil, m{"iss": strings.Repeat("\u2028", 1000)})}, authgear.ReasonIssuerMismatch},
		{"iss missing", []string{s.idToken(nil, m{"iss": nil})}, authgear.ReasonClaimsInvalid},

		{"expired", []string{s.idToken(nil, m{"exp": in(-20 * time.Second)})}, authgear.ReasonTokenExpired},
		{"exp missing", []string{s.idToken(nil, m{"exp": nil})}, authgear.ReasonClaimsInvalid},
		{"exp a string", []string{s.idToken(nil, m{"exp": "4102444800"})}, authgear.ReasonClaimsInvalid},
		{"nbf in the future", []string{s.idToken(nil, m{"nbf": in(time.Minute)})}, authgear.ReasonTokenNotYetValid},
		{"iat in the future", []string{s.idToken(nil, m{"iat": in(time.Minute)})}, authgear.ReasonTokenNotYetValid},

		{"auth_time missing", []string{s.idToken(nil, m{"auth_time": nil})}, authgear.ReasonClaimsInvalid},
		{"auth_time a string", []string{s.idToken(nil, m{"auth_time": "1795470161"})}, authgear.ReasonClaimsInvalid},
		{"auth_time 0", []string{s.idToken(nil, m{"auth_time": 0})}, authgear.ReasonClaimsInvalid},
		{"auth_time in milliseconds", []string{s.idToken(nil, m{"auth_time": s.lately.UnixMilli()})}, authgear.ReasonClaimsInvalid},
		{"a claim twice", []string{parts[0] + "." + twice + "." + parts[2]}, authgear.ReasonClaimsInvalid},
		{"a member of a claim twice", []string{s.idToken(nil, m{"x": json.RawMessage(`{"y":1,"y":2}`)})}, authgear.ReasonClaimsInvalid},

		{"an unknown key, long ago", []string{s.idToken(m{"kid": "x\n"}, m{"iat": in(-10 * time.Minute)})}, authgear.ReasonKeyUnknown},
		{"an unknown key, just now", []string{s.idToken(m{"kid": "x\n"}, nil)}, authgear.ReasonKeysUnavailable},
		{"another project's key", []string{other.IDToken(s.alice, "spa", authgeartest.Token{AuthTime: s.lately, Header: m{"kid": header.Kid}})}, authgear.ReasonSignatureInvalid},
		{"another token's signature", []string{strings.Join([]string{parts[0], parts[1], strings.Split(s.access, ".")[2]}, ".")}, authgear.ReasonSignatureInvalid},

		{"two headers", []string{good, good}, authgear.ReasonRequestMalformed},
		{"a good one and an empty one", []string{good, ""}, authgear.ReasonRequestMalformed},
		{"an empty one and a good one", []string{"", good}, authgear.ReasonRequestMalformed},
		{"two in one header", []string{good + ", " + good}, authgear.ReasonTokenMalformed},
		{"as large as it may be", []string{strings.Repeat("x", 16<<10)}, authgear.ReasonTokenOpaque},
		{"a byte too large", []string{strings.Repeat("x", 16<<10+1)}, authgear.ReasonTokenTooLarge},
		{"too large", []string{s.idToken(nil, m{"x": strings.Repeat("x", 16<<10)})}, authgear.ReasonTokenTooLarge},
		{"with a scheme", []string{"Bearer " + good}, authgear.ReasonTokenMalformed},
		{"padded", []string{good + "=="}, authgear.ReasonTokenMalformed},
		{"without signature", []string{parts[0] + "." + parts[1] + "."}, authgear.ReasonTokenMalformed},
		{"opaque", []string{"AFb5i1MATYVeKOJg5EybeFqhuRBiBH7C"}, authgear.ReasonTokenOpaque},
		{"garbage", []string{"a b\u2028"}, authgear.ReasonTokenMalformed},
		{"what JavaScript writes for none", []string{"undefined"}, authgear.ReasonTokenMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			identity, err := s.auth(t, authgear.JWTConfig{}).Authenticate(contextkey.WithFresh(t.Context()), beside(s.access, c.idTokens...))
			if err != nil {
				t.Fatal(err, errors.Unwrap(err))
			}
			if identity.ID != s.alice || !identity.AuthenticatedAt.Equal(s.before) {
				t.Errorf("identity = %+v, want that of the access token", identity)
			}
			refused := authgear.IDTokenRefused(identity)
			if refused == nil {
				t.Fatal("nobody knows why the ID token does not count")
			}
			if refused.Reason != c.want {
				t.Errorf("refused by %v: %v, want %s", refused, refused.Err, c.want)
			}
			if unavailable := refused.Outcome() == authgear.OutcomeUnavailable; unavailable != (c.want == authgear.ReasonKeysUnavailable) {
				t.Errorf("the outcome of %v is %v", refused, refused.Outcome())
			}
			text := refused.Err.Error()
			if !strings.HasPrefix(text, "the ID token in X-ID-Token: ") || len(text) > 400 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("text = %q", text)
			}
			for _, secret := range append(c.idTokens, s.alice, bob, s.access) {
				if secret != "" && secret != "undefined" && strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
					t.Errorf("%q is in the text %q", secret, text)
				}
			}
		})
	}
}

// The newer time counts, and nothing else of an ID token does.
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
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
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

	// Without a good access token an ID token is nothing.
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

// While the key of an ID token cannot be had, nobody can tell.
func TestIDTokenKeysUnavailable(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.auth(t, authgear.JWTConfig{})
	if err := auth.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.server.RotateKeys()
	idToken := s.idToken(nil, nil)
	s.server.SetDown(true)
	identity := authenticated(t, auth, beside(s.access, idToken))
	refused := authgear.IDTokenRefused(identity)
	if refused == nil || refused.Reason != authgear.ReasonKeysUnavailable || refused.Outcome() != authgear.OutcomeUnavailable || refused.RetryAfter <= 0 {
		t.Errorf("refused = %+v", refused)
	}
	if identity.AuthenticatedAt != s.before {
		t.Errorf("AuthenticatedAt = %v", identity.AuthenticatedAt)
	}
}

// A route that asks for no recent login waits for no key of an ID token, but lets
// the refresh begin that brings it.
func TestIDTokenDoesNotWait(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.auth(t, authgear.JWTConfig{})
	if err := auth.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.server.RotateKeys()
	asked, answer := make(chan struct{}), make(chan struct{})
	s.server.Handle("/oauth2/jwks", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		s.server.ServeHTTP(w, r)
	}))
	request := beside(s.access, s.idToken(nil, nil))
	identity, err := auth.Authenticate(t.Context(), request) // while Authgear does not answer
	if err != nil {
		t.Fatal(err)
	}
	if refused := authgear.IDTokenRefused(identity); refused == nil || refused.Reason != authgear.ReasonKeysUnavailable {
		t.Errorf("refused = %+v", refused)
	}
	<-asked
	close(answer)
	if identity := authenticated(t, auth, request); identity.AuthenticatedAt != s.lately {
		t.Errorf("AuthenticatedAt = %v", identity.AuthenticatedAt)
	}
}

// What is not good of an ID token that could never be good fetches no keys.
func TestIDTokenFetchesLast(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.auth(t, authgear.JWTConfig{})
	if err := auth.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	kid := m{"kid": "made-up"}
	for _, claims := range []m{
		{"iss": "https://other.authgear.cloud"}, {"aud": "third-party"}, {"sub": "bob"}, {"auth_time": nil},
		{"exp": s.before.Unix()}, {"nbf": time.Now().Add(time.Hour).Unix()}, {"iat": time.Now().Add(time.Hour).Unix()},
	} {
		_ = authenticated(t, auth, beside(s.access, s.idToken(kid, claims)))
	}
	if n := s.server.Requests("/oauth2/jwks"); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	_ = authenticated(t, auth, beside(s.access, s.idToken(kid, nil)))
	if n := s.server.Requests("/oauth2/jwks"); n != 2 {
		t.Errorf("%d fetches, want 2", n)
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
