package authgear_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

// publisher is a project whose keys change.
type publisher struct {
	mu   sync.Mutex
	keys []string // JWKs
}

func (p *publisher) publish(keys ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}

func (p *publisher) RoundTrip(request *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return recorded{
		discovery: fmt.Sprintf(`{"issuer":%q,"jwks_uri":"%s/oauth2/jwks"}`, liveEndpoint, liveEndpoint),
		jwks:      `{"keys":[` + strings.Join(p.keys, ",") + `]}`,
	}.RoundTrip(request)
}

// signer signs tokens by one key.
type signer struct {
	kid string
	key *rsa.PrivateKey
}

func newSigner(t testing.TB, kid string) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{kid, key}
}

func (s signer) jwk() string {
	n := base64.RawURLEncoding.EncodeToString(s.key.N.Bytes())
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(s.key.E)).Bytes())
	return fmt.Sprintf(`{"kty":"RSA","alg":"RS256","use":"sig","kid":%q,"n":%q,"e":%q}`, s.kid, n, e)
}

// token is a user's, valid for half an hour.
func (s signer) token(t testing.TB, user string, claims m) string {
	t.Helper()
	now := time.Now().Unix()
	all := jwt.MapClaims{"iss": liveEndpoint, "aud": []string{liveEndpoint}, "sub": user, "client_id": "spa", "iat": now, "exp": now + 1800}
	for name, value := range claims {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, all)
	token.Header["typ"], token.Header["kid"] = "at+jwt", s.kid
	compact, err := token.SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// signedBy is an authenticator of a project that publishes the signers' keys.
func signedBy(t testing.TB, config authgear.JWTConfig, signers ...signer) (*authgear.JWT, *publisher) {
	t.Helper()
	p := &publisher{}
	for _, s := range signers {
		p.keys = append(p.keys, s.jwk())
	}
	config.Endpoint, config.HTTPClient = liveEndpoint, &http.Client{Transport: p}
	return newJWT(t, config), p
}

func verify(t *testing.T, auth *authgear.JWT, token string) *authgear.Identity {
	t.Helper()
	identity, err := auth.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func wantRefused(t *testing.T, auth *authgear.JWT, token string, want authgear.Reason) {
	t.Helper()
	_, err := auth.Verify(t.Context(), token)
	wantReason(t, err, want)
}

// A token that comes again gives the same identity as the first time.
func TestKnownTokenIdentity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		auth, _ := signedBy(t, authgear.JWTConfig{Resources: []string{"https://api.example.com"}}, s)
		const user = "https://authgear.com/claims/user/"
		for _, token := range []string{
			s.token(t, "alice", nil),
			s.token(t, "bob", m{
				"scope": "openid full-access", "amr": []string{"pwd"}, "auth_time": 946684800, "x": m{"y": "\u00e4<\"\\"},
				user + "roles": []string{"b", "a", "b"}, user + "is_anonymous": false, user + "is_verified": true, user + "can_reauthenticate": true,
			}),
			s.token(t, "a\"b<\u00e4>", m{"aud": liveEndpoint, user + "roles": []string{"<r>"}}),
			s.token(t, "client_id_m2m", m{"client_id": "m2m", "aud": []string{"https://api.example.com"}, "scope": "a b"}),
		} {
			first := verify(t, auth, token)
			time.Sleep(time.Second)
			second := verify(t, auth, token)
			if !second.Evidence.CheckedAt.Equal(first.Evidence.CheckedAt.Add(time.Second)) {
				t.Errorf("checked at %v, and at %v", first.Evidence.CheckedAt, second.Evidence.CheckedAt)
			}
			second.Evidence.CheckedAt = first.Evidence.CheckedAt
			if !reflect.DeepEqual(authgear.WithoutClaims(first), authgear.WithoutClaims(second)) {
				t.Errorf("first  %+v\nsecond %+v", first, second)
			}
			var was, claims m
			if err := errors.Join(first.Claims(&was), second.Claims(&claims)); err != nil || !reflect.DeepEqual(was, claims) {
				t.Errorf("%v, were %v, %v", claims, was, err)
			}
		}
		if n := authgear.KeptTokens(auth); n != 4 {
			t.Errorf("%d tokens are kept", n)
		}
	})
}

// Whoever gets an identity may change it.
func TestKnownTokenIsolation(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "k")
	auth, _ := signedBy(t, authgear.JWTConfig{}, s)
	token := s.token(t, "alice", m{"https://authgear.com/claims/user/roles": []string{"a", "b"}, "scope": "c d"})
	for range 3 {
		identity := verify(t, auth, token)
		if identity.ID != "alice" || !reflect.DeepEqual(identity.Roles, []string{"a", "b"}) || !reflect.DeepEqual(identity.Scopes, []string{"c", "d"}) {
			t.Errorf("%+v", identity)
		}
		identity.ID, identity.Roles[0], identity.Scopes[1] = "mallory", "admin", "root"
		_, _ = append(identity.Roles, "x"), append(identity.Scopes, "y")
	}
}

// The time of a token is judged each time (RFC 7519 §4.1.4).
func TestKnownTokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, "k")
		auth, _ := signedBy(t, authgear.JWTConfig{}, s)
		token := s.token(t, "alice", nil)
		for range 4 {
			_ = verify(t, auth, token)
			time.Sleep(10 * time.Minute)
		}
		wantRefused(t, auth, token, authgear.ReasonTokenExpired)
	})
}

// When the clock was set back, what was verified at a later time does not count.
func TestKnownTokenClockSetBack(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "k")
	auth, _ := signedBy(t, authgear.JWTConfig{}, s)
	token := s.token(t, "alice", nil)
	_ = verify(t, auth, token)
	if authgear.VerifiedLater(auth, token); !authgear.IsVerifiedLater(auth, token) {
		t.Fatal("its time is not that of its verification")
	}
	if _ = verify(t, auth, token); authgear.IsVerifiedLater(auth, token) {
		t.Error("it was not verified again")
	}
}

// When a key is removed or replaced, the tokens that it has verified no longer count.
// When the same key is in a new set, they do.
func TestKnownTokenKey(t *testing.T) {
	t.Parallel()
	old, other := newSigner(t, "old"), newSigner(t, "other")
	replaced := newSigner(t, "old")
	for _, c := range []struct {
		name string
		keys []signer
		want authgear.Reason // "": none
	}{
		{"the same", []signer{old}, ""},
		{"one more", []signer{other, old}, ""},
		{"removed", []signer{other}, authgear.ReasonKeyUnknown},
		{"replaced", []signer{replaced}, authgear.ReasonSignatureInvalid},
		{"replaced beside", []signer{replaced, old}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			auth, project := signedBy(t, authgear.JWTConfig{}, old)
			token := old.token(t, "alice", nil)
			_ = verify(t, auth, token)
			var keys []string
			for _, s := range c.keys {
				keys = append(keys, s.jwk())
			}
			project.publish(keys...)
			time.Sleep(6 * time.Minute)
			_ = verify(t, auth, token) // it begins a refresh
			synctest.Wait()
			_, err := auth.Verify(t.Context(), token)
			if c.want != "" {
				wantReason(t, err, c.want)
			} else if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
}

// A token that differs in one character is another token, whichever it is.
func TestKnownTokenAltered(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "k")
	auth, _ := signedBy(t, authgear.JWTConfig{}, s)
	token := s.token(t, "alice", nil)
	_ = verify(t, auth, token)
	for i := range token {
		altered := []byte(token)
		altered[i] ^= 1
		if identity, err := auth.Verify(t.Context(), string(altered)); err == nil {
			t.Fatalf("character %d: %+v", i, identity)
		}
	}
	if n := authgear.KeptTokens(auth); n != 1 {
		t.Errorf("%d tokens are kept", n)
	}
}

// Only verified tokens are kept, as many as CacheSize says.
func TestKeptTokens(t *testing.T) {
	t.Parallel()
	s, forger := newSigner(t, "k"), newSigner(t, "k")
	const size = 10
	for _, c := range []struct{ size, atMost int }{{-1, 0}, {size, size}} {
		auth, _ := signedBy(t, authgear.JWTConfig{CacheSize: c.size}, s)
		for n := range 3 * size {
			_ = verify(t, auth, s.token(t, fmt.Sprint("user", n), nil))
		}
		kept := authgear.KeptTokens(auth)
		if kept > c.atMost || kept < c.atMost/2 {
			t.Errorf("CacheSize %d: %d tokens are kept", c.size, kept)
		}
		for n := range 3 * size {
			wantRefused(t, auth, forger.token(t, fmt.Sprint("user", n), nil), authgear.ReasonSignatureInvalid)
		}
		if n := authgear.KeptTokens(auth); n != kept {
			t.Errorf("CacheSize %d: %d tokens are kept after a flood of bad ones, were %d", c.size, n, kept)
		}
	}
}

// A flood of bad tokens does not make a good one costly.
func TestKnownTokenAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	s, forger := newSigner(t, "k"), newSigner(t, "k")
	auth, _ := signedBy(t, authgear.JWTConfig{CacheSize: 10}, s)
	token := s.token(t, "alice", nil)
	for n := range 100 {
		_ = verify(t, auth, token)
		wantRefused(t, auth, forger.token(t, fmt.Sprint(n), nil), authgear.ReasonSignatureInvalid)
	}
	if n := testing.AllocsPerRun(100, func() { _ = verify(t, auth, token) }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}

func TestKnownTokenConcurrently(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "k")
	auth, _ := signedBy(t, authgear.JWTConfig{CacheSize: 5}, s)
	var tokens []string
	for n := range 10 {
		tokens = append(tokens, s.token(t, fmt.Sprint("user", n), m{"https://authgear.com/claims/user/roles": []string{"b", "a"}}))
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				for n, token := range tokens {
					identity, err := auth.Verify(t.Context(), token)
					if err != nil || identity.ID != fmt.Sprint("user", n) || !reflect.DeepEqual(identity.Roles, []string{"a", "b"}) {
						t.Errorf("%d: %+v, %v", n, identity, err)
						return
					}
					identity.ID, identity.Roles[0] = "x", "y"
				}
			}
		})
	}
	all.Wait()
}
