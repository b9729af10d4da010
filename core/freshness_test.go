package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// Who is not there causes no calls.
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

// A session that was ended is refused within Freshness in steady use, and within
// MaxStale by whatever requests come.
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

// A thousand tokens that were seen in one second are asked about at different times
// later.
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

// In an outage of any kind the last answer counts until MaxStale, then the request is
// told to come back; when Authgear is back, it is asked again within about a second.
func TestHybridOutage(t *testing.T) {
	t.Parallel()
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) {
				h := newHybrid(t, authgear.HybridConfig{})
				token := h.signIn(t, "alice")
				h.wantUser(t, token, "alice")
				given := time.Now()
				h.change(func() { outage(h.project) })
				for time.Since(given) < 30*time.Second {
					h.wantUser(t, token, "alice")
					time.Sleep(500 * time.Millisecond)
				}
				for range 10 {
					identity, err := h.ask(t, bearer(token))
					wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
				}
				h.change(func() {
					if h.hold != nil {
						close(h.hold)
					}
					h.err, h.status, h.hold = nil, 0, nil
				})
				back := time.Now()
				for {
					if _, err := h.ask(t, bearer(token)); err == nil {
						break
					}
					time.Sleep(50 * time.Millisecond)
				}
				if took := time.Since(back); took > 1500*time.Millisecond {
					t.Errorf("recovered after %v", took)
				}
			})
		})
	}
}

// InsecureJWTFallback takes a JWT for good in an outage, but nothing that was refused
// here, that an event has revoked, or that is no JWT.
func TestJWTFallback(t *testing.T) {
	t.Parallel()
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) {
				h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true, MaxStale: 10 * time.Second})
				alice, bob, carol := h.signIn(t, "alice"), h.signIn(t, "bob"), h.signIn(t, "carol")
				h.users["Bearer opaque"] = "dave"
				h.wantUser(t, alice, "alice")
				h.wantUser(t, "opaque", "dave")
				h.signOut("Bearer " + bob)
				h.wantRefused(t, bob, authgear.ReasonTokenRejected)
				_ = h.revocations.Revoke(t.Context(), "carol", time.Now().Truncate(time.Second))
				for i := range 2000 { // made-up tokens, which push out no refusal of a real one
					h.wantRefused(t, fmt.Sprint("made-up", i), authgear.ReasonTokenRejected)
				}
				h.change(func() { outage(h.project) })
				time.Sleep(time.Minute)
				for range 2 {
					if identity := h.wantUser(t, alice, "alice"); identity != nil && identity.Source != authgear.SourceJWT {
						t.Errorf("source %s, but the resolver cannot be asked", identity.Source)
					}
					h.wantUser(t, h.token(t, "new", nil), "new")
					h.wantUser(t, h.token(t, "carol", nil), "carol") // signed in since
					for _, token := range []string{bob, carol, "opaque"} {
						identity, err := h.ask(t, bearer(token))
						wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
					}
				}
			})
		})
	}
}

// An event makes the next request ask, and a call that began before it count for
// nothing.
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

// failing answers 500 about one credential.
func failing(credential string) func(string) *http.Response {
	return func(sent string) *http.Response {
		if sent != credential {
			return nil
		}
		return answered(nil, 500, nil, "{}")
	}
}

// A call that fails for one client alone keeps nothing alive that was refused, and its
// own last answer until MaxStale only.
func TestOwnCallsFail(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true})
		token := h.signIn(t, "alice")
		h.wantUser(t, token, "alice")
		given := time.Now()
		h.change(func() { h.odd = failing("Bearer " + token) })
		for time.Since(given) < 30*time.Second {
			h.wantUser(t, token, "alice")
			time.Sleep(time.Second)
		}
		for range 10 {
			identity, err := h.ask(t, bearer(token))
			wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
			time.Sleep(time.Second)
		}
		h.change(func() { h.odd = nil })
		h.wantUser(t, token, "alice")
		h.signOut("Bearer " + token)
		time.Sleep(30 * time.Second)
		h.wantRefused(t, token, authgear.ReasonTokenRejected)
		h.change(func() { h.odd = failing("Bearer " + token) })
		time.Sleep(2 * time.Second)
		if _, err := h.ask(t, bearer(token)); err == nil {
			t.Error("a refused token is good again")
		}
		h.change(func() { h.odd, h.err = nil, errors.New("connection refused") })
		if _, err := h.ask(t, bearer(token)); err == nil {
			t.Error("a refused token is good again")
		}
	})
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
