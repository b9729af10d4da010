package authgear

import (
	"crypto/rsa"
	"crypto/sha256"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/authgear/authgear-sdk-go/core/internal/answers"
	"github.com/authgear/authgear-sdk-go/core/internal/claims"
)

const defaultCacheSize = 10_000

// verifiedTokens are tokens whose signature was good. Others never come in, so that a
// flood of them takes nobody's place.
type verifiedTokens struct {
	table *otter.Cache[answers.Key, *verifiedToken]
}

// verifiedToken does not change.
type verifiedToken struct {
	key     *rsa.PublicKey // which has signed it
	keyID   string
	at      int64 // Unix nanoseconds, of the wall clock
	payload claims.Packed
}

// newVerifiedTokens returns nil for a negative size.
func newVerifiedTokens(size int) *verifiedTokens {
	if size < 0 {
		return nil
	}
	if size == 0 {
		size = defaultCacheSize
	}
	return &verifiedTokens{otter.Must(&otter.Options[answers.Key, *verifiedToken]{
		MaximumSize: size,
		Executor:    func(work func()) { work() }, // cheaper than to start a goroutine
	})}
}

// tokenKey names a token by a collision-resistant hash of all of it, its signature too.
// Otherwise one token could get the identity of another.
func tokenKey(compact string) answers.Key {
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(compact), len(compact))) // which only reads it
}

// find returns nil for a token that is not kept.
func (v *verifiedTokens) find(key answers.Key) *verifiedToken {
	known, _ := v.table.GetIfPresent(key)
	return known
}

func (v *verifiedTokens) keep(key answers.Key, token *verifiedToken) { v.table.Set(key, token) }
