package jws_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded returns a token that an Authgear server issued.
func recorded(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".jwt"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// recordedKey returns the key that the server published for its tokens.
func recordedKey(t testing.TB) *rsa.PublicKey {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	var jwk struct{ N, E string }
	if err := json.Unmarshal(b, &jwk); err != nil {
		t.Fatal(err)
	}
	number := func(s string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(b)
	}
	return &rsa.PublicKey{N: number(jwk.N), E: int(number(jwk.E).Int64())}
}
