package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// wantRetryAfter checks the time that a refusal names.
func wantRetryAfter(t *testing.T, err error, want time.Duration) {
	t.Helper()
	wantUnavailable(t, nil, err, authgear.ReasonResolverUnavailable)
	if e, ok := errors.AsType[*authgear.Error](err); ok && e.RetryAfter != want {
		t.Errorf("RetryAfter = %v, want %v", e.RetryAfter, want)
	}
}

// timedOut is what a dial or a TLS handshake says that takes too long.
type timedOut struct{}

func (timedOut) Error() string   { return "it took too long" }
func (timedOut) Timeout() bool   { return true }
func (timedOut) Temporary() bool { return true }

// One more attempt after a failure, none after a time-out or an answer. Each is
// reported.
func TestRetry(t *testing.T) {
	t.Parallel()
	failed := errors.New("connection reset")
	for _, c := range []struct {
		name    string
		answers []any // an error, or a status; the last one again and again
		asked   int
		status  []int
		want    authgear.Reason
	}{
		{"a good answer", []any{200}, 1, []int{200}, ""},
		{"a transport error", []any{failed, 200}, 2, []int{0, 200}, ""},
		{"two transport errors", []any{failed, failed, 200}, 2, []int{0, 0}, authgear.ReasonResolverUnavailable},
		{"500", []any{500, 200}, 2, []int{500, 200}, ""},
		{"500 and 502", []any{500, 502, 200}, 2, []int{500, 502}, authgear.ReasonResolverUnavailable},
		{"503 and an error", []any{503, failed, 200}, 2, []int{503, 0}, authgear.ReasonResolverUnavailable},
		{"500 and a time-out", []any{500, timedOut{}, 200}, 2, []int{500, 0}, authgear.ReasonResolverUnavailable},
		{"a time-out", []any{timedOut{}, 200}, 1, []int{0}, authgear.ReasonResolverUnavailable},
		{"a deadline", []any{context.DeadlineExceeded, 200}, 1, []int{0}, authgear.ReasonResolverUnavailable},
		{"404", []any{404, 200}, 1, []int{404}, authgear.ReasonResolverUnavailable},
		{"429", []any{429, 200}, 1, []int{429}, authgear.ReasonResolverUnavailable},
		{"302", []any{302, 200}, 1, []int{302}, authgear.ReasonResolverUnavailable},
	} {
		asked := 0
		var fetches []authgear.Fetch
		auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
			answer := c.answers[min(asked, len(c.answers)-1)]
			asked++
			if err, ok := answer.(error); ok {
				return nil, err
			}
			return answered(r, answer.(int), sessionOf("alice"), ""), nil
		}), authgear.ResolverConfig{Observer: &authgear.Observer{Fetch: func(_ context.Context, f authgear.Fetch) { fetches = append(fetches, f) }}})
		identity, err := auth.Authenticate(t.Context(), bearer("a"))
		if c.want == "" {
			wantUser(t, identity, err, "alice")
		} else {
			wantUnavailable(t, identity, err, c.want)
		}
		if asked != c.asked || len(fetches) != c.asked {
			t.Errorf("%s: asked %d times, %d reported, want %d", c.name, asked, len(fetches), c.asked)
			continue
		}
		for i, f := range fetches {
			if f.Kind != authgear.FetchResolver || f.URL != resolverEndpoint+"/_resolver/resolve" || f.Status != c.status[i] || (f.Err == nil) != (f.Status == 200) {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
	}
}

// Five seconds in all, or Timeout, the second attempt included.
func TestResolverTimeout(t *testing.T) {
	t.Parallel()
	for config, want := range map[time.Duration]time.Duration{0: 5 * time.Second, 2 * time.Second: 2 * time.Second} {
		for first := range 2 { // the attempt that hangs
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
					asked++
					if asked > first {
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					time.Sleep(time.Second)
					return nil, errors.New("connection reset")
				}), authgear.ResolverConfig{Timeout: config})
				start := time.Now()
				identity, err := auth.Authenticate(t.Context(), bearer("a"))
				wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
				took := time.Since(start)
				synctest.Wait() // the call itself has ended
				if took != want || asked != first+1 {
					t.Errorf("%v after %d attempts, want %v", took, asked, want)
				}
			})
		}
	}
}

// A server that is down is asked rarely, tells when to come again, and counts as
// up by its first answer.
func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		p.status = 500
		auth := newResolver(t, p, authgear.ResolverConfig{})
		fail := func(token string, asked int, retryAfter time.Duration) {
			t.Helper()
			before := p.total()
			_, err := auth.Authenticate(t.Context(), bearer(token))
			wantRetryAfter(t, err, retryAfter)
			if n := p.total() - before; n != asked {
				t.Errorf("asked %d times, want %d", n, asked)
			}
		}
		for range 20 {
			fail("a", 2, time.Second) // one credential only
			fail("b", 2, time.Second)
		}
		fail("c", 2, time.Second)
		for _, pause := range []time.Duration{1, 2, 4, 8, 10, 10} {
			pause *= time.Second
			fail("a", 0, pause)
			_, err := auth.AuthenticateFresh(t.Context(), bearer("a"))
			wantRetryAfter(t, err, pause)
			wantRetryAfter(t, auth.Ready(t.Context()), pause)
			time.Sleep(pause / 2)
			fail("a", 0, pause/2)
			time.Sleep(pause / 2)
			fail("a", 2, time.Second) // the probe
		}
		p.change(func() { p.status = 0 })
		fail("a", 0, 10*time.Second)
		time.Sleep(10 * time.Second)
		identity, err := auth.Authenticate(t.Context(), bearer("a"))
		wantUser(t, identity, err, "alice")
		for n := range 10 {
			_, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint(n)))
			wantReason(t, err, authgear.ReasonTokenRejected)
		}
	})
}

// Any answer below 500 says that the server is up, even one that is of no use.
func TestBreakerClosesOnAnyAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 302, 401, 404, 429} {
		synctest.Test(t, func(t *testing.T) {
			p := newProject(nil)
			p.err = errors.New("connection refused")
			auth := newResolver(t, p, authgear.ResolverConfig{})
			for n := range 5 {
				_, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint(n)))
				wantRetryAfter(t, err, time.Second)
			}
			p.change(func() { p.err, p.status = nil, status })
			before := p.total()
			for range 10 {
				_, err := auth.Authenticate(t.Context(), bearer("x"))
				wantRetryAfter(t, err, time.Second)
			}
			if p.total() != before {
				t.Error("asked while the breaker is open")
			}
			time.Sleep(time.Second)
			for n := range 10 {
				_, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint(n)))
				wantReason(t, err, map[bool]authgear.Reason{true: authgear.ReasonAnswerMalformed, false: authgear.ReasonResolverUnavailable}[status == 200])
			}
			if n := p.total() - before; n != 10 {
				t.Errorf("%d: asked %d times for ten requests", status, n)
			}
		})
	}
}

// While the call after the pause is on its way, nobody else asks.
func TestBreakerProbesOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProject(nil)
		p.err = errors.New("connection refused")
		auth := newResolver(t, p, authgear.ResolverConfig{})
		for n := range 5 {
			_, _ = auth.Authenticate(t.Context(), bearer(fmt.Sprint(n)))
		}
		time.Sleep(time.Second)
		p.change(func() { p.hold = make(chan struct{}) })
		before := p.total()
		probe := make(chan error)
		go func() {
			_, err := auth.Authenticate(t.Context(), bearer("probe"))
			probe <- err
		}()
		synctest.Wait()
		for n := range 100 {
			_, err := auth.Authenticate(t.Context(), bearer(fmt.Sprint(n)))
			wantRetryAfter(t, err, time.Second)
		}
		if n := p.total() - before; n != 1 {
			t.Errorf("asked %d times", n)
		}
		p.change(func() { p.err = nil })
		close(p.hold)
		wantReason(t, <-probe, authgear.ReasonTokenRejected)
		_, err := auth.Authenticate(t.Context(), bearer("1"))
		wantReason(t, err, authgear.ReasonTokenRejected)
	})
}
