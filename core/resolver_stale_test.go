package authgear_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
)

// kinds of credentials, each with the request that has it and the reason for
// which it is refused when its session has ended.
var kinds = []struct {
	credential string
	request    authgear.Request
	refused    authgear.Reason
}{
	{"Bearer a", bearer("a"), authgear.ReasonTokenRejected},
	{"Bearer a", browser("token=a"), authgear.ReasonTokenRejected},
	{"session=a", browser("session=a"), authgear.ReasonSessionInvalid},
}

// outages are all the ways in which there can be no answer.
var outages = map[string]func(*project){
	"down":    func(p *project) { p.err = errors.New("connection refused") },
	"500":     func(p *project) { p.status = 500 },
	"404":     func(p *project) { p.status = 404 },
	"hanging": func(p *project) { p.hold = make(chan struct{}) },
}

// inBubble lets calls end that nobody waits for any longer.
func inBubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t)
		time.Sleep(10 * time.Second)
	})
}

// In an outage the last good answer counts for StaleIfError after it was given, with and
// without a cache, but never for a live request.
func TestStaleIfError(t *testing.T) {
	t.Parallel()
	for name, outage := range outages {
		for _, ttl := range []time.Duration{0, time.Second, time.Hour} {
			for _, kind := range kinds {
				inBubble(t, func(t *testing.T) {
					p := newProject(map[string]string{kind.credential: "alice"})
					auth := newResolver(t, p, authgear.ResolverConfig{TokenCookie: "token", CacheTTL: ttl, StaleIfError: time.Minute})
					identity, err := auth.Authenticate(t.Context(), kind.request)
					wantUser(t, identity, err, "alice")
					given := time.Now()
					time.Sleep(2 * time.Second)
					p.change(func() { outage(p) })
					for time.Since(given) < time.Minute {
						asked := time.Since(given)
						identity, err = auth.Authenticate(t.Context(), kind.request)
						if time.Since(given) < time.Minute {
							wantUser(t, identity, err, "alice")
						}
						if asked := time.Since(given) - asked; asked > 5*time.Second {
							t.Errorf("answered after %v", asked)
						}
						identity, err = auth.AuthenticateFresh(t.Context(), kind.request)
						wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
						time.Sleep(10 * time.Second)
					}
					identity, err = auth.Authenticate(t.Context(), kind.request)
					if ttl == time.Hour { // what is younger needs no outage
						wantUser(t, identity, err, "alice")
						return
					}
					wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
					if t.Failed() {
						t.Logf("%s, CacheTTL %v", name, ttl)
					}
					synctest.Wait()
				})
			}
		}
	}
}

// A refused session is not revived by an outage: whatever the cache, whoever heard of the
// refusal, and however long ago that was. Only another good answer revives it.
func TestRefusedIsNotRevived(t *testing.T) {
	t.Parallel()
	for name, outage := range outages {
		for _, ttl := range []time.Duration{0, time.Second, 5 * time.Second} {
			for _, byFresh := range []bool{false, true} {
				for _, kind := range kinds {
					inBubble(t, func(t *testing.T) {
						what := fmt.Sprintf("%s, CacheTTL %v, fresh %t, %s", name, ttl, byFresh, kind.credential)
						p := newProject(map[string]string{kind.credential: "alice"})
						auth := newResolver(t, p, authgear.ResolverConfig{TokenCookie: "token", CacheTTL: ttl, StaleIfError: time.Hour})
						good := func() {
							identity, err := auth.Authenticate(t.Context(), kind.request)
							wantUser(t, identity, err, "alice")
						}
						good()
						p.change(func() { delete(p.users, kind.credential) })
						ask := auth.AuthenticateFresh
						if !byFresh {
							ask = auth.Authenticate
							time.Sleep(ttl) // the good answer is cached until then
						}
						_, err := ask(t.Context(), kind.request)
						wantReason(t, err, kind.refused)

						p.change(func() { outage(p) })
						for range 20 {
							identity, err := auth.Authenticate(t.Context(), kind.request)
							e, _ := errors.AsType[*authgear.Error](err)
							if identity != nil || e == nil || e.Reason != kind.refused && e.Outcome() != authgear.OutcomeUnavailable {
								t.Errorf("%s: %+v, %v", what, identity, err)
							}
							time.Sleep(time.Second)
						}

						// A session of the same name that is good again, and an outage again.
						p.change(func() {
							p.err, p.status, p.hold = nil, 0, nil
							p.users[kind.credential] = "alice"
						})
						time.Sleep(10 * time.Second)
						good()
						p.change(func() { outage(p) })
						time.Sleep(ttl)
						good()
						synctest.Wait()
					})
				}
			}
		}
	}
}

// A refusal counts for a second, with its clearing cookie, and an outage in that
// second changes nothing.
func TestRefusalsAreCached(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ ttl, counts time.Duration }{
		{0, 0}, {300 * time.Millisecond, 300 * time.Millisecond}, {time.Second, time.Second}, {time.Hour, time.Second},
	} {
		inBubble(t, func(t *testing.T) {
			p := newProject(nil)
			auth := newResolver(t, p, authgear.ResolverConfig{CacheTTL: c.ttl})
			refused := func(calls int) {
				t.Helper()
				_, err := auth.Authenticate(t.Context(), browser("session=x"))
				wantReason(t, err, authgear.ReasonSessionInvalid)
				if e, ok := errors.AsType[*authgear.Error](err); ok &&
					(!e.Evidence.Ambient || len(e.Evidence.ClearCookies) != 1 || !strings.HasPrefix(e.Evidence.ClearCookies[0], "session=; Path=/; Expires=")) {
					t.Errorf("%+v", e)
				}
				if n := p.total(); n != calls {
					t.Errorf("CacheTTL %v: %d calls, want %d", c.ttl, n, calls)
				}
			}
			refused(1)
			if c.ttl == 0 {
				refused(2)
				return
			}
			time.Sleep(c.counts - time.Nanosecond)
			refused(1)
			time.Sleep(time.Nanosecond)
			refused(2)
			p.change(func() { p.users = map[string]string{"session=x": "alice"} })
			if _, err := auth.AuthenticateFresh(t.Context(), browser("session=x")); err != nil {
				t.Error(err)
			}
			identity, err := auth.Authenticate(t.Context(), browser("session=x")) // what live has heard counts
			wantUser(t, identity, err, "alice")
			if n := p.total(); n != 3 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// A refusal counts even if the client that asked has not waited for it.
func TestLateRefusalCounts(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		auth := newResolver(t, p, authgear.ResolverConfig{StaleIfError: time.Hour})
		identity, err := auth.Authenticate(t.Context(), bearer("a"))
		wantUser(t, identity, err, "alice")
		p.change(func() {
			delete(p.users, "Bearer a")
			p.hold = make(chan struct{})
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		identity, err = auth.Authenticate(ctx, bearer("a"))
		wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable) // who does not wait learns nothing
		p.hold <- struct{}{}
		synctest.Wait()
		p.change(func() { p.hold, p.err = nil, errors.New("connection refused") })
		identity, err = auth.Authenticate(t.Context(), bearer("a"))
		wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
	})
}

// jwtOf is a token that says when it ends; the resolver judges the rest.
func jwtOf(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","kid":"k","typ":"at+jwt"}`)) + "." + encode([]byte(claims)) + ".c2ln"
}

// No answer outlives the token; one whose end cannot be read does not count again.
func TestAnswersEndWithTheToken(t *testing.T) {
	t.Parallel()
	ending := func(in time.Duration) func() string {
		return func() string {
			return jwtOf(fmt.Sprintf(`{"iss":"i","sub":"s","aud":"a","exp":%d}`, time.Now().Add(in).Unix()))
		}
	}
	for name, c := range map[string]struct {
		token  func() string
		counts time.Duration
	}{
		"an opaque token":   {func() string { return "AFb5i1MATYVeKOJg5EybeFqhuRBiBH7C" }, time.Hour},
		"a JWT":             {ending(10 * time.Minute), 10 * time.Minute},
		"a longer JWT":      {ending(2 * time.Hour), time.Hour},
		"an expired JWT":    {ending(-time.Second), 0},
		"a JWT without exp": {func() string { return jwtOf(`{"iss":"i","sub":"s","aud":"a"}`) }, 0},
		"no JWT":            {func() string { return "a.b.c" }, 0},
		"other text":        {func() string { return "a~b.c" }, 0},
	} {
		for _, config := range []authgear.ResolverConfig{{CacheTTL: time.Hour}, {StaleIfError: time.Hour}} {
			inBubble(t, func(t *testing.T) {
				token := c.token()
				p := newProject(map[string]string{"Bearer " + token: "alice"})
				auth := newResolver(t, p, config)
				identity, err := auth.Authenticate(t.Context(), bearer(token))
				wantUser(t, identity, err, "alice")
				p.change(func() { p.err = errors.New("connection refused") })
				check := func(known bool) {
					t.Helper()
					if _, err := auth.Authenticate(t.Context(), bearer(token)); (err == nil) != known {
						t.Errorf("%s, %+v: known %t, %v", name, config, known, err)
					}
				}
				if c.counts > 0 {
					time.Sleep(c.counts - time.Nanosecond)
					check(true)
					time.Sleep(time.Nanosecond)
				}
				check(false)
			})
		}
	}
}

// An observer that panics harms nothing: neither the answer nor a check.
func TestPanickingObserver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		auth := newResolver(t, p, authgear.ResolverConfig{Observer: &authgear.Observer{
			Fetch:  func(context.Context, authgear.Fetch) { panic("no metrics") },
			Notice: func(context.Context, authgear.Notice) { panic("no log") },
		}})
		if err := auth.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		identity, err := auth.Authenticate(t.Context(), bearer("a"))
		wantUser(t, identity, err, "alice")
		_, err = auth.Authenticate(t.Context(), browser("session=x; session=y"))
		wantReason(t, err, authgear.ReasonSessionInvalid)
	})
}

// An identity, and an error, says whether it was found without asking.
func TestCached(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		auth := newResolver(t, p, authgear.ResolverConfig{CacheTTL: time.Minute, StaleIfError: time.Hour})
		cached := func(token string, want bool) {
			t.Helper()
			identity, err := auth.Authenticate(t.Context(), bearer(token))
			e, _ := errors.AsType[*authgear.Error](err)
			if e == nil && identity.Evidence.Cached != want || e != nil && e.Evidence.Cached != want {
				t.Errorf("%s: %+v, %+v", token, identity, e)
			}
		}
		cached("a", false)
		cached("a", true)
		cached("b", false)
		cached("b", true)
		time.Sleep(time.Minute)
		cached("a", false)
		time.Sleep(time.Minute)
		p.change(func() { p.status = 500 })
		cached("a", true) // in an outage
		cached("b", false)
	})
}

// A guard that asks once more says so by the context, which reaches a resolver through
// any wrapper. Then no kept answer counts.
func TestFreshByContext(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		auth := authgear.InOrder(newResolver(t, p, authgear.ResolverConfig{CacheTTL: time.Hour, StaleIfError: time.Hour}), apiKeys{})
		fresh := contextkey.WithFresh(t.Context())
		for i, ctx := range []context.Context{t.Context(), t.Context(), fresh, fresh, t.Context()} {
			identity, err := auth.Authenticate(ctx, bearer("a"))
			wantUser(t, identity, err, "alice")
			if asked := i == 0 || ctx == fresh; err == nil && identity.Evidence.Cached == asked {
				t.Errorf("request %d: cached = %v", i+1, identity.Evidence.Cached)
			}
		}
		p.change(func() { p.err = errors.New("connection refused") })
		identity, err := auth.Authenticate(fresh, bearer("a"))
		wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		identity, err = auth.Authenticate(t.Context(), bearer("a"))
		wantUser(t, identity, err, "alice")
	})
}
