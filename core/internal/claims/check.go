package claims

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// maxSubject is the longest sub in bytes (OpenID Connect Core 1.0 §2).
const maxSubject = 255

// check looks for the claims that RFC 9068 §2.2 requires and this SDK needs. It leaves
// out aud and client_id: the caller compares them, and finds out when they are missing.
func (c *Claims) check() error {
	switch {
	case c.Issuer == "":
		return errors.New("iss is missing or empty")
	case c.ExpiresAt.IsZero():
		return errors.New("exp is missing")
	}
	if err := CheckSubject(c.Subject); err != nil {
		return fmt.Errorf("sub %w", err)
	}
	return nil
}

// CheckSubject says what is wrong with a user id. The text continues a sentence that
// begins with the name of the claim or field.
func CheckSubject(id string) error {
	switch {
	case id == "":
		return errors.New("is missing or empty")
	case len(id) > maxSubject:
		return fmt.Errorf("has %d bytes, over %d", len(id), maxSubject)
	case strings.TrimSpace(id) == "":
		return errors.New("is blank")
	case strings.ContainsFunc(id, unicode.IsControl):
		return errors.New("has a control character")
	}
	return nil
}
