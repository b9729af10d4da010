package guard_test

import (
	"context"
	"net/http"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// says is an authenticator that always says the same.
type says struct {
	identity *authgear.Identity
	err      error
}

func (s says) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return s.identity, s.err
}

// An observer is told whether anybody was asked, and whether a request that
// failed goes on.
func TestDecisionTold(t *testing.T) {
	t.Parallel()
	stale := &authgear.Error{Reason: authgear.ReasonSessionInvalid, Evidence: authgear.Evidence{Ambient: true, Cached: true}}
	for _, c := range []struct {
		name                    string
		says                    says
		optional                bool
		withoutIdentity, cached bool
	}{
		{"asked", says{identity: &authgear.Identity{}}, false, false, false},
		{"known", says{identity: &authgear.Identity{Evidence: authgear.Evidence{Cached: true}}}, false, false, true},
		{"nobody", says{err: &authgear.Error{Reason: authgear.ReasonNoCredentials}}, true, true, false},
		{"nobody, required", says{err: &authgear.Error{Reason: authgear.ReasonNoCredentials}}, false, false, false},
		{"stale cookie", says{err: stale}, true, true, true},
		{"stale cookie, required", says{err: stale}, false, false, true},
		{"stale token", says{err: &authgear.Error{Reason: authgear.ReasonTokenRejected}}, true, false, false},
	} {
		var told []authgear.Decision
		g := guard.New(c.says, guard.Config{Observer: &authgear.Observer{
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
