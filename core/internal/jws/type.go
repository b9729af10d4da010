package jws

import "strings"

// Type says which tokens a [Parser] reads. Authgear signs both types with the same keys,
// so the signature does not tell them apart.
type Type uint8

const (
	// AccessToken has the typ at+jwt or application/at+jwt (RFC 9068 §2.1).
	AccessToken Type = iota
	// IDToken has the typ JWT and no other, as Authgear writes it (RFC 7519 §5.1).
	IDToken
)

// String returns the typ that Authgear writes.
func (t Type) String() string {
	if t == IDToken {
		return "JWT"
	}
	return "at+jwt"
}

// is compares typ as a media type. For an access token "application/" may be left out
// (RFC 7515 §4.1.9, RFC 2045 §5.1). EqualFold folds characters outside ASCII too, but
// none of them folds to a letter of these types.
func (t Type) is(typ string) bool {
	return strings.EqualFold(typ, t.String()) || t == AccessToken && strings.EqualFold(typ, "application/at+jwt")
}
