// Package claims turns the claims of an Authgear access token or ID token into
// typed values, and refuses whatever two readers could understand differently
// (RFC 7519, RFC 9068, RFC 8725).
//
// It decides what the claims say, not whether they are acceptable: package judge
// compares issuer, audience and time.
package claims

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/strictjson"
)

// ErrInvalid means that the claims break a rule. The error of Parse wraps it and says,
// for operators, which claim and why.
var ErrInvalid = errors.New("claims are invalid")

// Claims are the claims that this SDK knows.
type Claims struct {
	// Issuer and Subject are never empty.
	Issuer, Subject string
	// ClientID and ID (jti) are empty when absent.
	ClientID, ID string
	// Audience has one element when aud is a string. Scopes is scope split at
	// its spaces. AMR and Roles keep the token's order.
	Audience, Scopes, AMR, Roles []string
	// ExpiresAt is never zero. The others are zero when absent. All are in UTC and
	// keep the token's fraction of a second.
	ExpiresAt, NotBefore, IssuedAt, AuthTime time.Time
	// When absent, Anonymous, Verified and CanReauthenticate have the value that
	// grants least: true, false, false.
	Anonymous, Verified, CanReauthenticate bool
	// CanReauthenticateStated is false when the claim can_reauthenticate is absent.
	CanReauthenticateStated bool
	// UserClaims reports whether the token has any of the claims by which
	// Authgear describes a user. A client's own token has none of them.
	UserClaims bool
}

// limits are far above what Authgear writes, since a project's hook may add
// other claims.
var limits = strictjson.Limits{Depth: 16, Members: 1024, Elements: 4096}

// parsing holds claims while they are read. parsings keeps it for the next token.
type parsing struct {
	Claims
	lists  []string                 // the elements of all lists of Claims, in order
	read   func(*strictjson.Reader) // its method readMember
	pack   bool
	packed []byte
}

var parsings = sync.Pool{New: func() any {
	p := &parsing{}
	p.read = p.readMember
	return p
}}

// Parse reads the payload of a token: one JSON object of exact and unique member
// names (RFC 7519 §4) in valid UTF-8 (RFC 8725 §3.7). It checks the structure of
// claims that it does not know, and ignores them (RFC 7519 §4). The strings of
// the claims can share the payload's memory.
func Parse(payload string) (Claims, error) {
	return ParseInto(payload, nil)
}

// ParseInto is Parse, but it puts the lists of the claims into the spare capacity of
// lists, as far as that is enough.
func ParseInto(payload string, lists []string) (Claims, error) {
	c, _, err := parse(payload, lists, false)
	return c, err
}

// ParseAndPack is ParseInto for a caller that keeps the payload, and returns it packed
// too. Packed is "" when the payload is too large to be worth keeping.
func ParseAndPack(payload string, lists []string) (Claims, Packed, error) {
	return parse(payload, lists, true)
}

func parse(payload string, lists []string, pack bool) (c Claims, kept Packed, err error) {
	p := parsings.Get().(*parsing)
	p.Anonymous, p.pack, p.packed = true, pack, append(p.packed[:0], packed)
	err = strictjson.Read(payload, limits, p.read)
	if err == nil {
		err = p.check()
	}
	if err == nil {
		c = p.Claims
		c.own(slices.Grow(lists, len(p.lists)))
		if p.pack && len(p.lists) <= maxStrings {
			kept = Packed(p.packed)
		}
	}
	clear(p.lists)
	p.Claims, p.lists = Claims{}, p.lists[:0]
	parsings.Put(p)
	if err != nil {
		return Claims{}, "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return c, kept, nil
}

func (c *parsing) readMember(r *strictjson.Reader) {
	name := nameOf(r.Name())
	c.readClaim(name, r)
	if c.pack && !r.Failed() {
		c.packed, c.pack = appendMember(c.packed, name, r.Name(), r.Value())
	}
}

// own copies the lists to the end of block, out of the memory of a parsing.
func (c *Claims) own(block []string) {
	for _, list := range [...]*[]string{&c.Audience, &c.Scopes, &c.AMR, &c.Roles} {
		if len(*list) > 0 {
			start := len(block)
			block = append(block, *list...)
			*list = from(block, start)
		}
	}
}

func (c *parsing) readClaim(name name, r *strictjson.Reader) {
	switch name {
	case iss, sub, clientID, jti:
		*c.text(name) = text(r)
	case exp, nbf, iat, authTime:
		*c.date(name) = date(r)
	case isAnonymous, isVerified, canReauthenticate:
		*c.flag(name) = r.Bool()
	case aud:
		c.Audience = c.audience(r)
	case scope:
		c.Scopes = c.scopes(r)
	case amr, roles:
		*c.list(name) = c.texts(r)
	default:
		r.Skip()
	}
	c.stated(name)
}
