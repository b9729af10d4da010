// Package judge says whether a service accepts the claims of a token. It has one method
// for each rule that does not depend on the signature.
package judge

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// clientPrefix begins the subject of a client's own token.
const clientPrefix = "client_id_"

// DefaultLeeway is the clock difference that is tolerated by default.
const DefaultLeeway = 10 * time.Second

// Rules are what a service accepts.
type Rules struct {
	Endpoint  string   // the issuer, and the audience of users' tokens
	ClientIDs []string // empty: tokens of every client are accepted
	Resources []string // the accepted audiences of clients' own tokens
	Leeway    time.Duration
}

// IsClient reports whether the token is a client's own: its subject says so.
func IsClient(c *claims.Claims) bool { return strings.HasPrefix(c.Subject, clientPrefix) }

// Issuer compares iss byte by byte (RFC 9068 §4).
func (r *Rules) Issuer(c *claims.Claims) error {
	if c.Issuer != r.Endpoint {
		return fmt.Errorf("the token's issuer is %s, the endpoint is %s", quote.Quote(c.Issuer), r.Endpoint)
	}
	return nil
}

// Subject refuses a client's own token if its client_id does not fit its subject, or if
// it has claims about a user.
func (r *Rules) Subject(c *claims.Claims) error {
	if IsClient(c) && (c.ClientID == "" || c.Subject[len(clientPrefix):] != c.ClientID || c.UserClaims) {
		return errors.New("the subject is a client's own, but the client id or the user claims do not fit it")
	}
	return nil
}

// Audience distinguishes tokens of users from clients' own tokens. The audience of a
// user's token is the project, that of a client's own token is one resource.
func (r *Rules) Audience(c *claims.Claims) error {
	if !IsClient(c) {
		if !slices.Contains(c.Audience, r.Endpoint) {
			return fmt.Errorf("the token's audience is %s, a user's token has %s", QuoteAll(c.Audience), r.Endpoint)
		}
		return nil
	}
	for _, resource := range r.Resources {
		if slices.Contains(c.Audience, resource) {
			return nil
		}
	}
	return fmt.Errorf("the audience of this machine's token is %s, which is not one of Resources: %s", QuoteAll(c.Audience), cmp.Or(strings.Join(r.Resources, " "), "none"))
}

// Client refuses a token whose client is not among the accepted ones.
func (r *Rules) Client(c *claims.Claims) error {
	if len(r.ClientIDs) > 0 && !slices.Contains(r.ClientIDs, c.ClientID) {
		return fmt.Errorf("the token's client %s is not one of ClientIDs", quote.Quote(c.ClientID))
	}
	return nil
}

// Expiry obeys RFC 7519 §4.1.4.
func (r *Rules) Expiry(c *claims.Claims, now time.Time) error {
	if !now.Before(c.ExpiresAt.Add(r.Leeway)) {
		return fmt.Errorf("expired at %s", c.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}

// Start obeys RFC 7519 §4.1.5 for nbf. It refuses an iat in the future as well, since
// Authgear never issues one. When the claim is absent, from is zero and accepted.
func (r *Rules) Start(from, now time.Time) error {
	if from.After(now.Add(r.Leeway)) {
		return fmt.Errorf("valid from %s; is the clock of this machine right?", from.Format(time.RFC3339))
	}
	return nil
}

// QuoteAll joins the values with spaces and quotes the result.
func QuoteAll(values []string) string { return quote.Quote(strings.Join(values, " ")) }
