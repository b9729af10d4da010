package jws_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
)

// authenticate is all that a token costs in this package and in claims.
func authenticate(t testing.TB, token string, key *rsa.PublicKey) {
	parsed, err := jws.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claims.Parse(parsed.Payload); err != nil {
		t.Fatal(err)
	}
	if err := parsed.Verify(key); err != nil {
		t.Fatal(err)
	}
}

// floor is the least that a JWT can cost with the standard library: one
// signature check and one look at four claims, with no rule obeyed.
func floor(t testing.TB, token string, key *rsa.PublicKey) {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(token[:dot]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(token[strings.IndexByte(token, '.')+1 : dot])
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Issuer    string   `json:"iss"`
		Subject   string   `json:"sub"`
		Audience  []string `json:"aud"`
		ExpiresAt int64    `json:"exp"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	token, key := recorded(b, "user"), recordedKey(b)
	b.ReportAllocs()
	for b.Loop() {
		authenticate(b, token, key)
	}
}

func BenchmarkFloor(b *testing.B) {
	token, key := recorded(b, "user"), recordedKey(b)
	b.ReportAllocs()
	for b.Loop() {
		floor(b, token, key)
	}
}

func BenchmarkParse(b *testing.B) {
	token := recorded(b, "user")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jws.Parse(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	key := recordedKey(b)
	token, err := jws.Parse(recorded(b, "user"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := token.Verify(key); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAllocations guards against a lost escape analysis or a forgotten copy.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("race detector")
	}
	token, key := recorded(t, "user"), recordedKey(t)
	if n := testing.AllocsPerRun(100, func() { authenticate(t, token, key) }); n > 40 {
		t.Errorf("Parse, claims.Parse and Verify: %v allocations, over 40", n)
	}
}
