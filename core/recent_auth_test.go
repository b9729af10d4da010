package authgear_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
)

// A login counts for maxAge, to the nanosecond.
func TestRecentAuthEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		recent := authgear.RecentAuth(5 * time.Minute)
		for age, allowed := range map[time.Duration]bool{-time.Minute - 1: false, -time.Minute: true, 0: true, 5 * time.Minute: true, 5*time.Minute + 1: false} {
			if err := recent.Check(t.Context(), user(loginAt(age))); (err == nil) != allowed {
				t.Errorf("%v ago: %v", age, err)
			}
		}
		err := recent.Check(t.Context(), user(loginAt(time.Hour+time.Millisecond)))
		if got, want := errors.Unwrap(err).Error(), "the login is 1h0m0s old, at most 5m0s are allowed"; got != want {
			t.Errorf("the operator reads %q, want %q", got, want)
		}
	})
}

// In JWT mode the ID token of a reauthentication satisfies a policy, and the operator
// reads why a bad one does not.
func TestRecentAuthByIDToken(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.auth(t, authgear.JWTConfig{})
	bob := s.server.AddUser(authgeartest.User{})
	google := s.server.AddUser(authgeartest.User{CannotReauthenticate: true})
	old := s.server.AccessToken(google, authgeartest.Token{AuthTime: s.before})
	for name, c := range map[string]struct {
		access   string
		idTokens []string
		want     authgear.Reason
		cause    []string // the operator reads
	}{
		"none":                     {s.access, nil, "insufficient_user_authentication", []string{"2h0m"}},
		"a good one":               {s.access, []string{s.idToken(nil, nil)}, "", nil},
		"of an old login":          {s.access, []string{s.server.IDToken(s.alice, "spa", authgeartest.Token{AuthTime: s.before})}, "insufficient_user_authentication", []string{"2h0m"}},
		"another user's":           {s.access, []string{s.server.IDToken(bob, "spa")}, "insufficient_user_authentication", []string{"2h0m", "X-ID-Token", "sub"}},
		"of another client":        {s.access, []string{s.server.IDToken(s.alice, "third-party")}, "insufficient_user_authentication", []string{"IDTokenClients", "third-party"}},
		"the access token":         {s.access, []string{s.server.AccessToken(s.alice)}, "insufficient_user_authentication", []string{"at+jwt"}},
		"two":                      {s.access, []string{s.idToken(nil, nil), s.idToken(nil, nil)}, "insufficient_user_authentication", []string{"2 times"}},
		"who cannot":               {old, nil, "cannot_reauthenticate", []string{"2h0m", "RecentAuthIfPossible"}},
		"who cannot, another's":    {old, []string{s.idToken(nil, nil)}, "cannot_reauthenticate", []string{"X-ID-Token"}},
		"who cannot, and just did": {s.server.AccessToken(google), nil, "", nil},
	} {
		identity, err := auth.Authenticate(t.Context(), beside(c.access, c.idTokens...))
		if err != nil {
			t.Fatal(err)
		}
		err = authgear.RecentAuth(5*time.Minute).Check(t.Context(), identity)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantReason(t, err, c.want)
		for _, want := range c.cause {
			if text := errors.Unwrap(err).Error(); !strings.Contains(text, want) || strings.Contains(text, s.alice) {
				t.Errorf("%s: the operator reads %q, want %q", name, text, want)
			}
		}
	}
}

// While it is unknown whether the user has reauthenticated, no user is told to do so. A
// user who may go on in any case does.
func TestRecentAuthWithoutKeys(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	google := s.server.AddUser(authgeartest.User{CannotReauthenticate: true})
	old := s.server.AccessToken(google, authgeartest.Token{AuthTime: s.before})
	auth := s.withKeys(t)
	s.server.RotateKeys()
	idToken, googles := s.idToken(nil, nil), s.server.IDToken(google, "spa")
	s.server.SetDown(true)
	for name, c := range map[string]struct {
		access, idToken string
		policy          authgear.Policy
		want            authgear.Reason
	}{
		"the login is too old":           {s.access, idToken, authgear.RecentAuth(time.Minute), "keys_unavailable"},
		"the login is recent enough":     {s.access, idToken, authgear.RecentAuth(3 * time.Hour), ""},
		"who cannot":                     {old, googles, authgear.RecentAuth(time.Minute), "keys_unavailable"},
		"who cannot, if possible":        {old, googles, authgear.RecentAuthIfPossible(time.Minute), ""},
		"who can, if possible":           {s.access, idToken, authgear.RecentAuthIfPossible(time.Minute), "keys_unavailable"},
		"one of two, the other allows":   {s.access, idToken, authgear.Any(authgear.RecentAuth(time.Minute), authgear.Role("editor")), ""},
		"one of two, the other does not": {s.access, idToken, authgear.Any(authgear.Role("admin"), authgear.RecentAuth(time.Minute)), "keys_unavailable"},
	} {
		identity, err := auth.Authenticate(contextkey.WithFresh(t.Context()), beside(c.access, c.idToken))
		if err != nil {
			t.Fatal(err)
		}
		err = c.policy.Check(t.Context(), identity)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantReason(t, err, c.want)
		if e := err.(*authgear.Error); e.Outcome() != authgear.OutcomeUnavailable || e.RetryAfter <= 0 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// An absent claim grants least: it does not mean that the user cannot reauthenticate.
func TestRecentAuthIfPossibleUnstated(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.auth(t, authgear.JWTConfig{})
	claim := "https://authgear.com/claims/user/can_reauthenticate"
	for name, c := range map[string]struct {
		claims m
		want   authgear.Reason
	}{
		"true":   {nil, "insufficient_user_authentication"},
		"false":  {m{claim: false}, ""},
		"absent": {m{claim: nil}, "cannot_reauthenticate"},
	} {
		identity := authenticated(t, auth, beside(s.server.AccessToken(s.alice, authgeartest.Token{AuthTime: s.before, Claims: c.claims})))
		err := authgear.RecentAuthIfPossible(time.Minute).Check(t.Context(), identity)
		if c.want != "" {
			wantReason(t, err, c.want)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
