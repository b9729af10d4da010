package authgeartest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
)

// seed is the secret from which keys and IDs are derived, so that a restart with the same
// [Config].Seed has the same ones.
type seed [32]byte

func newSeed(text string) seed {
	if text != "" {
		return sha256.Sum256([]byte("authgeartest " + text))
	}
	var random seed
	_, _ = rand.Read(random[:])
	return random
}

// derive returns the secret for a purpose.
func (s seed) derive(purpose string, of ...any) [32]byte {
	mac := hmac.New(sha256.New, s[:])
	_, _ = fmt.Fprintf(mac, "%s\n%q", purpose, of)
	return [32]byte(mac.Sum(nil))
}

// uuid returns the nth ID for a purpose.
func (s seed) uuid(purpose string, n int) string {
	sum := s.derive(purpose, n)
	return formatUUID([16]byte(sum[:16]))
}

// key returns the nth signing key. On purpose, crypto/rsa never makes the same key twice
// from the same source, so the primes are chosen here (FIPS 186-5 A.1.3). For
// development only: whoever knows the seed has the key.
func (s seed) key(n int) *rsa.PrivateKey {
	source := mathrand.NewChaCha8(s.derive("key", n))
	e, one := big.NewInt(65537), big.NewInt(1)
	for {
		p, q := prime(source), prime(source)
		p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
		d := new(big.Int).ModInverse(e, new(big.Int).Mul(p1, q1))
		if d == nil {
			continue
		}
		key := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: int(e.Int64())},
			D:         d, Primes: []*big.Int{p, q},
		}
		key.Precompute()
		return key
	}
}

// prime returns the next prime of 1024 bits. Its two highest bits are set, so that the
// product of two such primes has 2048 bits.
func prime(source io.Reader) *big.Int {
	var candidate [128]byte
	for {
		_, _ = io.ReadFull(source, candidate[:]) // never fails
		candidate[0] |= 0xc0
		if p := new(big.Int).SetBytes(candidate[:]); p.ProbablyPrime(20) {
			return p
		}
	}
}
