package jws

import "strings"

// Type is which tokens a [Parser] reads. The types have the same keys, so that
// the signature does not tell them apart.
type Type uint8

const (
	// AccessToken is at+jwt or application/at+jwt (RFC 9068 §2.1).
	AccessToken Type = iota
	// IDToken is JWT and nothing else, as Authgear writes it (RFC 7519 §5.1).
	IDToken
)

// String returns the typ that Authgear writes.
func (t Type) String() string {
	if t == IDToken {
		return "JWT"
	}
	return "at+jwt"
}

// is compares as media types are compared, with "application/" of an access
// token left out or not (RFC 7515 §4.1.9, RFC 2045 §5.1). EqualFold folds beyond
// ASCII, but no other character folds to a letter of these.
func (t Type) is(typ string) bool {
	return strings.EqualFold(typ, t.String()) || t == AccessToken && strings.EqualFold(typ, "application/at+jwt")
}
