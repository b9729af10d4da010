package jws_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// recorded returns a token that an Authgear server issued.
func recorded(t testing.TB, name string) string {
	t.Helper()
	alice := recordings.Load(t, "token-jwt-alice")
	return map[string]string{
		"user":   alice.AccessToken.Raw,
		"id":     alice.IDToken.Raw,
		"client": recordings.Load(t, "token-m2m-jwt").AccessToken.Raw,
		"hook":   recordings.Load(t, "token-jwt-alice-hook-added-claims").AccessToken.Raw,
	}[name]
}

// recordedKey returns the key that the server published for its tokens.
func recordedKey(t testing.TB) *rsa.PublicKey {
	t.Helper()
	var set struct{ Keys []struct{ N, E string } }
	if err := json.Unmarshal([]byte(recordings.Load(t, "jwks").Response.Body), &set); err != nil || len(set.Keys) != 1 {
		t.Fatal(err, set)
	}
	number := func(s string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(b)
	}
	return &rsa.PublicKey{N: number(set.Keys[0].N), E: int(number(set.Keys[0].E).Int64())}
}
