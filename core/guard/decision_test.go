package guard_test

import (
	"context"
	"net/http"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// fixed is an authenticator with one answer.
type fixed struct {
	identity *authgear.Identity
	err      error
}

func (s fixed) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return s.identity, s.err
}

// An observer is told whether anybody was asked, and whether a request that
// failed goes on.
func TestDecisionTold(t *testing.T) {
	t.Parallel()
	stale := &authgear.Error{Reason: authgear.ReasonSessionInvalid, Evidence: authgear.Evidence{Ambient: true, Cached: true}}
	for _, c := range []struct {
		name                    string
		fixed                   fixed
		optional                bool
		withoutIdentity, cached bool
	}{
		{"asked", fixed{identity: &authgear.Identity{}}, false, false, false},
		{"known", fixed{identity: &authgear.Identity{Evidence: authgear.Evidence{Cached: true}}}, false, false, true},
		{"nobody", fixed{err: &authgear.Error{Reason: authgear.ReasonNoCredentials}}, true, true, false},
		{"nobody, required", fixed{err: &authgear.Error{Reason: authgear.ReasonNoCredentials}}, false, false, false},
		{"stale cookie", fixed{err: stale}, true, true, true},
		{"stale cookie, required", fixed{err: stale}, false, false, true},
		{"stale token", fixed{err: &authgear.Error{Reason: authgear.ReasonTokenRejected}}, true, false, false},
	} {
		var told []authgear.Decision
		g := guard.New(c.fixed, guard.Config{Observer: &authgear.Observer{
			Decision: func(_ context.Context, d authgear.Decision) { told = append(told, d) },
		}})
		check := g.Require()
		if c.optional {
			check = g.Optional()
		}
		run(check, t.Context(), newRequest("", ""), http.Header{})
		if len(told) != 1 || told[0].WithoutIdentity != c.withoutIdentity || told[0].Cached != c.cached {
			t.Errorf("%s: %+v", c.name, told)
		}
	}
}
