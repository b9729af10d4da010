package authgear_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// After an event the next request asks, and a call that began before the event
// does not count.
func TestRevocationCountsAtOnce(t *testing.T) {
	t.Parallel()
	revoke := map[string]func(*hybrid) error{
		"revoke": func(h *hybrid) error { return h.revocations.Revoke(context.Background(), "alice", time.Now()) },
		"forget": func(h *hybrid) error { return h.revocations.Forget(context.Background(), "alice") },
	}
	for name, event := range revoke {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) {
				h := newHybrid(t, authgear.HybridConfig{})
				token, other := h.signIn(t, "alice"), h.signIn(t, "bob")
				h.wantUser(t, token, "alice")
				h.wantUser(t, other, "bob")
				time.Sleep(time.Second)
				h.signOut("Bearer " + token)
				_ = event(h)
				time.Sleep(time.Nanosecond)
				h.wantRefused(t, token, authgear.ReasonTokenRejected)
				h.wantUser(t, other, "bob")
				if h.total() != 3 {
					t.Errorf("%d calls", h.total())
				}

				// The answer was on its way when the event came.
				late := h.signIn(t, "alice")
				h.change(func() { h.hold = make(chan struct{}) })
				var all sync.WaitGroup
				all.Go(func() { h.wantRefused(t, late, authgear.ReasonTokenRejected) })
				synctest.Wait()
				time.Sleep(time.Second)
				_ = event(h)
				time.Sleep(time.Nanosecond)
				all.Go(func() { h.wantRefused(t, late, authgear.ReasonTokenRejected) })
				synctest.Wait()
				h.hold <- struct{}{} // answers: good
				synctest.Wait()
				h.signOut("Bearer " + late)
				h.change(func() { close(h.hold); h.hold = nil })
				all.Wait()
			})
		})
	}
}

// When an event comes in each of two calls, nobody can say what counts.
func TestEventsInBothCalls(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true})
		token := h.signIn(t, "alice")
		h.hold = make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			identity, err := h.ask(t, bearer(token))
			wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		})
		for range 2 {
			synctest.Wait()
			time.Sleep(time.Second)
			_ = h.revocations.Forget(t.Context(), "alice")
			h.hold <- struct{}{}
		}
		all.Wait()
		if h.total() != 2 {
			t.Errorf("%d calls, not 2", h.total())
		}
		h.change(func() { close(h.hold); h.hold = nil })
		time.Sleep(time.Nanosecond)
		h.wantUser(t, token, "alice")
	})
}

// An answer that was kept from before an event is none of the two calls.
func TestKeptAnswerIsNoCall(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		token := h.signIn(t, "alice")
		h.wantUser(t, token, "alice")
		time.Sleep(time.Second)
		_ = h.revocations.Forget(t.Context(), "alice")
		time.Sleep(time.Second)
		h.change(func() { h.hold = make(chan struct{}) })
		var all sync.WaitGroup
		all.Go(func() { h.wantUser(t, token, "alice") })
		synctest.Wait()
		_ = h.revocations.Forget(t.Context(), "alice")
		time.Sleep(time.Nanosecond)
		for range 2 {
			h.hold <- struct{}{}
		}
		all.Wait()
		if h.total() != 3 {
			t.Errorf("%d calls, not 3", h.total())
		}
	})
}

// The second call has only the time that the first one has left.
func TestBothCallsInOneTimeout(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		token := h.signIn(t, "alice")
		h.hold = make(chan struct{})
		go func() {
			time.Sleep(1900 * time.Millisecond)
			_ = h.revocations.Forget(t.Context(), "alice")
			h.hold <- struct{}{}
		}()
		start := time.Now()
		identity, err := h.ask(t, bearer(token))
		wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("answered after %v", took)
		}
		h.change(func() { close(h.hold); h.hold = nil })
	})
}

// What was asked at the very time of an event does not count.
func TestAskedAtTheTimeOfAnEvent(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		token := h.signIn(t, "alice")
		h.wantUser(t, token, "alice")
		_ = h.revocations.Forget(t.Context(), "alice")
		time.Sleep(time.Nanosecond)
		h.wantUser(t, token, "alice")
		if h.total() != 2 {
			t.Errorf("%d calls, not 2", h.total())
		}
	})
}
