package authgear

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
	"github.com/authgear/authgear-sdk-go/core/internal/answers"
)

// renewalPause is how long no request asks again in the background after an attempt has
// failed.
const renewalPause = time.Second

// ask returns the last answer about the credential if that counts, else waits for a new
// one.
func (h *Hybrid) ask(ctx context.Context, c credential, key answers.Key, fresh bool, now time.Time) answer {
	if !fresh {
		if a, ok := h.known(c, key, now); ok {
			return a
		}
	}
	ctx, cancel := context.WithTimeout(ctx, h.resolver.timeout) // of both calls
	defer cancel()
	calls := 0
	for a := h.resolver.call(ctx, c, key, fresh); ; a = h.resolver.call(ctx, c, key, true) {
		if !a.cached { // one that was kept from before an event is no call
			calls++
		}
		switch {
		case a.identity == nil || h.counts(&a):
			return a
		case calls == 2: // each began before the user's cutoff
			return unavailable(errors.New("events about the user came in while Authgear was asked, twice"))
		}
	}
}

// known returns, without waiting, an answer that counts, if there is one.
func (h *Hybrid) known(c credential, key answers.Key, now time.Time) (a answer, ok bool) {
	a, ok = h.resolver.accepted.Last(key)
	if !ok { // an answer that lands meanwhile may have been asked for before an event
		a, ok = h.resolver.rejected.Get(key, min(h.freshness, maxRejectedAge))
		a.cached = true
		return a, ok
	}
	old := age.At(now, a.at)
	if old >= h.maxStale || !h.counts(&a) {
		return answer{}, false
	}
	if a.renewAt.Load() == 0 {
		// A thousand tokens that were first seen in one second are not asked about in one
		// second again.
		a.renewAt.CompareAndSwap(0, int64(h.freshness/2+rand.N(h.freshness/2+1))) //nolint:gosec // it spreads calls, and is no secret
	}
	if at := a.renewAt.Load(); int64(old) >= at {
		h.renew(c, key, a, at)
	}
	a.cached = true
	return a, true
}

// counts reports whether the question was sent after the last change that is known.
func (h *Hybrid) counts(a *answer) bool {
	return a.at.After(h.revocations.Cutoff(a.identity.ID).Answers)
}

// renew asks again in the background, once for all requests that find the same old
// answer.
func (h *Hybrid) renew(c credential, key answers.Key, a answer, at int64) {
	if !a.renewAt.CompareAndSwap(at, int64(age.Of(a.at)+h.resolver.timeout)) {
		return
	}
	user := a.identity.ID
	if !h.renewals.begin(user) {
		a.renewAt.Store(at)
		return
	}
	go func() {
		defer h.renewals.end(user)
		renewed := h.resolver.call(context.Background(), c, key, true)
		if renewed.identity != nil {
			renewed.renewAt.CompareAndSwap(0, int64(h.freshness))
		}
		if !renewed.decided() {
			a.renewAt.Store(int64(age.Of(a.at) + renewalPause))
		}
	}()
}
