package authgear_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// breakage is something that is wrong with a process.
type breakage struct {
	finds  string                                                 // in the text of the violation
	config func(*authgear.HybridConfig)                           // may be nil
	wrap   func(authenticate, authgear.HybridConfig) authenticate // may be nil
}

// TestBrokenIsFound plays histories with a process that is wrong on purpose. The model
// finds that, by the rule that was broken.
func TestBrokenIsFound(t *testing.T) {
	t.Parallel()
	for name, b := range breakages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= 10_000; seed++ {
				if found, _ := play(t, newPlan(seed), &b); found != nil && strings.Contains(found.text, b.finds) {
					t.Logf("history %d: %s", seed, found.text)
					return
				}
			}
			t.Error("not found")
		})
	}
}

var breakages = map[string]breakage{
	"an answer counts for too long": configured("MaxStale ago", func(c *authgear.HybridConfig) { c.MaxStale += 5 * time.Second }),
	"a process asks too late": configured("Freshness before", func(c *authgear.HybridConfig) {
		c.Freshness *= 2
		c.MaxStale = max(c.MaxStale, c.Freshness)
	}),
	"an expired token counts":      configured("has expired", func(c *authgear.HybridConfig) { c.Leeway = time.Minute }),
	"a token counts by itself":     configured("counts by itself", func(c *authgear.HybridConfig) { c.InsecureJWTFallback = true }),
	"a request waits for too long": configured("it took", func(c *authgear.HybridConfig) { c.Timeout = 8 * time.Second }),
	"events are ignored":           configured("of an event", func(c *authgear.HybridConfig) { c.Revocations = nil }),
	"revoked tokens count":         configured("has revoked it", func(c *authgear.HybridConfig) { c.Revocations = allTokens{c.Revocations} }),
	"a call that began before an event counts": configured("of an event", func(c *authgear.HybridConfig) {
		c.Revocations = lateRevocations{c.Revocations}
	}),
	"keys are never removed": configured("its key was removed", func(c *authgear.HybridConfig) {
		c.HTTPClient = &http.Client{Transport: allKeys{c.HTTPClient.Transport}}
	}),
	"each request asks": {finds: "has asked about", wrap: func(auth authenticate, _ authgear.HybridConfig) authenticate {
		return func(ctx context.Context, request authgear.Request, _ bool) (*authgear.Identity, error) {
			return auth(ctx, request, true)
		}
	}},
	"a fresh request does not ask": {finds: "asked freshly", wrap: func(auth authenticate, _ authgear.HybridConfig) authenticate {
		return func(ctx context.Context, request authgear.Request, _ bool) (*authgear.Identity, error) {
			return auth(ctx, request, false)
		}
	}},
	"a refusal is forgotten in an outage": {finds: "refused before", wrap: func(auth authenticate, config authgear.HybridConfig) authenticate {
		return func(ctx context.Context, request authgear.Request, fresh bool) (*authgear.Identity, error) {
			identity, err := auth(ctx, request, fresh)
			if !isUnavailable(err) {
				return identity, err
			}
			h, err := authgear.NewHybrid(config) // which knows nothing
			if err != nil {
				return nil, err
			}
			return both(h)(ctx, request, fresh)
		}
	}},
	"an outage refuses": altered("good all the time", func(_, identity *authgear.Identity, err error) (*authgear.Identity, error) {
		if isUnavailable(err) {
			err = &authgear.Error{Reason: authgear.ReasonTokenRejected}
		}
		return identity, err
	}),
	"an outage admits whom it knows": altered("MaxStale ago", func(last, identity *authgear.Identity, err error) (*authgear.Identity, error) {
		if isUnavailable(err) && last != nil {
			return last, nil
		}
		return identity, err
	}),
	"a refused session comes back": altered("of a refusal", func(last, identity *authgear.Identity, err error) (*authgear.Identity, error) {
		if err != nil && last != nil && time.Now().Nanosecond()%2 == 0 { // now and then
			return last, nil
		}
		return identity, err
	}),
	"a good session is unavailable": altered("Authgear was well", func(last, identity *authgear.Identity, err error) (*authgear.Identity, error) {
		if last == nil && err == nil {
			return identity, nil
		}
		return nil, &authgear.Error{Reason: authgear.ReasonResolverUnavailable}
	}),
	"roles stay as they were": altered("it was not so", func(last, identity *authgear.Identity, err error) (*authgear.Identity, error) {
		if err == nil && last != nil && last.Source == identity.Source {
			return last, nil
		}
		return identity, err
	}),
}

func configured(finds string, change func(*authgear.HybridConfig)) breakage {
	return breakage{finds: finds, config: change}
}

// altered answers what alter makes of the last identity of a credential and the answer.
func altered(finds string, alter func(last, identity *authgear.Identity, err error) (*authgear.Identity, error)) breakage {
	return breakage{finds: finds, wrap: func(auth authenticate, _ authgear.HybridConfig) authenticate {
		var last sync.Map
		return func(ctx context.Context, request authgear.Request, fresh bool) (*authgear.Identity, error) {
			identity, err := auth(ctx, request, fresh)
			if fresh {
				return identity, err
			}
			name := fmt.Sprint(request.Values("Authorization"), request.Values("Cookie"))
			before, _ := last.Load(name)
			known, _ := before.(*authgear.Identity)
			identity, err = alter(known, identity, err)
			if err == nil {
				last.Store(name, identity)
			}
			return identity, err
		}
	}}
}

// lateRevocations let an answer count that was asked for a second before an event.
type lateRevocations struct{ authgear.Revocations }

func (l lateRevocations) Cutoff(userID string) authgear.Cutoff {
	cutoff := l.Revocations.Cutoff(userID)
	cutoff.Answers = cutoff.Answers.Add(-time.Second)
	return cutoff
}

// allTokens know no token that was revoked.
type allTokens struct{ authgear.Revocations }

func (a allTokens) Cutoff(userID string) authgear.Cutoff {
	return authgear.Cutoff{Answers: a.Revocations.Cutoff(userID).Answers}
}

// allKeys are published for ever.
type allKeys struct{ http.RoundTripper }

func (a allKeys) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.RoundTripper.RoundTrip(r)
	if err == nil && r.URL.Path == "/oauth2/jwks" {
		return (&publisher{keys: []string{historyKeys()[0].jwk(), historyKeys()[1].jwk()}}).RoundTrip(r)
	}
	return response, err
}
