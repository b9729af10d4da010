package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// timedOut is what a dial or a TLS handshake says that takes too long.
type timedOut struct{}

func (timedOut) Error() string   { return "it took too long" }
func (timedOut) Timeout() bool   { return true }
func (timedOut) Temporary() bool { return true }

// One more attempt after a failure that another call may not have, none after a
// time-out or an answer; and one more when Authgear turns out to be well. Each is
// reported.
func TestRetry(t *testing.T) {
	t.Parallel()
	failed := errors.New("connection reset")
	const silent = "an empty 200"
	const unavailable = authgear.ReasonResolverUnavailable
	for _, c := range []struct {
		name    string
		answers []any // an error, or a status
		asked   int
		want    authgear.Reason
	}{
		{"a good answer", []any{200}, 1, ""},
		{"a transport error", []any{failed, 200}, 2, ""},
		{"two transport errors", []any{failed, failed, 200}, 3, ""},
		{"three transport errors", []any{failed, failed, failed, 200}, 3, unavailable},
		{"500", []any{500, 200}, 2, ""},
		{"500 and 502", []any{500, 502, 200}, 3, ""},
		{"503, an error, 500", []any{503, failed, 500, 200}, 3, unavailable},
		{"silence", []any{silent, 200}, 2, ""},
		{"more silence", []any{silent, silent, silent, 200}, 3, authgear.ReasonResolverSilent},
		{"500 and a time-out", []any{500, timedOut{}, 200}, 3, ""},
		{"a time-out", []any{timedOut{}, timedOut{}, 200}, 2, unavailable},
		{"a deadline", []any{context.DeadlineExceeded, 200}, 2, ""},
		{"404", []any{404, 404, 200}, 2, unavailable},
		{"429", []any{429, 200}, 2, ""},
		{"302", []any{302, 302, 200}, 2, unavailable},
		{"400 is about the token", []any{400, 400, 200}, 2, authgear.ReasonTokenTooLarge},
		{"413", []any{413, 200}, 1, authgear.ReasonTokenTooLarge},
		{"414", []any{414, 200}, 1, authgear.ReasonTokenTooLarge},
		{"431", []any{431, 200}, 1, authgear.ReasonTokenTooLarge},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked, checks := 0, 0
			reported := 0
			auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
				if isCheck(r.Header.Get("Authorization")) {
					checks++
					return answered(r, 200, refusedSession(), ""), nil
				}
				answer := c.answers[asked]
				asked++
				switch answer := answer.(type) {
				case error:
					return nil, answer
				case int:
					return answered(r, answer, sessionOf("alice"), ""), nil
				default:
					return answered(r, 200, nil, ""), nil
				}
			}), authgear.ResolverConfig{Observer: &authgear.Observer{Fetch: func(_ context.Context, f authgear.Fetch) {
				reported++
				if f.Kind != authgear.FetchResolver || f.URL != resolverEndpoint+"/_resolver/resolve" || f.Err == nil && f.Status != 200 && f.Status < 400 {
					t.Errorf("%s: %+v", c.name, f)
				}
			}}})
			identity, err := auth.Authenticate(t.Context(), bearer("a"))
			switch {
			case c.want == "":
				wantUser(t, identity, err, "alice")
			case c.want == authgear.ReasonTokenTooLarge:
				wantRefusal(t, identity, err, c.want, false)
			default:
				wantUnavailable(t, identity, err, c.want)
			}
			if asked != c.asked || reported != asked+checks {
				t.Errorf("%s: asked %d times, want %d; %d calls reported", c.name, asked, c.asked, reported)
			}
		})
	}
}

// Five seconds in all, or Timeout; with a server that hangs for all, two fifths
// of it for the call and two fifths for the check beside it.
func TestResolverTimeout(t *testing.T) {
	t.Parallel()
	for config, timeout := range map[time.Duration]time.Duration{0: 5 * time.Second, 2 * time.Second: 2 * time.Second} {
		for name, c := range map[string]struct {
			hangs  func(credential string) bool
			took   time.Duration
			checks int32
		}{
			"for all":    {func(string) bool { return true }, timeout * 4 / 5, 1},
			"for checks": {isCheck, timeout / 5, 0}, // nobody asks for one
			"for it":     {func(credential string) bool { return !isCheck(credential) }, timeout, 1},
		} {
			inBubble(t, func(t *testing.T) {
				var checks atomic.Int32
				auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
					credential := r.Header.Get("Authorization")
					if isCheck(credential) {
						checks.Add(1)
					}
					if c.hangs(credential) {
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					time.Sleep(timeout / 5)
					return answered(r, 200, refusedSession(), ""), nil
				}), authgear.ResolverConfig{Timeout: config})
				start := time.Now()
				identity, err := auth.Authenticate(t.Context(), bearer("a"))
				if name == "for checks" {
					wantRefusal(t, identity, err, authgear.ReasonTokenRejected, false)
				} else {
					wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
					if cause := errors.Unwrap(err).Error(); !strings.Contains(cause, "no answer in time") {
						t.Errorf("hangs %s: %s", name, cause)
					}
				}
				if took, n := time.Since(start), checks.Load(); took != c.took || n < c.checks || n > 2 {
					t.Errorf("hangs %s: %v after %d checks, want %v", name, took, n, c.took)
				}
			})
		}
	}
}

// A late answer is one: of the time when it was asked for, and although no time is
// left for a check. A probe has no more time than a request.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
			switch r.Header.Get("Authorization") {
			case "Bearer good":
				time.Sleep(time.Second)
				return answered(r, 200, sessionOf("alice"), ""), nil
			case "Bearer lost":
				time.Sleep(4900 * time.Millisecond)
				return answered(r, 404, nil, ""), nil
			}
			time.Sleep(1900 * time.Millisecond)
			return answered(r, 200, refusedSession(), ""), nil
		}), authgear.ResolverConfig{})
		start := time.Now()
		identity, err := auth.Authenticate(t.Context(), bearer("good"))
		wantUser(t, identity, err, "alice")
		if identity != nil && !identity.Evidence.CheckedAt.Equal(start) {
			t.Errorf("checked at %v, asked at %v", identity.Evidence.CheckedAt, start)
		}
		_, err = auth.Authenticate(t.Context(), bearer("lost"))
		if cause := errors.Unwrap(err); cause == nil || !strings.Contains(cause.Error(), "404") {
			t.Errorf("cause: %v", cause)
		}
	})
	inBubble(t, func(t *testing.T) {
		auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
			time.Sleep(1900 * time.Millisecond)
			return answered(r, 200, nil, ""), nil
		}), authgear.ResolverConfig{})
		start := time.Now()
		if err := auth.Ready(t.Context()); err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("Ready() = %v after %v", err, time.Since(start))
		}
	})
}

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

// What one client causes harms nobody else, and does not give back what was taken
// from it: a failure of any kind, and answers that never come.
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

// An outage is one, whatever a client gets that Authgear, or what is in front of
// it, can refuse without its stores.
func TestRefusalsHideNoOutage(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]func(n int) authgear.Request{
		"cookies that are none":  func(n int) authgear.Request { return browser(fmt.Sprint("session=x", n)) },
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

// A server that says to a check how long it wants to be left alone is.
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

// A Redis that is full refuses no check and fails every user: their last good
// answers count when three of them are in trouble, and nobody has to wait.
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

// Authgear behind a server with HTTP/2 whose header limit is 8 KB: what is longer
// ends the connection, with all that others ask over it.
func TestOversizeTokens(t *testing.T) {
	t.Parallel()
	type connKey struct{}
	for name, over1 := range map[string]func(http.ResponseWriter){
		"nginx says 400":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadRequest) },
		"others say 431":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge) },
		"some just close": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				credential := r.Header.Get("Authorization")
				switch {
				case len(credential) > 8<<10 && r.ProtoMajor == 2:
					_ = r.Context().Value(connKey{}).(net.Conn).Close()
				case len(credential) > 8<<10:
					over1(w)
				case strings.HasPrefix(credential, "Bearer user-"):
					for name, values := range sessionOf(strings.TrimPrefix(credential, "Bearer user-")) {
						w.Header()[name] = values
					}
				default:
					w.Header().Set("X-Authgear-Session-Valid", "false")
				}
				time.Sleep(time.Millisecond)
			}))
			front.EnableHTTP2 = true
			front.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
				return context.WithValue(ctx, connKey{}, c)
			}
			front.StartTLS()
			t.Cleanup(front.Close)
			auth := newResolver(t, nil, authgear.ResolverConfig{InternalURL: front.URL, HTTPClient: front.Client()})
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for n := range 5 {
				wg.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						token := fmt.Sprint(n, "-", i, strings.Repeat("x", 8<<10+n*1000))
						_, err := auth.Authenticate(t.Context(), bearer(token))
						e, ok := errors.AsType[*authgear.Error](err)
						if !ok || e.Reason != authgear.ReasonTokenTooLarge && (name != "some just close" || e.Reason != authgear.ReasonResolverUnavailable) {
							t.Errorf("the sender gets %v", err)
						}
					}
				})
			}
			if refused, _, p99 := crowd(t, auth, 2*time.Second); refused > 0 {
				t.Errorf("%d others are refused, p99 %v", refused, p99)
			}
			close(stop)
			wg.Wait()
		})
	}
}

// What is too large for a server in front of Authgear is the client's to mend, but
// a browser cannot mend a 400.
func TestTooLargeForTheServer(t *testing.T) {
	t.Parallel()
	p := newProject(nil)
	p.status = 431
	auth := newResolver(t, p, authgear.ResolverConfig{TokenCookie: "token", CacheTTL: time.Hour})
	for range 2 {
		for request, want := range map[authgear.Request]authgear.Reason{
			bearer("a"): authgear.ReasonTokenTooLarge, browser("token=a"): authgear.ReasonTokenMalformed, browser("session=a"): authgear.ReasonSessionInvalid,
		} {
			identity, err := auth.Authenticate(t.Context(), request)
			wantRefusal(t, identity, err, want, want != authgear.ReasonTokenTooLarge)
		}
	}
}

// A flood of bad tokens at a slow server, and somebody whom it refuses now: his
// last good answer does not count.
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
