package doctor

import (
	"fmt"
	"strings"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// lookAtClaims judges each claim by itself. It shows sub of machines only.
func (e *examination) lookAtClaims(c *claims.Claims) {
	now := time.Now()
	subject, audience := "a user's id, which is not shown", "Set Endpoint to the project's public origin; the token may be meant for another service."
	if judge.IsClient(c) {
		subject, audience = quote.Quote(c.Subject)+", a machine", "Add the resource to Resources, if this service is meant; if it stands there, name it to the doctor by -resource. Machines come in by NewHybrid and NewJWT."
	}
	client := "none"
	if c.ClientID != "" {
		client = quote.Quote(c.ClientID)
	}
	e.claim("iss", authgear.ReasonIssuerMismatch, e.rules.Issuer(c), "", quote.Quote(c.Issuer))
	e.claim("aud", authgear.ReasonAudienceMismatch, e.rules.Audience(c), audience, judge.QuoteAll(c.Audience))
	e.claim("sub", authgear.ReasonClaimsInvalid, e.rules.Subject(c), "", subject)
	e.claim("client_id", authgear.ReasonClientNotAllowed, e.rules.Client(c), "", client)
	expiry := moment(c.ExpiresAt, now)
	if !c.ExpiresAt.After(now) {
		expiry += fmt.Sprintf(", which the Leeway of %v allows; the resolver has no leeway", e.rules.Leeway)
	}
	e.claim("exp", authgear.ReasonTokenExpired, e.rules.Expiry(c, now), "", expiry)
	e.claim("nbf", authgear.ReasonTokenNotYetValid, e.rules.Start(c.NotBefore, now), "", moment(c.NotBefore, now))
	e.claim("iat", authgear.ReasonTokenNotYetValid, e.rules.Start(c.IssuedAt, now), "", moment(c.IssuedAt, now))
	e.ok("scope", "%s", listed(c.Scopes))
	e.ok("roles", "%s", listed(c.Roles))
}

// claim adds a claim that is good unless there is an error.
func (e *examination) claim(name string, reason authgear.Reason, err error, fix, detail string) {
	if err != nil {
		e.fail(name, reason, err, fix)
		return
	}
	e.ok(name, "%s", detail)
}

// moment tells a time and how far away it is.
func moment(t, now time.Time) string {
	if t.IsZero() {
		return "none"
	}
	at := t.Format(time.RFC3339)
	if t.After(now) {
		return fmt.Sprintf("%s, in %v", at, t.Sub(now).Round(time.Second))
	}
	return fmt.Sprintf("%s, %v ago", at, now.Sub(t).Round(time.Second))
}

// listed quotes the first values, which a hook of the project may have chosen.
func listed(values []string) string {
	if len(values) == 0 {
		return "none"
	}
	quoted := make([]string, 0, len(values))
	for _, value := range values {
		quoted = append(quoted, quote.Quote(value))
	}
	return strings.Join(firstOf(quoted), ", ")
}

// firstOf returns the first values, and how many more there are.
func firstOf(values []string) []string {
	const most = 20
	if more := len(values) - most; more > 0 {
		return append(values[:most:most], fmt.Sprintf("and %d more", more))
	}
	return values
}

// described tells what is known of an identity without saying who it is.
func described(identity *authgear.Identity) string {
	known := []string{"a user"}
	if identity.Anonymous {
		known = append(known, "anonymous")
	}
	if identity.Verified {
		known = append(known, "verified")
	}
	return strings.Join(known, ", ") + ", roles " + listed(identity.Roles)
}
