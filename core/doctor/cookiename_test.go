package doctor_test

import (
	"net/http"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
)

const resolvePath = "/_resolver/resolve"

// The project's own cookie is the one that Authgear takes away when it refuses it.
func TestCookieName(t *testing.T) {
	t.Parallel()
	const ok, failed, skipped = doctor.StatusOK, doctor.StatusFailed, doctor.StatusSkipped
	deaf := func(s *authgeartest.Server) http.HandlerFunc { // to requests without a token
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			s.ServeHTTP(w, r)
		}
	}
	stripped := func(*authgeartest.Server) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Authgear-Session-Valid", "false") }
	}
	for name, c := range map[string]struct {
		prefix       string
		names        []string
		handle       func(*authgeartest.Server) http.HandlerFunc
		name, domain doctor.Status
		says         []string
	}{
		"the usual one":                      {name: ok, domain: ok},
		"the prefix and session":             {prefix: "myapp_", names: []string{"myapp_session"}, name: ok, domain: ok},
		"the second of two":                  {prefix: "myapp_", names: []string{"my", "myapp_session"}, name: ok, domain: ok},
		"another name than session":          {names: []string{"my"}, name: failed, domain: skipped, says: []string{"named my,", "http.cookie_prefix", "set Cookies"}},
		"another name than the prefixed one": {prefix: "myapp_", names: []string{"my"}, name: failed, domain: skipped, says: []string{"named my or session", "http.cookie_prefix", "set Cookies"}},
		"without the prefix":                 {prefix: "myapp_", name: failed, domain: skipped, says: []string{"named session", "http.cookie_prefix", "set Cookies"}},
		"no answer":                          {names: []string{"my"}, handle: deaf, name: skipped, domain: skipped, says: []string{"status 503"}},
		"nothing is taken away":              {handle: stripped, name: ok, domain: skipped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := authgeartest.New(t, authgeartest.Config{CookiePrefix: c.prefix})
			if c.handle != nil {
				s.Handle(resolvePath, c.handle(s))
			}
			r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint(), Cookies: c.names})
			wantStep(t, r, "cookie_name", c.name, c.says...)
			wantStep(t, r, "cookie_domain", c.domain)
		})
	}
}

// A resolver that says nothing to a bad token has not refused it. It still tells who a
// good token belongs to.
func TestSilentResolver(t *testing.T) {
	t.Parallel()
	s := authgeartest.New(t)
	s.Handle(resolvePath, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	alice := s.AddUser(authgeartest.User{})
	r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint(), Token: s.AccessToken(alice), Cookie: s.SessionCookie(alice).Value})
	wantStep(t, r, "resolver", doctor.StatusWarning, "answers 200 with nothing to a token that was made up", "something else than Authgear may answer")
	wantStep(t, r, "session", doctor.StatusSkipped, "nobody can tell")
	wantStep(t, r, "cookie", doctor.StatusSkipped, "nobody can tell")

	prefixed := authgeartest.New(t, authgeartest.Config{CookiePrefix: "myapp_"})
	r = doctor.Run(t.Context(), doctor.Config{Endpoint: prefixed.Endpoint(), Token: prefixed.AccessToken(prefixed.AddUser(authgeartest.User{}))})
	wantStep(t, r, "resolver", doctor.StatusWarning)
	wantStep(t, r, "session", doctor.StatusOK, "a user")
}

// A cache in front of Authgear may answer one user's token with another's session: a
// service with NewHybrid lets neither in.
func TestAnotherUsersAnswer(t *testing.T) {
	t.Parallel()
	s := authgeartest.New(t)
	alice := s.AccessToken(s.AddUser(authgeartest.User{}))
	bob := s.AccessToken(s.AddUser(authgeartest.User{}))
	s.Handle(resolvePath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+alice {
			r.Header.Set("Authorization", "Bearer "+bob)
		}
		s.ServeHTTP(w, r)
	}))
	r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint(), Token: alice})
	wantStep(t, r, "jwt", doctor.StatusOK)
	wantStep(t, r, "session", doctor.StatusFailed, "as that of another user", "between this service and Authgear")
	if got := find(t, r, "session").Reason; got != authgear.ReasonAnswerMalformed {
		t.Errorf("the reason is %s", got)
	}
}

// The reason is the one that requests are refused with.
func TestResolverReason(t *testing.T) {
	t.Parallel()
	for want, answer := range map[authgear.Reason]http.HandlerFunc{
		authgear.ReasonAnswerMalformed:     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		authgear.ReasonResolverUnavailable: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	} {
		s := authgeartest.New(t)
		s.Handle(resolvePath, answer)
		r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint()})
		if got := find(t, r, "resolver"); got.Reason != want || strings.Contains(got.Detail, "not ready") {
			t.Errorf("%s, want %s:\n%s", got.Reason, want, r)
		}
	}
}
