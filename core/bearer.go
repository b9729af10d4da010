package authgear

import (
	"errors"
	"fmt"
	"strings"
)

// ParseAuthorization takes the access token out of the value of an Authorization header
// (RFC 6750 §2.1). Use it before [Hybrid.Verify], [JWT.Verify] or [Resolver.Verify] when
// a library hands over that value and not the request. The error is always an [*Error].
// Its reason is [ReasonNoCredentials] for an empty value and for another scheme.
func ParseAuthorization(value string) (token string, err error) {
	token, malformed := bearerToken([]string{value})
	switch {
	case malformed != nil:
		return "", malformed
	case token != "":
		return token, nil
	case isBareToken(value):
		return "", &Error{Reason: ReasonNoCredentials, Err: errMissingBearer}
	default:
		return "", &Error{Reason: ReasonNoCredentials}
	}
}

var errMissingBearer = errors.New(`an Authorization header looks like a token without its scheme; the client has to send "Bearer " and the token`)

// bearerToken reads the token of RFC 6750 §2.1 from the values of Authorization. It
// returns "" for no value, an empty value and any other scheme. It is stricter than
// Authgear, which takes the first of two headers, and falls back to a cookie when it
// cannot read the header. That would hide a mistake behind another identity.
func bearerToken(values []string) (string, *Error) {
	token, err := uncheckedToken(values)
	if err == nil && token != "" {
		err = checkAlphabet(token)
	}
	if err != nil {
		return "", err
	}
	return token, nil
}

// checkAlphabet checks what uncheckedToken has returned.
func checkAlphabet(token string) *Error {
	if !isB64Token(token) {
		return &Error{Reason: ReasonAuthorizationMalformed, Err: fmt.Errorf("after the Bearer scheme, %w", otherByte(token))}
	}
	return nil
}

// uncheckedToken is bearerToken without the check of the alphabet, which costs as much as
// a look-up. Its caller reads the token in a way that fails for other bytes too, and
// checks the alphabet then.
func uncheckedToken(values []string) (string, *Error) {
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", &Error{Reason: ReasonAuthorizationMalformed, Err: fmt.Errorf("%d Authorization headers", len(values))}
	}
	scheme, rest := cutToken(values[0])
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	token := strings.TrimLeft(rest, " ")
	switch {
	case token == "" || len(token) == len(rest):
		return "", &Error{Reason: ReasonAuthorizationMalformed, Err: errors.New("no space and token after the Bearer scheme")}
	case beginsWithBearer(token):
		return "", &Error{Reason: ReasonAuthorizationMalformed, Err: errors.New("the word Bearer stands there twice")}
	case len(token) > maxToken:
		return "", tooLarge(token)
	}
	if err := checkPlaceholder(token); err != nil {
		return "", &Error{Reason: ReasonTokenMalformed, Err: err}
	}
	return token, nil
}

// checkToken checks a token that did not come in a request.
func checkToken(token string) *Error {
	switch {
	case token == "":
		return &Error{Reason: ReasonNoCredentials}
	case beginsWithBearer(token):
		return &Error{Reason: ReasonTokenMalformed, Err: errors.New(`the word Bearer stands before the token; ParseAuthorization takes it away`)}
	case len(token) > maxToken:
		return tooLarge(token)
	case !isB64Token(token):
		return &Error{Reason: ReasonTokenMalformed, Err: otherByte(token)}
	}
	if err := checkPlaceholder(token); err != nil {
		return &Error{Reason: ReasonTokenMalformed, Err: err}
	}
	return nil
}

// checkPlaceholder finds what JavaScript, Python and Go write for a variable without a
// token.
func checkPlaceholder(token string) error {
	switch token {
	case "undefined", "null", "None", "nil", "NaN":
		return fmt.Errorf("the client sent the word %q in place of a token: it made the request before it had one", token)
	}
	return nil
}

func tooLarge(token string) *Error {
	return &Error{Reason: ReasonTokenTooLarge, Err: fmt.Errorf("the token has %d bytes, at most %d are accepted", len(token), maxToken)}
}

func beginsWithBearer(s string) bool {
	const scheme = "Bearer "
	return len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

// isBareToken reports whether the value of Authorization looks like a token whose
// scheme was forgotten. The names of schemes are shorter.
func isBareToken(value string) bool { return len(value) >= 20 && isB64Token(value) }

// cutToken splits s after its leading token characters
// (RFC 9110 §5.6.2 and §11.4).
func cutToken(s string) (token, rest string) {
	i := 0
	for i < len(s) && (isAlphanumeric(s[i]) || strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) >= 0) {
		i++
	}
	return s[:i], s[i:]
}

// isB64Token reports whether s is a b64token of RFC 6750 §2.1. It goes through eight
// bytes at a time, since each request has a kilobyte of them.
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	rest, other := s, uint8(0)
	for len(rest) >= 8 {
		b := rest[:8]
		other |= otherBytes[b[0]] | otherBytes[b[1]] | otherBytes[b[2]] | otherBytes[b[3]] |
			otherBytes[b[4]] | otherBytes[b[5]] | otherBytes[b[6]] | otherBytes[b[7]]
		rest = rest[8:]
	}
	for i := range len(rest) {
		other |= otherBytes[rest[i]]
	}
	return s != "" && other == 0
}

// otherByte says why s is not a b64token.
func otherByte(s string) error {
	s = strings.TrimRight(s, "=")
	i := strings.IndexFunc(s, func(r rune) bool { return r > 0x7f || otherBytes[r] != 0 })
	if i < 0 {
		return errors.New("there is no token but = only")
	}
	return fmt.Errorf("there is %q, which is in no token (RFC 6750 §2.1); do quotes stand around it, or the name of a variable in its place?", s[i:i+1])
}

// otherBytes has 1 for each byte that cannot be in a b64token.
var otherBytes = func() (table [256]uint8) {
	for c := range table {
		if !isAlphanumeric(byte(c)) && strings.IndexByte("-._~+/", byte(c)) < 0 {
			table[c] = 1
		}
	}
	return table
}()

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
