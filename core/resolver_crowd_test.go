package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// crowd is 20 users who send ten requests a second each for some time, whatever
// happens. It returns how many were refused, when the last of these was, and how
// long 99 of 100 requests took at most.
func crowd(t *testing.T, auth *authgear.Resolver, lasts time.Duration) (refused int, last, p99 time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var all []time.Duration
	start := time.Now()
	for user := range 20 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(user), 1)) //nolint:gosec // repeatable
			for time.Since(start) < lasts {
				time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
				began := time.Now()
				identity, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint("user-", user)))
				mu.Lock()
				all = append(all, time.Since(began))
				if err != nil {
					wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
					refused, last = refused+1, time.Since(start)
				} else {
					wantUser(t, identity, err, fmt.Sprint(user))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(all)
	return refused, last, all[len(all)*99/100]
}

// newCrowd is a project that knows the crowd, and an authenticator that has seen
// them.
func newCrowd(t *testing.T, network func(*project) http.RoundTripper, config authgear.ResolverConfig) (*project, *authgear.Resolver) {
	t.Helper()
	users := map[string]string{}
	for user := range 20 {
		users[fmt.Sprint("Bearer user-", user)] = fmt.Sprint(user)
	}
	p := newProject(users)
	auth := newResolver(t, network(p), config)
	if refused, _, _ := crowd(t, auth, time.Second); refused != 0 {
		t.Fatalf("%d are refused at first", refused)
	}
	return p, auth
}

// One client's failures of any kind, and its answers that never come, harm nobody
// else. Nor do they give the client back what was taken from it.
func TestOneClientIsNoOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		odd        func() *http.Response // nil: no answer in time
		err        error
		retryAfter time.Duration
	}{
		"500":     {odd: func() *http.Response { return answered(nil, 500, nil, "{}") }, retryAfter: time.Second},
		"502":     {odd: func() *http.Response { return answered(nil, 502, nil, "") }, retryAfter: time.Second},
		"429":     {odd: func() *http.Response { return answered(nil, 429, http.Header{"Retry-After": {"7"}}, "") }, retryAfter: 7 * time.Second},
		"503":     {odd: func() *http.Response { return answered(nil, 503, http.Header{"Retry-After": {"3600"}}, "") }, retryAfter: 30 * time.Second},
		"silence": {odd: func() *http.Response { return answered(nil, 200, nil, "") }, retryAfter: time.Second},
		"a page":  {odd: func() *http.Response { return answered(nil, 200, nil, "<html>") }, retryAfter: time.Second},
		"reset":   {err: errors.New("connection reset"), retryAfter: time.Second},
		"hang":    {retryAfter: time.Second},
	} {
		inBubble(t, func(t *testing.T) {
			p, auth := newCrowd(t, func(p *project) http.RoundTripper {
				return transport(func(r *http.Request) (*http.Response, error) {
					switch credential := r.Header.Get("Authorization"); {
					case !strings.HasPrefix(credential, "Bearer mallory") || p.known(credential):
						return p.RoundTrip(r)
					case c.err != nil:
						return nil, c.err
					case c.odd != nil:
						return c.odd(), nil
					}
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
			}, authgear.ResolverConfig{StaleIfError: time.Hour})
			p.change(func() { p.users["Bearer mallory-0"], p.users["Bearer mallory-1"] = "m", "m" })
			for n := range 2 { // two known credentials of one account
				identity, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint("mallory-", n)))
				wantUser(t, identity, err, "m")
			}
			p.change(func() { delete(p.users, "Bearer mallory-0"); delete(p.users, "Bearer mallory-1") })
			var wg sync.WaitGroup
			for n := range 10 {
				wg.Go(func() {
					for start := time.Now(); time.Since(start) < 5*time.Second; {
						_, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint("mallory-", n)))
						if e, ok := errors.AsType[*authgear.Error](err); !ok || e.Outcome() != authgear.OutcomeUnavailable || e.RetryAfter != c.retryAfter {
							t.Errorf("%s: the sender gets %v, %v", name, err, errors.Unwrap(err))
						}
					}
				})
			}
			if refused, _, p99 := crowd(t, auth, 5*time.Second); refused != 0 || p99 > time.Second {
				t.Errorf("%s: %d others are refused, p99 %v", name, refused, p99)
			}
			wg.Wait()
		})
	}
}

// known reports whether it has a session.
func (p *project) known(credential string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.users[credential] != ""
}

// A server of 250 calls a second, and 2,500 connections with made-up tokens.
func TestFloodOfMadeUpCredentials(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		turn := make(chan struct{}, 1)
		p, auth := newCrowd(t, func(p *project) http.RoundTripper {
			return transport(func(r *http.Request) (*http.Response, error) {
				turn <- struct{}{}
				time.Sleep(4 * time.Millisecond)
				<-turn
				return p.RoundTrip(r)
			})
		}, authgear.ResolverConfig{})
		var wg sync.WaitGroup
		var served atomic.Int32
		for n := range 2500 {
			wg.Go(func() {
				for start, i := time.Now(), 0; time.Since(start) < 10*time.Second; i++ {
					if _, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint("made-up-", n, "-", i))); err == nil {
						t.Error("a made-up token is good")
					}
					served.Add(1)
				}
			})
		}
		if refused, _, p99 := crowd(t, auth, 10*time.Second); refused != 0 || p99 > time.Second {
			t.Errorf("%d are refused, p99 %v (%d calls)", refused, p99, p.total())
		}
		wg.Wait()
	})
}

// One user's many tokens wait for each other, as the lock of their session makes
// them, and for nobody else.
func TestOneUserOfManyTokens(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		lock := make(chan struct{}, 1)
		mine := func(n int) string { return fmt.Sprint("mallory-", n) }
		p, auth := newCrowd(t, func(p *project) http.RoundTripper {
			return transport(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer mallory") {
					lock <- struct{}{}
					time.Sleep(20 * time.Millisecond)
					<-lock
				}
				return p.RoundTrip(r)
			})
		}, authgear.ResolverConfig{})
		p.change(func() {
			for n := range 400 {
				p.users["Bearer "+mine(n)] = "m"
			}
		})
		for n := range 400 {
			identity, err := auth.Authenticate(t.Context(), bearer(mine(n)))
			wantUser(t, identity, err, "m")
		}
		var wg sync.WaitGroup
		for n := range 400 {
			wg.Go(func() {
				for start := time.Now(); time.Since(start) < 5*time.Second; {
					_, _ = auth.Authenticate(t.Context(), bearer(mine(n)))
				}
			})
		}
		if refused, _, p99 := crowd(t, auth, 5*time.Second); refused != 0 || p99 > time.Second {
			t.Errorf("%d others are refused, p99 %v", refused, p99)
		}
		wg.Wait()
	})
}

// An outage stays an outage even if a client sends credentials that Authgear,
// or a server in front of it, refuses without its stores.
func TestRefusalsHideNoOutage(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]func(n int) authgear.Request{
		"malformed cookies":      func(n int) authgear.Request { return browser(fmt.Sprint("session=x", n)) },
		"tokens too large":       func(n int) authgear.Request { return bearer(fmt.Sprint(strings.Repeat("a", 9<<10), n)) },
		"tokens of nobody":       func(n int) authgear.Request { return bearer(fmt.Sprint("nobody", n)) }, // where no canary has the project's name
		"JWTs that are tampered": func(n int) authgear.Request { return bearer(fmt.Sprint("eyJhbGciOiJSUzI1NiJ9.e30.", n)) },
	} {
		inBubble(t, func(t *testing.T) {
			var hangs atomic.Bool
			_, auth := newCrowd(t, func(p *project) http.RoundTripper {
				return transport(func(r *http.Request) (*http.Response, error) {
					token, cookie := r.Header.Get("Authorization"), r.Header.Get("Cookie")
					switch {
					case len(token) > 8<<10:
						return answered(nil, 431, nil, ""), nil
					case strings.HasPrefix(token, "Bearer nobody"), name == "tokens of nobody" && isCheck(token) && !hangs.Load():
						return answered(nil, 200, nil, ""), nil
					case strings.HasPrefix(cookie, "session=x"), strings.HasPrefix(token, "Bearer eyJ"):
						return answered(nil, 200, http.Header{"X-Authgear-Session-Valid": {"false"}}, ""), nil
					case hangs.Load():
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					return p.RoundTrip(r)
				})
			}, authgear.ResolverConfig{StaleIfError: time.Hour})
			_, _ = auth.Authenticate(t.Context(), request(0)) // what silence means is learned when all is well
			hangs.Store(true)
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					_, _ = auth.Authenticate(ctx, request(n))
					time.Sleep(200 * time.Millisecond)
				}
			})
			if refused, _, _ := crowd(t, auth, 10*time.Second); refused != 0 {
				t.Errorf("%s: %d known users are refused in the outage", name, refused)
			}
			stop()
			wg.Wait()
		})
	}
}

// 3,000 new sessions at once are served by a resolver that takes 5 ms.
func TestManyNewSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		users := map[string]string{}
		for n := range 3000 {
			users[fmt.Sprint("Bearer ", n)] = fmt.Sprint(n)
		}
		p := newProject(users)
		auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
			time.Sleep(5 * time.Millisecond)
			return p.RoundTrip(r)
		}), authgear.ResolverConfig{})
		var wg sync.WaitGroup
		for n := range 3000 {
			wg.Go(func() {
				identity, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint(n)))
				wantUser(t, identity, err, fmt.Sprint(n))
			})
		}
		wg.Wait()
	})
}
