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

// InsecureJWTFallback accepts a JWT in an outage, but no token that was refused here,
// that an event has revoked, or that is not a JWT.
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

// failing answers 500 about one credential.
func failing(credential string) func(string) *http.Response {
	return func(sent string) *http.Response {
		if sent != credential {
			return nil
		}
		return answered(nil, 500, nil, "{}")
	}
}

// A call that fails for one client alone lets nothing count that was refused, and the
// client's last answer only until MaxStale.
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

// When a check in the background has failed, a request asks again a second later.
func TestFailedRenewal(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		token := h.signIn(t, "alice")
		h.wantUser(t, token, "alice")
		h.change(func() { h.odd = failing("Bearer " + token) })
		time.Sleep(11 * time.Second)
		h.wantUser(t, token, "alice") // asks in the background, in vain
		time.Sleep(500 * time.Millisecond)
		failed := h.total()
		h.wantUser(t, token, "alice")
		synctest.Wait()
		if h.total() != failed {
			t.Error("it is asked again at once")
		}
		h.signOut("Bearer " + token)
		h.change(func() { h.odd = nil })
		time.Sleep(time.Second)
		h.wantUser(t, token, "alice")
		synctest.Wait()
		h.wantRefused(t, token, authgear.ReasonTokenRejected)
	})
}

// Clients cannot cause an outage, in which a JWT would count by itself: not when they
// leave, are refused, or make the call about one of them fail.
func TestNoFallbackByWhatClientsCause(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true})
		h.hold = make(chan struct{})
		for i := range 5 {
			ctx, leave := context.WithTimeout(t.Context(), time.Second)
			_, err := h.Authenticate(ctx, bearer(h.token(t, fmt.Sprint("left", i), nil)))
			wantReason(t, err, authgear.ReasonResolverUnavailable)
			leave()
		}
		h.change(func() { close(h.hold); h.hold = nil })
		for i := range 5 {
			h.wantRefused(t, h.token(t, fmt.Sprint("refused", i), nil), authgear.ReasonTokenRejected)
		}
		for range 5 {
			token := h.token(t, "mallory", m{"jti": fmt.Sprint(time.Now())})
			h.change(func() { h.odd = failing("Bearer " + token) })
			identity, err := h.ask(t, bearer(token))
			wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
			time.Sleep(time.Second)
		}
	})
}

// With a full Redis at Authgear, the health check passes and everybody's calls fail.
func TestFallbackWithFullStores(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true})
		h.change(func() {
			h.odd = func(credential string) *http.Response {
				if isCheck(credential) {
					return nil
				}
				return answered(nil, 500, nil, "{}")
			}
		})
		for _, user := range []string{"a", "b"} {
			h.wantRefused(t, h.token(t, user, nil), authgear.ReasonResolverUnavailable)
		}
		for _, user := range []string{"c", "d"} {
			h.wantUser(t, h.token(t, user, nil), user)
		}
	})
}

// Made-up credentials that hang take no place from a JWT, which nobody can make up.
func TestVerifiedTokenIsKnown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		token := h.signIn(t, "alice")
		h.hold = make(chan struct{})
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() { _, _ = h.ask(t, bearer(fmt.Sprint("made-up", i))) })
		}
		synctest.Wait()
		all.Go(func() { h.wantUser(t, token, "alice") })
		synctest.Wait()
		h.change(func() {
			if h.calls["Bearer "+token] != 1 {
				t.Error("no call about a token that is verified")
			}
			close(h.hold)
			h.hold = nil
		})
		all.Wait()
	})
}

// When a token was refused, earlier tokens of its user do not count by themselves either.
// Later ones do.
func TestFallbackAfterRefusal(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true})
		older := h.token(t, "alice", nil)
		time.Sleep(time.Second)
		refused, timeless := h.token(t, "alice", nil), h.token(t, "bob", m{"iat": nil})
		h.wantRefused(t, refused, authgear.ReasonTokenRejected)
		h.wantRefused(t, timeless, authgear.ReasonTokenRejected)
		time.Sleep(time.Second)
		h.change(func() { h.err = errors.New("connection refused") })
		for _, token := range []string{older, refused, timeless, h.token(t, "bob", m{"iat": nil, "jti": "2"})} {
			identity, err := h.ask(t, bearer(token))
			wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		}
		for _, user := range []string{"alice", "bob", "carol"} {
			h.wantUser(t, h.token(t, user, nil), user)
		}
	})
}

// A refusal that came in the background, and that no request was told of, counts too.
func TestFallbackAfterRefusalInBackground(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true})
		token := h.signIn(t, "alice")
		h.wantUser(t, token, "alice")
		h.signOut("Bearer " + token)
		time.Sleep(11 * time.Second)
		h.wantUser(t, token, "alice") // asks in the background
		time.Sleep(5 * time.Second)
		h.change(func() { h.err = errors.New("connection refused") })
		identity, err := h.ask(t, bearer(token))
		wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
	})
}

// No request waits for an answer that would be older than MaxStale.
func TestTimeoutWithinMaxStale(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{Freshness: time.Second, MaxStale: 2 * time.Second})
		token := h.signIn(t, "alice")
		h.hold = make(chan struct{})
		start := time.Now()
		identity, err := h.ask(t, bearer(token))
		wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("answered after %v", took)
		}
		h.change(func() { close(h.hold); h.hold = nil })
	})
}
