package authgear_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Only the first request with a token waits for the resolver, and only one of many.
func TestFirstSightWaits(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		token := h.signIn(t, "alice")
		h.hold = make(chan struct{})
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { h.wantUser(t, token, "alice") })
		}
		synctest.Wait()
		close(h.hold)
		all.Wait()
		if h.total() != 1 {
			t.Errorf("%d calls for the first sight of a token", h.total())
		}
	})
}

// In steady use the resolver is asked once in each window, and no request waits.
func TestOneCallForEachWindow(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		token := h.signIn(t, "alice")
		h.wantUser(t, token, "alice")
		slow := make(chan struct{})
		h.change(func() { h.hold = slow })
		stop := make(chan struct{})
		go func() { // a resolver that takes half a second
			for {
				select {
				case slow <- struct{}{}:
				case <-stop:
					return
				}
				time.Sleep(500 * time.Millisecond)
			}
		}()
		start := time.Now()
		for time.Since(start) < time.Minute {
			asked := time.Now()
			h.wantUser(t, token, "alice")
			if waited := time.Since(asked); waited > 0 {
				t.Fatalf("a request waited for %v", waited)
			}
			time.Sleep(100 * time.Millisecond)
		}
		close(stop)
		if n := h.total(); n < 6 || n > 7 {
			t.Errorf("%d calls in a minute and one for the first sight", n)
		}
	})
}

// A user who sends no requests causes no calls.
func TestUnusedTokensAreNotAskedAbout(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		h.wantUser(t, h.signIn(t, "alice"), "alice")
		time.Sleep(time.Hour)
		if h.total() != 1 {
			t.Errorf("%d calls", h.total())
		}
	})
}

// A session that was ended is refused within Freshness in steady use, and
// within MaxStale in any case.
func TestEndedSession(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{time.Millisecond, time.Second, 9 * time.Second, 11 * time.Second, 31 * time.Second} {
		for _, kind := range []string{"jwt", "opaque", "cookie"} {
			t.Run(fmt.Sprint(kind, " ", every), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T) {
					h := newHybrid(t, authgear.HybridConfig{})
					token := h.signIn(t, "alice")
					h.users["Bearer opaque"], h.users["session=a"] = "alice", "alice"
					c := map[string]struct {
						request    authgear.Request
						credential string
					}{"jwt": {bearer(token), "Bearer " + token}, "opaque": {bearer("opaque"), "Bearer opaque"}, "cookie": {browser("session=a"), "session=a"}}[kind]
					identity, err := h.ask(t, c.request)
					wantUser(t, identity, err, "alice")
					time.Sleep(every)
					h.signOut(c.credential)
					ended := time.Now()
					for {
						if _, err = h.ask(t, c.request); err != nil {
							break
						}
						synctest.Wait()
						time.Sleep(every)
					}
					took, bound := time.Since(ended), 10*time.Second+every
					if every > 30*time.Second {
						bound = 0
					}
					if took > bound {
						t.Errorf("still good %v after its end, with a request each %v", took, every)
					}
					for range 100 { // and it stays refused
						time.Sleep(time.Second)
						if _, err = h.ask(t, c.request); err == nil {
							t.Fatal("a refused session is good again")
						}
					}
				})
			})
		}
	}
}

// A thousand tokens that were first seen in one second are asked about at
// different times later.
func TestRenewalsAreSpread(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		tokens := make([]string, 1000)
		for i := range tokens {
			tokens[i] = fmt.Sprint("opaque", i)
			h.users["Bearer "+tokens[i]] = fmt.Sprint("user", i)
		}
		most, before := 0, 0
		for second := range 21 {
			for i, token := range tokens {
				h.wantUser(t, token, fmt.Sprint("user", i))
			}
			synctest.Wait()
			if second == 0 {
				before = h.total()
			}
			most, before = max(most, h.total()-before), h.total()
			time.Sleep(time.Second)
		}
		if most > 300 || before < 2500 || before > 3000 {
			t.Errorf("%d calls in one second, %d in all", most, before)
		}
	})
}

// What runs in the background is bounded, whatever the resolver does.
func TestRenewalsAreBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{Freshness: time.Second})
		for i := range 1000 {
			h.users["Bearer "+fmt.Sprint("opaque", i)] = fmt.Sprint("user", i)
			h.wantUser(t, fmt.Sprint("opaque", i), fmt.Sprint("user", i))
		}
		h.change(func() { h.hold = make(chan struct{}) })
		before := h.total()
		for range 2 {
			for i := range 1000 {
				h.wantUser(t, fmt.Sprint("opaque", i), fmt.Sprint("user", i))
			}
			time.Sleep(time.Second)
		}
		if n := authgear.Renewals(h.Hybrid); n > 256 {
			t.Errorf("%d checks in the background", n)
		}
		if n := h.total() - before; n > 64 {
			t.Errorf("%d calls at once", n)
		}
		h.change(func() { close(h.hold); h.hold = nil })
	})
}

// One user whose calls hang takes no place from others.
func TestRenewalsOfOneUser(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		const many = 300
		for i := range many {
			h.users["Bearer "+fmt.Sprint("opaque", i)] = "mallory"
			h.wantUser(t, fmt.Sprint("opaque", i), "mallory")
		}
		h.users["Bearer mine"] = "alice"
		h.wantUser(t, "mine", "alice")
		h.change(func() { h.hold = make(chan struct{}) })
		time.Sleep(11 * time.Second)
		for i := range many {
			h.wantUser(t, fmt.Sprint("opaque", i), "mallory")
		}
		synctest.Wait()
		h.wantUser(t, "mine", "alice")
		synctest.Wait()
		h.change(func() {
			if h.calls["Bearer mine"] != 2 {
				t.Errorf("%d calls about alice's token, not 2", h.calls["Bearer mine"])
			}
			close(h.hold)
			h.hold = nil
		})
	})
}
