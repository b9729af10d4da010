package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// After a restart of its database each of Authgear's pooled connections costs one
// fast 500.
func TestDeadConnections(t *testing.T) {
	t.Parallel()
	for _, dead := range []int{3, 20, 50} {
		inBubble(t, func(t *testing.T) {
			p, auth := newCrowd(t, func(p *project) http.RoundTripper { return p }, authgear.ResolverConfig{})
			p.change(func() { p.dead = dead })
			refused, last, _ := crowd(t, auth, 10*time.Second)
			if refused > 30 || last > time.Second {
				t.Errorf("%d dead connections: %d are refused, the last one after %v", dead, refused, last)
			}
		})
	}
}

// A server that is down is asked by checks alone, once in about a second; all
// are served again by the first that it answers.
func TestOutage(t *testing.T) {
	t.Parallel()
	for name, outage := range outages {
		inBubble(t, func(t *testing.T) {
			p, auth := newCrowd(t, func(p *project) http.RoundTripper { return p }, authgear.ResolverConfig{})
			p.change(func() { outage(p) })
			_, err := auth.Authenticate(t.Context(), bearer("user-0"))
			wantUnavailable(t, nil, err, authgear.ReasonResolverUnavailable)
			before, checks := p.total(), p.checked()
			_, _, p99 := crowd(t, auth, 20*time.Second)
			if n := p.total() - before; n != 0 || p99 > 250*time.Millisecond {
				t.Errorf("%s: %d calls in an outage, p99 %v", name, n, p99)
			}
			if n := p.checked() - checks; n < 5 || n > 100 { // each fails at once four times, or hangs for two seconds
				t.Errorf("%s: %d checks in 20 seconds", name, n)
			}
			p.change(func() {
				if p.hold != nil {
					close(p.hold)
				}
				p.err, p.status, p.hold = nil, 0, nil
			})
			if refused, last, _ := crowd(t, auth, 10*time.Second); last > 1500*time.Millisecond {
				t.Errorf("%s: %d are refused afterwards, the last one after %v", name, refused, last)
			}
		})
	}
}

// Calls that wait for their turn when an outage begins are not made.
func TestOutageWhileWaiting(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		p := newProject(nil)
		p.status = 500
		auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
			if !isCheck(r.Header.Get("Authorization")) {
				time.Sleep(100 * time.Millisecond)
			}
			return p.RoundTrip(r)
		}), authgear.ResolverConfig{})
		var wg sync.WaitGroup
		for n := range 500 {
			wg.Go(func() {
				identity, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint(n)))
				wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
			})
		}
		wg.Wait()
		if n := p.total(); n > 8*32 { // those that ran while 33 checks of 10 ms found it out
			t.Errorf("%d calls", n)
		}
	})
}

// A server that tells a check how long it wants to be left alone is left alone.
func TestRetryAfterOfACheck(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 503, 500} {
		for value, want := range map[string]time.Duration{"7": 7 * time.Second, "0": time.Second, "86400": 30 * time.Second, "Sat, 01 Jan 2000 00:00:07 GMT": 7 * time.Second, "soon": 0, "": 0} {
			inBubble(t, func(t *testing.T) {
				p := newProject(nil)
				p.odd = func(string) *http.Response { return answered(nil, status, http.Header{"Retry-After": {value}}, "") }
				auth := newResolver(t, p, authgear.ResolverConfig{})
				_, err := auth.Authenticate(t.Context(), bearer("a"))
				e, ok := errors.AsType[*authgear.Error](err)
				if !ok || status != 500 && want > 0 && e.RetryAfter != want || (status == 500 || want == 0) && (e.RetryAfter < 800*time.Millisecond || e.RetryAfter > 1200*time.Millisecond) {
					t.Errorf("%d, %q: %+v", status, value, e)
				}
			})
		}
	}
}

// With a full Redis every check passes and every user's call fails. The last
// good answers count when the calls of three users have failed, and nobody has
// to wait.
func TestStoresThatAreFull(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		p, auth := newCrowd(t, func(p *project) http.RoundTripper { return p }, authgear.ResolverConfig{StaleIfError: time.Minute})
		p.change(func() {
			p.odd = func(credential string) *http.Response {
				if isCheck(credential) {
					return nil
				}
				return answered(nil, 500, nil, "{}")
			}
		})
		for n, want := range []bool{false, false, true, true} {
			for range 2 {
				identity, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint("user-", n)))
				if !want {
					wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
				} else if wantUser(t, identity, err, fmt.Sprint(n)); identity != nil && !identity.Evidence.Cached {
					t.Error("an old answer is new")
				}
			}
		}
		_, err := auth.AuthenticateFresh(t.Context(), bearer("user-0"))
		wantUnavailable(t, nil, err, authgear.ReasonResolverUnavailable)
		_, err = auth.Authenticate(t.Context(), bearer("unknown"))
		wantUnavailable(t, nil, err, authgear.ReasonResolverUnavailable)
		p.change(func() { p.odd = nil }) // one is authenticated
		identity, err := auth.Authenticate(t.Context(), bearer("user-5"))
		wantUser(t, identity, err, "5")
		p.change(func() {
			p.odd = func(credential string) *http.Response {
				if credential == "Bearer user-0" {
					return answered(nil, 500, nil, "{}")
				}
				return nil
			}
		})
		_, err = auth.Authenticate(t.Context(), bearer("user-0"))
		wantUnavailable(t, nil, err, authgear.ReasonResolverUnavailable)
	})
}

// During a flood of bad tokens at a slow server, somebody is refused: the last
// good answer about that user does not count.
func TestBusyIsNoOutage(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{300 * time.Millisecond, 1900 * time.Millisecond, 3900 * time.Millisecond} {
		inBubble(t, func(t *testing.T) {
			p := newProject(map[string]string{"Bearer good": "alice", "Bearer disabled": "dave"})
			auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
				select {
				case <-time.After(takes):
					return p.RoundTrip(r)
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}), authgear.ResolverConfig{StaleIfError: time.Hour})
			identity, err := auth.Authenticate(t.Context(), bearer("disabled"))
			wantUser(t, identity, err, "dave")
			p.change(func() { delete(p.users, "Bearer disabled") })
			var wg sync.WaitGroup
			for i := range 1500 {
				wg.Go(func() {
					if _, err := auth.Authenticate(t.Context(), bearer(fmt.Sprintf("bad-%d", i))); err == nil {
						t.Error("a bad token is good")
					}
				})
			}
			for range 12 {
				time.Sleep(500 * time.Millisecond)
				if identity, err := auth.Authenticate(t.Context(), bearer("disabled")); err == nil {
					t.Errorf("%v: %s goes on", takes, identity.ID)
				}
			}
			wg.Wait()
			identity, err = auth.Authenticate(t.Context(), bearer("good"))
			wantUser(t, identity, err, "alice")
		})
	}
}

// A client that goes away before the answer does not get the last good one: its
// request could still do something.
func TestGoneIsNoOutage(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		p, auth := newCrowd(t, func(p *project) http.RoundTripper { return p }, authgear.ResolverConfig{StaleIfError: time.Hour})
		p.change(func() { p.hold = make(chan struct{}) })
		for n := range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			identity, err := auth.Authenticate(ctx, bearer(fmt.Sprint("user-", n)))
			cancel()
			wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		}
	})
}
