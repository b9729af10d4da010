package authgear_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

// fields is a request that has fields and nothing else.
type fields map[string][]string

func (fields) Method() string                { return "GET" }
func (fields) Host() string                  { return "api.example.com" }
func (fields) RemoteAddr() string            { return "127.0.0.1:50000" }
func (f fields) Values(name string) []string { return f[name] }
func (f fields) Names() iter.Seq[string]     { return maps.Keys(f) }

// freshToken returns an authenticator with its keys at hand, and a token like the
// recorded ones that is valid now.
func freshToken(t testing.TB, cacheSize int) (*authgear.JWT, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claims := golden(t, "token-jwt-alice").AccessToken.Claims
	now := time.Now().Unix()
	claims["iat"], claims["auth_time"], claims["exp"] = now, now, now+1800
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	token.Header["typ"], token.Header["kid"] = "at+jwt", "573ed57d-b8b1-46fb-b339-6188839e558e"
	compact, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	n := base64.RawURLEncoding.EncodeToString(key.N.Bytes())
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())
	auth := newJWT(t, authgear.JWTConfig{Endpoint: liveEndpoint, CacheSize: cacheSize, HTTPClient: &http.Client{Transport: recorded{
		discovery: golden(t, "discovery-openid-configuration").Response.Body,
		jwks:      fmt.Sprintf(`{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":%q,"n":%q,"e":%q}]}`, token.Header["kid"], n, e),
	}}})
	if err := auth.Ready(context.Background()); err != nil {
		t.Fatal(err)
	}
	return auth, compact
}

// A token costs this much without a framework.
func BenchmarkNewToken(b *testing.B)   { guardtest.BenchmarkNewToken(b, prepare) }
func BenchmarkKnownToken(b *testing.B) { guardtest.BenchmarkKnownToken(b, prepare) }
func BenchmarkParallel(b *testing.B)   { guardtest.BenchmarkParallel(b, prepare) }

func prepare(auth authgear.Authenticator) func(http.Header) func() {
	return func(header http.Header) func() {
		request := authgear.Request(fields(header))
		return func() {
			if _, err := auth.Authenticate(context.Background(), request); err != nil {
				panic(err)
			}
		}
	}
}

// TestAllocations guards the allocations of a token that was not seen before, and of
// one that was; times would be no good test.
func TestAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	for cacheSize, most := range map[int]float64{-1: 20, 0: 1} {
		if got := allocations(t, cacheSize); got > most {
			t.Errorf("with CacheSize %d: %v allocations, at most %v", cacheSize, got, most)
		}
	}
}

func allocations(t *testing.T, cacheSize int) float64 {
	auth, token := freshToken(t, cacheSize)
	request := authgear.Request(fields{"Authorization": {"Bearer " + token}})
	ctx := context.Background()
	return testing.AllocsPerRun(100, func() {
		if _, err := auth.Authenticate(ctx, request); err != nil {
			t.Fatal(err)
		}
	})
}
