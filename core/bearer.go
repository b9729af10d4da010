package authgear

import (
	"errors"
	"fmt"
	"strings"
)

// bearerToken reads the token of RFC 6750 §2.1 from the lines of Authorization:
// "" for no line, an empty one and any other scheme. It is stricter than
// Authgear, which takes the first of two lines and falls back to a cookie for
// whatever it cannot read: that would hide a mistake behind another identity.
func bearerToken(lines []string) (string, *Error) {
	if len(lines) == 0 {
		return "", nil
	}
	if len(lines) > 1 {
		return "", &Error{Reason: ReasonAuthorizationMalformed, Err: fmt.Errorf("%d Authorization lines", len(lines))}
	}
	scheme, rest := cutToken(lines[0])
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	token := strings.TrimLeft(rest, " ")
	switch {
	case token == "" || len(token) == len(rest):
		return "", &Error{Reason: ReasonAuthorizationMalformed, Err: errors.New("no space and token after the Bearer scheme")}
	case len(token) > maxCredential:
		return "", tooLarge(token)
	case !isB64Token(token):
		return "", &Error{Reason: ReasonAuthorizationMalformed, Err: errors.New("what follows the Bearer scheme is not one b64token (RFC 6750 §2.1)")}
	}
	return token, nil
}

func tooLarge(token string) *Error {
	return &Error{Reason: ReasonTokenTooLarge, Err: fmt.Errorf("the token has %d bytes, at most %d are accepted", len(token), maxCredential)}
}

// cutToken splits s after its leading token characters
// (RFC 9110 §5.6.2 and §11.4).
func cutToken(s string) (token, rest string) {
	i := 0
	for i < len(s) && (isAlphanumeric(s[i]) || strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) >= 0) {
		i++
	}
	return s[:i], s[i:]
}

// isB64Token reports whether s is a b64token of RFC 6750 §2.1.
func isB64Token(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		if !b64TokenBytes[body[i]] {
			return false
		}
	}
	return body != ""
}

// b64TokenBytes is a table, since each request goes through a kilobyte of them.
var b64TokenBytes = func() (table [256]bool) {
	for c := range table {
		table[c] = isAlphanumeric(byte(c)) || strings.IndexByte("-._~+/", byte(c)) >= 0
	}
	return table
}()

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
