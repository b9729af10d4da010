package authgear_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// With the cache it is one call for each CacheTTL.
func TestOneCallForEachTTL(t *testing.T) {
	t.Parallel()
	for token, every := range map[string]time.Duration{"good": 10 * time.Second, "bad": time.Second} {
		synctest.Test(t, func(t *testing.T) {
			p := newProject(map[string]string{"Bearer good": "alice"})
			auth := newResolver(t, p, authgear.ResolverConfig{CacheTTL: 10 * time.Second})
			start := time.Now()
			for time.Since(start) < 25*time.Second {
				var wg sync.WaitGroup
				for range 40 {
					wg.Go(func() {
						identity, err := auth.Authenticate(t.Context(), bearer(token))
						if token == "good" {
							wantUser(t, identity, err, "alice")
						} else {
							wantReason(t, err, authgear.ReasonTokenRejected)
						}
					})
				}
				wg.Wait()
				if n, want := p.total(), 1+int(time.Since(start)/every); n != want {
					t.Fatalf("%s: %d calls after %v, want %d", token, n, time.Since(start), want)
				}
				time.Sleep(500 * time.Millisecond)
			}
		})
	}
}

// Credentials that differ in anything do not share an answer: tokens, cookies,
// the same text as token and as cookie.
func TestCredentialsDoNotShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := map[string]authgear.Request{
			"Bearer a":        bearer("a"),
			"Bearer A":        bearer("A"),
			"Bearer aa":       bearer("aa"),
			"session=a":       browser("session=a"),
			"session=":        browser("session="),
			"session=Bearer":  browser("session=Bearer"),
			"app_session=a":   browser("app_session=a"),
			"session=b":       browser("session=b; session=a"),
			"app_session=b":   browser("session=a; app_session=b"),
			"Bearer session=": bearer("session="), // which is not kept
			"x=yb":            browser("x=yb"),
			"xy=b":            browser("xy=b"),
		}
		users := map[string]string{}
		for credential := range requests {
			users[credential] = fmt.Sprintf("user-%x", credential)
		}
		p := newProject(users)
		p.hold = make(chan struct{})
		auth := newResolver(t, p, authgear.ResolverConfig{Cookies: []string{"app_session", "session", "x", "xy"}, CacheTTL: time.Minute})
		for round := range 2 {
			var wg sync.WaitGroup
			for credential, request := range requests {
				wg.Go(func() {
					identity, err := auth.Authenticate(t.Context(), request)
					wantUser(t, identity, err, users[credential])
				})
			}
			synctest.Wait()
			if n := p.total(); n != len(requests)+round {
				t.Errorf("%d calls for %d credentials", n, len(requests))
			}
			select {
			case <-p.hold:
			default:
				close(p.hold)
			}
			wg.Wait()
		}
	})
}

// A live request never joins a call that began before it: one runs, one is
// queued and shared.
func TestLiveIsNotOlderThanTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		var began atomic.Int32
		release := make(chan struct{})
		auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
			began.Add(1)
			response, err := p.RoundTrip(r) // the answer is made before it is held
			<-release
			return response, err
		}), authgear.ResolverConfig{CacheTTL: time.Hour, StaleIfError: time.Hour})
		authenticate := func(live bool) <-chan error {
			done := make(chan error, 1)
			go func() {
				ask := auth.Authenticate
				if live {
					ask = auth.AuthenticateFresh
				}
				_, err := ask(t.Context(), bearer("a"))
				done <- err
			}()
			synctest.Wait()
			return done
		}

		before := authenticate(false)
		p.change(func() { delete(p.users, "Bearer a") }) // the session ends while the call is on its way
		var after []<-chan error
		for range 100 {
			after = append(after, authenticate(true))
		}
		joined := authenticate(false)
		if n := began.Load(); n != 1 {
			t.Errorf("%d calls at once", n)
		}
		release <- struct{}{}
		for _, old := range []<-chan error{before, joined} {
			if err := <-old; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		release <- struct{}{}
		for _, done := range after {
			wantReason(t, <-done, authgear.ReasonTokenRejected)
		}
		if n := began.Load(); n != 2 {
			t.Errorf("%d calls for a hundred live requests behind one", n)
		}
		// And what it has heard replaces what is cached.
		wantReason(t, <-authenticate(false), authgear.ReasonTokenRejected)
		if n := began.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

// The first request goes away; the others are answered all the same.
func TestFirstRequestIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		p.hold = make(chan struct{})
		auth := newResolver(t, p, authgear.ResolverConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := auth.Authenticate(ctx, bearer("a"))
			first <- err
		}()
		synctest.Wait()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				identity, err := auth.Authenticate(t.Context(), bearer("a"))
				wantUser(t, identity, err, "alice")
			})
		}
		synctest.Wait()
		cancel()
		err := <-first
		wantUnavailable(t, nil, err, authgear.ReasonResolverUnavailable)
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		p.hold <- struct{}{}
		wg.Wait()
		if n := p.total(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// A transport of the user's that panics or ends its goroutine harms one call
// only, and no more than an outage does.
func TestOddTransports(t *testing.T) {
	t.Parallel()
	for name, odd := range map[string]func(){
		"panic":  func() { panic("Bearer secret") },
		"Goexit": runtime.Goexit,
		"nil":    nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newProject(map[string]string{"Bearer secret": "alice"})
			healthy := false
			auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
				if healthy {
					return p.RoundTrip(r)
				}
				if odd != nil {
					odd()
				}
				return nil, nil //nolint:nilnil // what a broken transport does
			}), authgear.ResolverConfig{})
			for range 100 { // more than there are slots
				identity, err := auth.Authenticate(t.Context(), bearer("secret"))
				wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
				wantNoSecret(t, name, err)
				time.Sleep(2 * time.Second)
			}
			healthy = true
			identity, err := auth.Authenticate(t.Context(), bearer("secret"))
			wantUser(t, identity, err, "alice")
		})
	}
}

// wantNoSecret checks that no text of an error says what was sent, its hash, or
// whom the answer named.
func wantNoSecret(t *testing.T, name string, err error) {
	t.Helper()
	e, ok := errors.AsType[*authgear.Error](err)
	if !ok {
		t.Errorf("%s: %v", name, err)
		return
	}
	checkSecrets(t, name, fmt.Sprintf("%v %v %+v %v", e, e.Err, e.LogValue(), *e))
}

func checkSecrets(t *testing.T, name, text string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s: %q is said:\n%s", name, secret, text)
		}
	}
}

// secrets are in the credentials of tests, or what could be made of them.
var secrets = func() []string {
	all := []string{"secret", "mallory"}
	for _, sent := range []string{"secret", "Bearer secret", "Authorization: Bearer secret", "session=secret", "Cookie: session=secret"} {
		sum := sha256.Sum256([]byte(sent))
		all = append(all, hex.EncodeToString(sum[:8]), base64.StdEncoding.EncodeToString(sum[:9]), base64.RawURLEncoding.EncodeToString(sum[:9]), strings.Trim(fmt.Sprint(sum[:8]), "[]"))
	}
	return all
}()
