package jws_test

import (
	"crypto/rsa"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

// parser is shared, as an authenticator shares its own.
var parser jws.Parser

// authenticate does with a token all the work of this package and of package claims.
func authenticate(t testing.TB, token string, key *rsa.PublicKey) {
	parsed, err := parser.Parse(token)
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

func BenchmarkParse(b *testing.B) {
	token := recorded(b, "user")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parser.Parse(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	key := recordedKey(b)
	token, err := parser.Parse(recorded(b, "user"))
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
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	token, key := recorded(t, "user"), recordedKey(t)
	if n := testing.AllocsPerRun(100, func() { authenticate(t, token, key) }); n > 40 {
		t.Errorf("Parse, claims.Parse and Verify: %v allocations, over 40", n)
	}
}
