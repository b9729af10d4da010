package authgear_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

// fields is a request that has fields and nothing else.
type fields map[string][]string

func (fields) Method() string                { return "GET" }
func (fields) Host() string                  { return "api.example.com" }
func (fields) RemoteAddr() string            { return "127.0.0.1:50000" }
func (f fields) Values(name string) []string { return f[name] }
func (f fields) Names() iter.Seq[string]     { return maps.Keys(f) }

// freshToken returns an authenticator with its keys at hand, a token like the
// recorded ones that is valid now, and the key that verifies it.
func freshToken(t testing.TB, cacheSize int) (*authgear.JWT, string, *rsa.PublicKey) {
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
	return auth, compact, &key.PublicKey
}

// floor is the least that anybody could do: no check of the header, of the JSON,
// of the audience or of the times.
func floor(token string, key *rsa.PublicKey) error {
	i := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(token[:i]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	payload, err := base64.RawURLEncoding.DecodeString(token[strings.IndexByte(token, '.')+1 : i])
	if err != nil {
		return err
	}
	var claims struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience []string `json:"aud"`
		Expires  int64    `json:"exp"`
	}
	return json.Unmarshal(payload, &claims)
}

// BenchmarkNewToken measures what a token costs that was not seen before, in
// turns with the floor, since machines change their speed while they measure.
// "ratio" is the median of Authenticate over floor.
func BenchmarkNewToken(b *testing.B) { benchmark(b, -1) }

// BenchmarkKnownToken is the same for a token that was seen before.
func BenchmarkKnownToken(b *testing.B) { benchmark(b, 0) }

func benchmark(b *testing.B, cacheSize int) {
	auth, token, key := freshToken(b, cacheSize)
	request := authgear.Request(fields{"Authorization": {"Bearer " + token}})
	ctx := context.Background()
	var ratios []float64
	const turn = 50
	for b.Loop() {
		start := time.Now()
		for range turn {
			if _, err := auth.Authenticate(ctx, request); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for range turn {
			if err := floor(token, key); err != nil {
				b.Fatal(err)
			}
		}
		ratios = append(ratios, float64(middle.Sub(start))/float64(time.Since(middle)))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*turn*2), "ns/token")
	b.ReportMetric(0, "ns/op")
}

// TestAllocations guards the allocations of a token that was not seen before, and of
// one that was; times would be no good test.
func TestAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	for cacheSize, most := range map[int]float64{-1: 48, 0: 3} {
		if got := allocations(t, cacheSize); got > most {
			t.Errorf("with CacheSize %d: %v allocations, at most %v", cacheSize, got, most)
		}
	}
}

func allocations(t *testing.T, cacheSize int) float64 {
	auth, token, _ := freshToken(t, cacheSize)
	request := authgear.Request(fields{"Authorization": {"Bearer " + token}})
	ctx := context.Background()
	return testing.AllocsPerRun(100, func() {
		if _, err := auth.Authenticate(ctx, request); err != nil {
			t.Fatal(err)
		}
	})
}
