// Package jws reads Authgear's access tokens and ID tokens as signed objects: the
// compact form, a strict header, and the RS256 signature (RFC 7515, RFC 9068).
//
// It knows nothing of claims, of the source of keys or of HTTP.
package jws

import (
	"crypto/rsa"
	"fmt"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/golang-jwt/jwt/v5"
)

// Token is a token in compact form after its header was read. Until Verify succeeds,
// nothing in it can be trusted.
type Token struct {
	// KeyID says which key the token claims to be signed with.
	KeyID string
	// Payload holds the claims.
	Payload string

	signingInput string
	signature    []byte
}

// Parser reads tokens of one type. It remembers the last good header, since all tokens
// signed with one key have the same header, byte for byte. The zero value is ready,
// reads access tokens, and is safe for concurrent use.
type Parser struct {
	// Type is set before the first Parse.
	Type Type

	last atomic.Pointer[knownHeader]
}

// knownHeader is an encoded header that was read and found good.
type knownHeader struct{ encoded, keyID string }

// maxKnown is the length, in bytes, of the longest encoded header that is remembered.
// Authgear's have about a hundred bytes.
const maxKnown = 512

// Parse reads the compact form (RFC 7515 §3.1) and the header. It needs memory
// in proportion to the token, whose size the caller limits.
func (p *Parser) Parse(compact string) (Token, error) {
	d, err := split(compact)
	if err != nil {
		return Token{}, err
	}
	encoded := compact[:d.first]
	known := p.last.Load()
	if known != nil && known.encoded != encoded {
		known = nil
	}
	var header, body []byte
	if known == nil {
		if header, err = appendPart(nil, encoded, "header"); err != nil {
			return Token{}, err
		}
	}
	// Payload and signature share one block of memory. Nobody writes to it later.
	body = make([]byte, 0, encoding.DecodedLen(len(compact)-d.first))
	if body, err = appendPart(body, compact[d.first+1:d.second], "payload"); err != nil {
		return Token{}, err
	}
	payload := len(body)
	if body, err = appendPart(body, compact[d.second+1:], "signature"); err != nil {
		return Token{}, err
	}
	if known == nil {
		if known, err = p.read(encoded, string(header)); err != nil {
			return Token{}, err
		}
	}
	return Token{
		KeyID:        known.keyID,
		Payload:      unsafe.String(unsafe.SliceData(body), payload),
		signingInput: compact[:d.second],
		signature:    body[payload:],
	}, nil
}

// read reads a header that is not the remembered one.
func (p *Parser) read(encoded, header string) (*knownHeader, error) {
	keyID, err := readHeader(header, p.Type)
	if err != nil {
		return nil, err
	}
	known := &knownHeader{strings.Clone(encoded), strings.Clone(keyID)} // copies, so that the rest of the token is not kept
	if len(encoded) <= maxKnown {
		p.last.Store(known)
	}
	return known, nil
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
