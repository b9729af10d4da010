package authgear_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// unhurried is a project that takes a while for each answer.
type unhurried struct {
	*project
	takes time.Duration
}

func (u unhurried) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(u.takes):
		return u.project.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// A flood of bad tokens keeps us busy. It makes no outage of Authgear's, which
// answers each call: neither for others nor for somebody whom it refuses now and
// whose last good answer would count in one.
func TestBusyIsNoOutage(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{300 * time.Millisecond, 2 * time.Second, 4 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			p := newProject(map[string]string{"Bearer good": "alice", "Bearer disabled": "dave"})
			auth := newResolver(t, unhurried{p, takes}, authgear.ResolverConfig{StaleIfError: time.Hour})
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
					t.Errorf("%s goes on", identity.ID)
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
	synctest.Test(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		auth := newResolver(t, unhurried{p, time.Second}, authgear.ResolverConfig{StaleIfError: time.Hour})
		identity, err := auth.Authenticate(t.Context(), bearer("a"))
		wantUser(t, identity, err, "alice")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		identity, err = auth.Authenticate(ctx, bearer("a"))
		wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		time.Sleep(time.Second) // until the call has ended
	})
}

// Of several cookies of one name Authgear takes the first, so a refusal is about
// all that have it; their answers are never mixed up all the same, and none
// takes another's place.
func TestRepeatedCookie(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			lines := []string{"session=a", "session=a; session=x", "session=a; session=y"}
			p := newProject(map[string]string{lines[0]: "alice", lines[1]: "bob", lines[2]: "carol"})
			auth := newResolver(t, p, authgear.ResolverConfig{CacheTTL: ttl, StaleIfError: time.Hour})
			for range 2 {
				for i, want := range []string{"alice", "bob", "carol"} {
					identity, err := auth.Authenticate(t.Context(), browser(lines[i]))
					wantUser(t, identity, err, want)
				}
			}
			if n := p.total(); ttl > 0 && n != len(lines) {
				t.Errorf("%d calls", n)
			}
			p.change(func() { p.users = nil })
			_, err := auth.AuthenticateFresh(t.Context(), browser(lines[0]))
			wantReason(t, err, authgear.ReasonSessionInvalid)
			p.change(func() { p.status = 500 })
			time.Sleep(2 * time.Second) // the refusal is forgotten
			for _, line := range lines {
				identity, err := auth.Authenticate(t.Context(), browser(line))
				wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
			}
		})
	}
}

// Nobody knows which of two cookies Authgear has refused: what was good with one
// of them does not count any longer.
func TestRefusedTogether(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"session=a; old=1", "session=a"},
		{"session=a; old=1", "old=1"},
		{"session=a; old=1", "old=1; session=a"},
		{"session=a", "session=a; old=1"},
		{"session=a; session=x; old=1", "session=b; old=1; old=2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newProject(map[string]string{c[0]: "alice"})
			auth := newResolver(t, p, authgear.ResolverConfig{Cookies: []string{"session", "old"}, StaleIfError: time.Hour})
			identity, err := auth.Authenticate(t.Context(), browser(c[0]))
			wantUser(t, identity, err, "alice")
			p.change(func() { p.users = nil })
			if _, err := auth.Authenticate(t.Context(), browser(c[1])); err == nil {
				t.Errorf("%s is good", c[1])
			}
			p.change(func() { p.status = 500 })
			identity, err = auth.Authenticate(t.Context(), browser(c[0]))
			wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		})
	}
}
