package examples_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// cookie returns the header with a session cookie.
func cookie(c *http.Cookie) string { return "Cookie: " + c.Name + "=" + c.Value }

// transfer sends a request that needs a recent login, and expects this answer. The code
// is the error code of a refusal, or "" if the request must be allowed.
func (s *server) transfer(t *testing.T, what string, status int, code, challenge string, headers ...string) {
	t.Helper()
	got := s.send(t, "POST", "/transfer", headers...)
	if refused := errorCode(t, got.body); got.status != status || refused != code || got.challenge != challenge {
		t.Errorf("%s: %d %q %s\nwant %d %q %s", what, got.status, refused, got.challenge, status, code, challenge)
	}
}

// An old login is refused. After the user has reauthenticated, the same access token is
// accepted together with the new ID token. The new ID token is all that a client with a
// JWT gets.
func TestStepUpJWT(t *testing.T) {
	t.Parallel()
	project := authgeartest.New(t)
	anHourAgo := authgeartest.Token{AuthTime: time.Now().Add(-time.Hour)}
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	bob := project.AddUser(authgeartest.User{ID: "bob"})
	google := project.AddUser(authgeartest.User{ID: "google", CannotReauthenticate: true})
	for _, framework := range frameworks {
		t.Run(framework, func(t *testing.T) {
			s := start(t, framework, "AUTHGEAR_ENDPOINT="+project.Endpoint(), "AUTHGEAR_CLIENT_IDS=spa,mobile", "AUTHGEAR_ID_TOKEN_CLIENTS=spa")
			token := project.AccessToken(alice, anHourAgo)
			refused := func(what string, headers ...string) {
				t.Helper()
				s.transfer(t, what, 401, stepUpNeeded, stepUp, append(headers, bearer(token))...)
			}
			refused("an old login")
			idToken := project.Reauthenticate(token)
			refused("reauthenticated, but without the ID token")
			for what, other := range map[string]string{
				"another user's ID token":          project.IDToken(bob, "spa"),
				"the access token itself":          token,
				"a new access token":               project.AccessToken(alice),
				"the ID token of the old login":    project.IDToken(alice, "spa", anHourAgo),
				"an ID token for another client":   project.IDToken(alice, "mobile"),
				"an ID token that has expired":     project.IDToken(alice, "spa", authgeartest.Token{ExpiresIn: -time.Minute}),
				"an ID token of another signature": idToken[:len(idToken)-8] + "AAAAAAAA",
				"no token":                         "undefined",
			} {
				refused(what, "X-ID-Token: "+other)
			}
			refused("two ID tokens", "X-ID-Token: "+idToken, "X-ID-Token: "+idToken)
			s.transfer(t, "reauthenticated", 200, "", "", bearer(token), "X-ID-Token: "+idToken)
			s.transfer(t, "the ID token alone", 401, "authentication_required", noToken, "X-ID-Token: "+idToken)
			s.transfer(t, "the ID token for another user", 401, stepUpNeeded, stepUp, bearer(project.AccessToken(bob, anHourAgo)), "X-ID-Token: "+idToken)

			s.transfer(t, "Google only", 403, "cannot_reauthenticate", "", bearer(project.AccessToken(google, anHourAgo)))
			s.transfer(t, "Google only, signed in again", 200, "", "", bearer(project.AccessToken(google)))
			s.stop(t)
		})
	}
}

// If no client is configured for ID tokens, no ID token counts.
func TestStepUpJWTWithoutClients(t *testing.T) {
	t.Parallel()
	project := authgeartest.New(t)
	token := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}), authgeartest.Token{AuthTime: time.Now().Add(-time.Hour)})
	headers := []string{bearer(token), "X-ID-Token: " + project.Reauthenticate(token)}
	for _, got := range agree(t, []string{"AUTHGEAR_ENDPOINT=" + project.Endpoint()}, []expectation{
		{"GET", "/me", headers, 200, `"id":"alice"`},
		{"POST", "/transfer", headers, 401, stepUpNeeded},
	})[1:] {
		if got.challenge != stepUp {
			t.Error(got.challenge)
		}
	}
}

// The resolver reports a reauthentication for the old credential. If a cached answer
// would lead to a refusal, the resolver is asked once more.
func TestStepUpResolver(t *testing.T) {
	t.Parallel()
	anHourAgo := authgeartest.Token{AuthTime: time.Now().Add(-time.Hour)}
	for _, mode := range []string{"resolver AUTHGEAR_CACHE_TTL=0", "resolver AUTHGEAR_CACHE_TTL=1h", "hybrid AUTHGEAR_FRESHNESS=1h"} {
		project := authgeartest.New(t)
		alice := project.AddUser(authgeartest.User{ID: "alice"})
		google := project.AddUser(authgeartest.User{ID: "google", CannotReauthenticate: true})
		for _, framework := range frameworks {
			t.Run(framework+", "+mode, func(t *testing.T) {
				s := start(t, framework, append(strings.Fields("AUTHGEAR_MODE="+mode), "AUTHGEAR_ENDPOINT="+project.Endpoint())...)
				jwt, opaque, session := project.AccessToken(alice, anHourAgo), project.OpaqueToken(alice, anHourAgo), project.SessionCookie(alice, anHourAgo)
				for what, c := range map[string]struct{ credential, header string }{
					"a JWT":           {jwt, bearer(jwt)},
					"an opaque token": {opaque, bearer(opaque)},
					"a cookie":        {session.Value, cookie(session)},
				} {
					s.transfer(t, what+" of an old login", 401, stepUpNeeded, stepUp, c.header)
					s.transfer(t, what+" of an old login, once more", 401, stepUpNeeded, stepUp, c.header)
					s.transfer(t, what+" beside an ID token", 401, stepUpNeeded, stepUp, c.header, "X-ID-Token: "+project.IDToken(alice, "spa"))
					project.Reauthenticate(c.credential)
					s.transfer(t, what+", reauthenticated", 200, "", "", c.header)
				}
				s.transfer(t, "Google only", 403, "cannot_reauthenticate", "", bearer(project.OpaqueToken(google, anHourAgo)))
				s.transfer(t, "Google only, signed in again", 200, "", "", bearer(project.OpaqueToken(google)))
				s.stop(t)
			})
		}
	}
}
