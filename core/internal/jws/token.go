// Package jws reads Authgear's access tokens as signed objects: the compact
// form, a strict header, and the RS256 signature (RFC 7515, RFC 9068).
//
// It knows nothing of claims, keys' origin or HTTP.
package jws

import (
	"crypto/rsa"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// Token is a token in compact form whose header was read. Nothing in it is
// proven before Verify.
type Token struct {
	// KeyID says which key the token claims to be signed with.
	KeyID string
	// Payload holds the claims.
	Payload []byte

	signingInput string
	signature    []byte
}

// Parse reads the compact form (RFC 7515 §3.1) and the header. It needs memory
// in proportion to the token, whose size the caller limits.
func Parse(compact string) (Token, error) {
	p, err := split(compact)
	if err != nil {
		return Token{}, err
	}
	d, err := p.decode(compact)
	if err != nil {
		return Token{}, err
	}
	keyID, err := readHeader(d.header)
	if err != nil {
		return Token{}, err
	}
	return Token{
		KeyID:        keyID,
		Payload:      d.payload,
		signingInput: compact[:p.second],
		signature:    d.signature,
	}, nil
}

// Verify checks the signature (RFC 7515 §5.2 step 8). The algorithm is fixed
// here and not taken from the token (RFC 8725 §3.1).
func (t *Token) Verify(key *rsa.PublicKey) error {
	if key == nil {
		return fmt.Errorf("%w: no key", ErrSignature)
	}
	if err := jwt.SigningMethodRS256.Verify(t.signingInput, t.signature, key); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}
