package authgear_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// timedOut is the error of a dial or a TLS handshake that takes too long.
type timedOut struct{}

func (timedOut) Error() string { return "it took too long" }

func (timedOut) Timeout() bool { return true }

func (timedOut) Temporary() bool { return true }

// There is one more attempt after a failure that another call may not have, and
// none after a time-out or an answer. There is one more when Authgear turns out
// to be well. Each attempt is reported.
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

// A late answer counts, from the time when it was asked for, even if no time is
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
