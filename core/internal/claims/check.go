package claims

import (
	"errors"
	"fmt"
	"strings"
)

// maxSubject is the longest sub in bytes (OpenID Connect Core 1.0 §2).
const maxSubject = 255

// check looks for what RFC 9068 §2.2 requires and this SDK cannot do without.
// aud and client_id are compared by the caller, who finds them missing.
func (c *Claims) check() error {
	switch {
	case c.Issuer == "":
		return errors.New("iss is missing or empty")
	case c.Subject == "":
		return errors.New("sub is missing or empty")
	case len(c.Subject) > maxSubject:
		return fmt.Errorf("sub has %d bytes, over %d", len(c.Subject), maxSubject)
	case strings.TrimSpace(c.Subject) == "":
		return errors.New("sub is blank")
	case c.ExpiresAt.IsZero():
		return errors.New("exp is missing")
	}
	return nil
}
