package guard_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
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

// One authentication is told once, and each refusal, whatever number of checks
// decide about a request.
func TestDecisionsOfSeveralChecks(t *testing.T) {
	t.Parallel()
	var told []authgear.Decision
	observer := &authgear.Observer{Decision: func(_ context.Context, d authgear.Decision) { told = append(told, d) }}
	calls := 0
	g := guard.New(byToken(&calls), guard.Config{Observer: observer})
	optional, require, admin := g.Optional(), g.Require(), g.Require(authgear.Role("admin"))
	for name, c := range map[string]struct {
		authorization string
		checks        []*guard.Check
		want          []authgear.Reason
	}{
		"allowed by all":            {"Bearer alice", []*guard.Check{optional, require, optional}, []authgear.Reason{""}},
		"without identity":          {"", []*guard.Check{optional, optional}, []authgear.Reason{"no_credentials"}},
		"refused by the inner":      {"", []*guard.Check{optional, require}, []authgear.Reason{"no_credentials", "no_credentials"}},
		"denied by the inner":       {"Bearer alice", []*guard.Check{require, admin}, []authgear.Reason{"", "role_missing"}},
		"denied, and tried by both": {"Bearer alice", []*guard.Check{admin, admin}, []authgear.Reason{"role_missing", "role_missing"}},
	} {
		told = nil
		ctx, r := t.Context(), newRequest(c.authorization, "")
		var refusal *guard.Refusal
		for _, check := range c.checks {
			ctx, refusal = run(check, ctx, r, http.Header{})
		}
		var reasons []authgear.Reason
		for i, d := range told {
			reasons = append(reasons, d.Reason)
			if d.Repeated != (i > 0) {
				t.Errorf("%s: decision %d is repeated: %v", name, i+1, d.Repeated)
			}
		}
		if !slices.Equal(reasons, c.want) {
			t.Errorf("%s: told %q, want %q", name, reasons, c.want)
		}
		if err, refused := guard.Refused(ctx); refused != (refusal != nil) || refused && err != refusal.Err {
			t.Errorf("%s: refused by %v, the context says %v", name, refusal, err)
		}
	}
}

// watched is an authenticator with an observer of its own.
type watched struct {
	none
	observer *authgear.Observer
}

func (w watched) Observer() *authgear.Observer { return w.observer }

// The guard's observer goes before the authenticator's, and without both there is
// a log.
func TestWhichObserver(t *testing.T) { // not parallel, for the default logger
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	var told string
	tells := func(name string) *authgear.Observer {
		return &authgear.Observer{Decision: func(context.Context, authgear.Decision) { told += name }}
	}
	for _, c := range []struct {
		auth   authgear.Authenticator
		config guard.Config
		want   string
	}{
		{watched{observer: tells("authenticator")}, guard.Config{Observer: tells("guard")}, "guard"},
		{watched{observer: tells("authenticator")}, guard.Config{}, "authenticator"},
		{watched{}, guard.Config{}, ""},
	} {
		told = ""
		run(guard.New(c.auth, c.config).Require(), t.Context(), newRequest("", ""), http.Header{})
		if told != c.want {
			t.Errorf("told the observer of the %q, want %q", told, c.want)
		}
	}
	expired := fixed{err: &authgear.Error{Reason: authgear.ReasonTokenExpired}}
	if run(guard.New(expired, guard.Config{}).Require(), t.Context(), newRequest("", ""), http.Header{}); !strings.Contains(log.String(), "token_expired") {
		t.Errorf("logged %q", log.String())
	}
}

// Middleware around a guard knows what the guard has found out about its request,
// whatever guards of sub-requests have.
func TestWatch(t *testing.T) {
	t.Parallel()
	calls := 0
	g := guard.New(byToken(&calls), silent())
	ctx, found := guard.Watch(t.Context())
	ctx, _ = run(g.Optional(), ctx, newRequest("Bearer alice", ""), http.Header{})
	sub := newRequest("Bearer bob", "")
	within, _ := run(g.Optional(), ctx, sub, http.Header{})
	run(g.Require(authgear.Role("admin")), within, sub, http.Header{})
	identity, ok := found.Identity()
	if err, refused := found.Error(); !ok || identity.ID != "alice" || refused {
		t.Errorf("found %+v, %v", identity, err)
	}

	ctx, found = guard.Watch(t.Context())
	r := newRequest("", "")
	ctx, _ = run(g.Require(), ctx, r, http.Header{})
	if identity, ok := found.Identity(); ok || identity != nil {
		t.Errorf("found %+v", identity)
	}
	after, _ := run(g.Optional(), ctx, r, http.Header{})
	if _, before := guard.Refused(ctx); !before {
		t.Error("a refused request is not refused")
	}
	if err, refused := guard.Refused(after); refused {
		t.Errorf("a request that was allowed later is refused: %v", err)
	}
}
