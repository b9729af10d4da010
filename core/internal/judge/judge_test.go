package judge_test

import (
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
)

// Each rule looks only at its own claim, so that all mistakes of a token can be reported.
func TestRules(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	rules := judge.Rules{Endpoint: "https://a.test", ClientIDs: []string{"spa", "worker"}, Resources: []string{"https://api.test"}, Leeway: judge.DefaultLeeway}
	user := claims.Claims{Issuer: "https://a.test", Subject: "u", Audience: []string{"x", "https://a.test"}, ClientID: "spa", UserClaims: true, ExpiresAt: now, IssuedAt: now}
	machine := claims.Claims{Issuer: "https://a.test", Subject: "client_id_worker", Audience: []string{"https://api.test"}, ClientID: "worker", ExpiresAt: now}
	for name, c := range map[string]struct {
		of     claims.Claims
		change func(*claims.Claims)
		breaks string
	}{
		"a user's":                 {of: user},
		"a machine's":              {of: machine},
		"issuer":                   {user, func(c *claims.Claims) { c.Issuer += "/" }, "issuer"},
		"user's audience":          {user, func(c *claims.Claims) { c.Audience = rules.Resources }, "audience"},
		"no audience":              {user, func(c *claims.Claims) { c.Audience = nil }, "audience"},
		"machine's audience":       {machine, func(c *claims.Claims) { c.Audience = []string{"https://a.test"} }, "audience"},
		"other client's sub":       {machine, func(c *claims.Claims) { c.Subject = "client_id_x" }, "subject"},
		"sub is not the client":    {machine, func(c *claims.Claims) { c.Subject += "x" }, "subject"},
		"machine with user claims": {machine, func(c *claims.Claims) { c.UserClaims = true }, "subject"},
		"client":                   {user, func(c *claims.Claims) { c.ClientID = "x" }, "client"},
		"just expired":             {user, func(c *claims.Claims) { c.ExpiresAt = now.Add(1 - judge.DefaultLeeway) }, ""},
		"expired":                  {user, func(c *claims.Claims) { c.ExpiresAt = now.Add(-judge.DefaultLeeway) }, "expiry"},
		"just issued":              {user, func(c *claims.Claims) { c.IssuedAt = now.Add(judge.DefaultLeeway) }, ""},
		"issued in the future":     {user, func(c *claims.Claims) { c.IssuedAt = now.Add(judge.DefaultLeeway + 1) }, "start"},
	} {
		if c.change != nil {
			c.change(&c.of)
		}
		for rule, err := range map[string]error{
			"issuer": rules.Issuer(&c.of), "audience": rules.Audience(&c.of), "subject": rules.Subject(&c.of), "client": rules.Client(&c.of),
			"expiry": rules.Expiry(&c.of, now), "start": rules.Start(c.of.IssuedAt, now),
		} {
			if (err != nil) != (rule == c.breaks) {
				t.Errorf("%s: %s: %v", name, rule, err)
			}
		}
	}
}
