package guardtest

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// stepUpFixture is a resolverFixture with routes that need a recent login.
type stepUpFixture struct {
	*resolverFixture
	ran atomic.Int32 // how often the function of /cached-recent was asked
}

func newStepUpFixture(t *testing.T, mount Mount, kept authgear.Source) *stepUpFixture {
	t.Helper()
	f := &stepUpFixture{}
	counting := authgear.PolicyFunc(func(context.Context, *authgear.Identity) error {
		f.ran.Add(1)
		return nil
	})
	recent := []authgear.Policy{authgear.RecentAuth(5 * time.Minute)}
	route := func(path string, steps ...Step) Route { return Route{Path: path, Steps: steps, Handler: describe} }
	f.resolverFixture = newResolverFixture(t, mount, kept,
		route("/recent", Step{Policies: recent}),
		route("/cached-recent", Step{Guard: 1, Policies: append([]authgear.Policy{counting}, recent...)}),
		route("/cached-inside", Step{Guard: 1}, Step{Kind: Optional, Guard: 1}, Step{Guard: 1, Policies: recent}),
		route("/wrapped-recent", Step{Guard: 2, Policies: recent}),
		route("/fresh-recent", Step{Kind: RequireFresh, Guard: 1, Policies: recent}),
		route("/cached-editor", Step{Guard: 1, Policies: []authgear.Policy{authgear.Role("chief")}}),
	)
	return f
}

// session is a credential of a user who signed in an hour ago, and what the
// handler answers to it.
type session struct{ name, credential, line, body string }

func (f *stepUpFixture) sessions() []session {
	aged := authgeartest.Token{AuthTime: time.Now().Add(-time.Hour)}
	jwt, opaque, cookie := f.server.AccessToken(f.alice, aged), f.server.OpaqueToken(f.alice, aged), f.server.SessionCookie(f.alice, aged).Value
	return []session{
		{"a JWT", jwt, "Authorization: Bearer " + jwt, byToken},
		{"an opaque token", opaque, "Authorization: Bearer " + opaque, byToken},
		{"a cookie", cookie, sessionLine(cookie), byCookie},
	}
}

// ended is the answer to a session that is over.
func (s session) ended() answer {
	if s.body == byToken {
		return refusal(authgear.ReasonTokenRejected, "")
	}
	want := refusal(authgear.ReasonSessionInvalid, "")
	want.header["Set-Cookie"] = clearingCookies[:1]
	return want
}

func testStepUp(t *testing.T, mount Mount) {
	for _, kept := range bothKeep {
		t.Run(string(kept), func(t *testing.T) {
			t.Parallel()
			newStepUpFixture(t, mount, kept).check(t)
		})
	}
}

func (f *stepUpFixture) check(t *testing.T) {
	tooOld := refusal(authgear.ReasonInsufficientUserAuthentication, "", `max_age="300"`)
	for _, s := range f.sessions() {
		// ask sends the session to a path, which costs so many calls of Authgear. The
		// answer is the handler's where want is nil.
		ask := func(what, path string, want *answer, calls int) {
			t.Helper()
			f.asked()
			f.record.take()
			got := f.raw(t, head("GET", path, s.line))
			if what = s.name + ": " + what; want == nil {
				wantBody(t, what, got, 200, f.told(path, s.line, s.body))
			} else {
				same(t, what, got, *want)
			}
			if asked := f.asked(); len(asked) != calls || slices.ContainsFunc(asked, func(line string) bool { return line != s.line }) {
				t.Errorf("%s: Authgear got %q, want %d calls", what, asked, calls)
			}
			if decisions, notices := f.record.take(); len(notices) != 0 || path != "/cached-inside" && len(decisions) != 1 {
				t.Errorf("%s: decisions %+v, notices %+v", what, decisions, notices)
			}
		}
		ask("an answer of now", "/cached-recent", &tooOld, 1)
		ask("a kept answer", "/cached-recent", &tooOld, 1)
		ask("a kept answer, in a guard inside", "/cached-inside", &tooOld, 1)
		ask("a kept answer, behind another authenticator", "/wrapped-recent", &tooOld, 1)
		ask("a kept answer, on a fresh route", "/fresh-recent", &tooOld, 1)
		ask("nothing is kept", "/recent", &tooOld, 1)
		ask("what allows any login", "/cached", nil, 0)
		ask("what no login helps", "/cached-editor", new(refusal(authgear.ReasonRoleMissing, "")), 0)

		f.server.Reauthenticate(s.credential)
		ask("signed in again, what allows any login", "/cached", nil, 0)
		f.ran.Store(0)
		ask("signed in again", "/cached-recent", nil, 1)
		if ran := f.ran.Swap(0); ran != 2 {
			t.Errorf("%s: a policy before RecentAuth is asked %d times, want 2: each answer of Authgear is judged anew", s.name, ran)
		}
		ask("signed in again, kept", "/cached-recent", nil, 0)
		if ran := f.ran.Load(); ran != 1 {
			t.Errorf("%s: a policy before RecentAuth is asked %d times, want 1", s.name, ran)
		}
		for path, calls := range map[string]int{"/cached-inside": 0, "/wrapped-recent": 0, "/fresh-recent": 1, "/recent": 1} {
			ask("signed in again", path, nil, calls)
		}
		for _, path := range []string{"/cached-inside", "/wrapped-recent"} {
			f.server.SetAuthTime(s.credential, time.Now().Add(-time.Hour))
			ask("an old login again", "/fresh-recent", &tooOld, 1)
			f.server.Reauthenticate(s.credential)
			ask("signed in again", path, nil, 1)
		}

		f.server.SetAuthTime(s.credential, time.Now().Add(-time.Hour))
		ask("an old login again", "/fresh-recent", &tooOld, 1)
		f.server.RevokeSession(s.credential)
		ask("a kept answer about a session that has ended", "/cached", nil, 0)
		ask("a session that has ended", "/cached-recent", new(s.ended()), 1)
	}
	f.checkGoogle(t)
	f.checkDown(t)
}

// checkGoogle: whether a user can reauthenticate may have changed as well.
func (f *stepUpFixture) checkGoogle(t *testing.T) {
	f.server.AddUser(authgeartest.User{ID: "google", CannotReauthenticate: true})
	line := "Authorization: Bearer " + f.server.OpaqueToken("google", authgeartest.Token{AuthTime: time.Now().Add(-time.Hour)})
	for range 2 {
		f.asked()
		same(t, "a user who cannot", f.raw(t, head("GET", "/cached-recent", line)), refusal(authgear.ReasonCannotReauthenticate, ""))
		if asked := f.asked(); len(asked) != 1 {
			t.Errorf("a user who cannot: Authgear got %q", asked)
		}
	}
	f.server.AddUser(authgeartest.User{ID: "google"})
	same(t, "a user who can now", f.raw(t, head("GET", "/cached-recent", line)), refusal(authgear.ReasonInsufficientUserAuthentication, "", `max_age="300"`))
}

// checkDown: whether the user has signed in again nobody can tell then, and no
// client is sent to sign in.
func (f *stepUpFixture) checkDown(t *testing.T) {
	sessions := f.sessions()
	for _, s := range sessions {
		wantBody(t, s.name, f.raw(t, head("GET", "/cached", s.line)), 200, f.told("/cached", s.line, s.body))
	}
	f.server.SetOutage(true)
	for _, s := range sessions {
		for _, path := range []string{"/cached-recent", "/cached-inside", "/wrapped-recent"} {
			got := f.raw(t, head("GET", path, s.line))
			seconds := "1"
			if slices.Equal(got.header["Retry-After"], []string{"2"}) { // a pause of a second, and a fifth for chance
				seconds = "2"
			}
			same(t, s.name+": an outage, at "+path, got, refusal(authgear.ReasonResolverUnavailable, seconds))
		}
		wantBody(t, s.name+": an outage", f.raw(t, head("GET", "/cached", s.line)), 200, f.told("/cached", s.line, s.body))
	}
}
