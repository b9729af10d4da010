package authgear

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age/agetest"
)

func keyOf(n int) credentialKeys { return credentials{token: fmt.Sprint(n)}.keys() }

// put is a call that has this answer.
func put(a *answers, keys credentialKeys, answer answer, expires time.Time, cacheable bool) {
	a.begin(keys)
	defer a.end(keys)
	a.store(keys, answer, expires, cacheable)
}

func goodAnswer(at time.Time) answer { return answer{identity: &Identity{ID: "alice"}, at: at} }
func badAnswer(at time.Time) answer {
	return answer{err: &Error{Reason: ReasonTokenRejected}, at: at}
}

// The tables are bounded, and a flood of refusals evicts no good answer.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	a := newAnswers(time.Hour, time.Hour)
	now := time.Now()
	for n := range maxGood {
		put(a, keyOf(n), goodAnswer(now), time.Time{}, true)
	}
	for n := range 5 * maxBad {
		put(a, keyOf(maxGood+n), badAnswer(now), time.Time{}, true)
	}
	a.good.CleanUp()
	a.bad.CleanUp()
	if good, bad := a.good.EstimatedSize(), a.bad.EstimatedSize(); good != maxGood || bad > maxBad {
		t.Errorf("%d good answers, %d refusals", good, bad)
	}
	for n := range maxGood {
		if _, ok := a.fresh(keyOf(n)); !ok {
			t.Fatalf("good answer %d was evicted", n)
		}
	}
	for n := range maxGood + maxBad { // those that are refused now, too
		put(a, keyOf(n), goodAnswer(now), time.Time{}, true)
	}
	a.good.CleanUp()
	if good := a.good.EstimatedSize(); good > maxGood {
		t.Errorf("%d good answers", good)
	}
}

// What the last answer said is known, and nothing else.
func TestAnswersReplace(t *testing.T) {
	t.Parallel()
	for _, times := range []struct{ ttl, stale time.Duration }{{0, 0}, {time.Hour, 0}, {0, time.Hour}, {time.Hour, time.Hour}} {
		a := newAnswers(times.ttl, times.stale)
		now, key := time.Now(), keyOf(1)
		know := func(what string, good, stale, bad bool) {
			t.Helper()
			k, known := a.fresh(key)
			_, last := a.lastGood(key)
			if known && k.identity != nil != good || known && k.err != nil != bad || known != (times.ttl > 0 && (good || bad)) || last != (times.stale > 0 && stale) {
				t.Errorf("%s (%+v): known %t, last good %t", what, times, known, last)
			}
		}
		know("nothing", false, false, false)
		put(a, key, goodAnswer(now), time.Time{}, true)
		know("good", true, true, false)
		put(a, key, badAnswer(now), time.Time{}, true)
		know("refused", false, false, true)
		put(a, key, goodAnswer(now), time.Time{}, true)
		know("good again", true, true, false)
		put(a, key, goodAnswer(now), time.Time{}, false)
		know("not to be kept", false, false, false)
		put(a, key, badAnswer(now), time.Time{}, true)
		put(a, key, goodAnswer(now), time.Time{}, false)
		know("refused, then not to be kept", false, false, false)
		if _, ok := a.fresh(keyOf(2)); ok {
			t.Error("another key is known")
		}
	}
}

// Both clocks count, and a token's end is of the wall clock. On the real clock,
// since that of synctest has no monotonic reading.
func TestAnswersAge(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		name           string
		at, expires    time.Time
		fresh, last    bool
		refusedIsKnown bool
	}{
		{"just now", now, time.Time{}, true, true, true},
		{"two seconds", now.Add(-2 * time.Second), time.Time{}, true, true, false},
		{"as old as CacheTTL", now.Add(-time.Minute), time.Time{}, false, true, false},
		{"as old as StaleIfError", now.Add(-time.Hour), time.Time{}, false, false, false},
		{"slept ten minutes", agetest.ShiftWall(t, now, -10*time.Minute), time.Time{}, false, true, false},
		{"slept two hours", agetest.ShiftWall(t, now, -2*time.Hour), time.Time{}, false, false, false},
		{"clock set back, just now", agetest.ShiftWall(t, now, 24*time.Hour), time.Time{}, true, true, true},
		{"clock set back, ten minutes", agetest.ShiftWall(t, now.Add(-10*time.Minute), 24*time.Hour), time.Time{}, false, true, false},
		{"clock set back, two hours", agetest.ShiftWall(t, now.Add(-2*time.Hour), 24*time.Hour), time.Time{}, false, false, false},
		{"token not expired", now, now.Add(time.Minute), true, true, true},
		{"token expired", now, now, false, false, true},
		{"token expired before", now, now.Add(-time.Hour), false, false, true},
	} {
		a := newAnswers(time.Minute, time.Hour)
		put(a, keyOf(1), goodAnswer(c.at), c.expires, true)
		put(a, keyOf(2), badAnswer(c.at), c.expires, true)
		_, fresh := a.fresh(keyOf(1))
		_, last := a.lastGood(keyOf(1))
		_, refused := a.fresh(keyOf(2))
		if fresh != c.fresh || last != c.last || refused != c.refusedIsKnown {
			t.Errorf("%s: fresh %t, last good %t, refusal known %t", c.name, fresh, last, refused)
		}
	}
}

// received is a request with these fields.
type received map[string][]string

func (received) Method() string                { return http.MethodGet }
func (received) Host() string                  { return "app.example.com" }
func (received) RemoteAddr() string            { return "192.0.2.1:1234" }
func (r received) Values(name string) []string { return r[name] }
func (r received) Names() iter.Seq[string]     { return maps.Keys(r) }

type memory func(*http.Request) (*http.Response, error)

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) { return m(r) }

// asks returns a Resolver for which every session is alice's, and the number of
// its calls.
func asks(t *testing.T, config ResolverConfig) (*Resolver, *int) {
	t.Helper()
	calls := 0
	config.Endpoint, config.Observer = "https://auth.example.com", &Observer{}
	config.HTTPClient = &http.Client{Transport: memory(func(r *http.Request) (*http.Response, error) {
		calls++
		if calls > 1 && config.StaleIfError > 0 {
			return nil, errors.New("connection refused")
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r, Header: http.Header{
			"X-Authgear-Session-Valid": {"true"}, "X-Authgear-User-Id": {"alice"}, "X-Authgear-User-Anonymous": {"false"},
			"X-Authgear-User-Verified": {"true"}, "X-Authgear-User-Can-Reauthenticate": {"false"},
		}}, nil
	})}
	r, err := NewResolver(config)
	if err != nil {
		t.Fatal(err)
	}
	return r, &calls
}

// A request that found nothing in the cache, and comes to the call when an
// earlier one has just ended, does not ask again; a live one does.
func TestCallLooksAgain(t *testing.T) {
	t.Parallel()
	r, calls := asks(t, ResolverConfig{CacheTTL: time.Minute})
	c := credentials{token: "opaque"}
	for range 3 {
		if a := r.call(t.Context(), c, c.keys(), false); a.err != nil || *calls != 1 {
			t.Fatalf("%v after %d calls", a.err, *calls)
		}
	}
	if a := r.call(t.Context(), c, c.keys(), true); a.err != nil || *calls != 2 {
		t.Errorf("%v after %d calls", a.err, *calls)
	}
}

// jwtOf is a token that says when it ends; the resolver judges the rest.
func jwtOf(t *testing.T, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(encoded)
	}
	return part(map[string]any{"alg": "RS256", "kid": "k", "typ": "at+jwt"}) + "." + part(claims) + ".c2ln"
}

// No answer outlives the token; one whose end cannot be read is not kept.
func TestAnswersEndWithTheToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		token func(*testing.T) string
		kept  time.Duration
	}{
		{"an opaque token", func(*testing.T) string { return "AFb5i1MATYVeKOJg5EybeFqhuRBiBH7C" }, time.Hour},
		{"a JWT", func(t *testing.T) string {
			return jwtOf(t, map[string]any{"iss": "i", "sub": "s", "aud": "a", "exp": time.Now().Add(10 * time.Minute).Unix()})
		}, 10 * time.Minute},
		{"a longer JWT", func(t *testing.T) string {
			return jwtOf(t, map[string]any{"iss": "i", "sub": "s", "aud": "a", "exp": time.Now().Add(2 * time.Hour).Unix()})
		}, time.Hour},
		{"an expired JWT", func(t *testing.T) string {
			return jwtOf(t, map[string]any{"iss": "i", "sub": "s", "aud": "a", "exp": time.Now().Add(-time.Second).Unix()})
		}, 0},
		{"a JWT without exp", func(t *testing.T) string { return jwtOf(t, map[string]any{"iss": "i", "sub": "s", "aud": "a"}) }, 0},
		{"no JWT", func(*testing.T) string { return "a.b.c" }, 0},
		{"other text", func(*testing.T) string { return "a~b.c" }, 0},
	} {
		for _, config := range []ResolverConfig{{CacheTTL: time.Hour}, {StaleIfError: time.Hour}} {
			synctest.Test(t, func(t *testing.T) {
				r, calls := asks(t, config)
				request := received{"Authorization": {"Bearer " + c.token(t)}}
				check := func(known bool) {
					t.Helper()
					*calls = 1
					_, err := r.Authenticate(t.Context(), request)
					switch {
					case config.CacheTTL > 0 && known != (*calls == 1):
						t.Errorf("%s, cache: known %t, %d calls", c.name, known, *calls-1)
					case config.StaleIfError > 0 && known != (err == nil):
						t.Errorf("%s, outage: known %t, %v", c.name, known, err)
					}
				}
				if _, err := r.Authenticate(t.Context(), request); err != nil {
					t.Fatal(err, errors.Unwrap(err))
				}
				if c.kept == 0 {
					check(false)
					return
				}
				time.Sleep(c.kept - time.Nanosecond)
				check(true)
				time.Sleep(time.Nanosecond)
				check(false)
			})
		}
	}
}

// Nothing that was sent is found in what is kept.
func TestNoCredentialIsKept(t *testing.T) {
	t.Parallel()
	r, _ := asks(t, ResolverConfig{CacheTTL: time.Hour})
	if _, err := r.Authenticate(context.Background(), received{"Cookie": {"session=secret"}}); err != nil {
		t.Fatal(err)
	}
	for key, k := range r.answers.good.All() {
		if text := fmt.Sprintf("%s %+v %+v", key, k, *k.identity); len(text) == 0 || strings.Contains(text, "secret") {
			t.Error(text)
		}
	}
}
