package authgeartest_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func authTime(h http.Header) string { return h.Get("X-Authgear-Session-Authenticated-At") }

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// credential is the credential of a session, and the header field that carries it.
type credential struct{ value, field, prefix string }

func (w *world) authTime(t *testing.T, c credential) string {
	t.Helper()
	return authTime(resolve(t, w.Server, c.field, c.prefix+c.value))
}

// everyKind mints a credential of each kind, each in a session of its own.
func (w *world) everyKind(user string, token authgeartest.Token) map[string]credential {
	return map[string]credential{
		"JWT":         {w.AccessToken(user, token), "Authorization", "Bearer "},
		"opaque":      {w.OpaqueToken(user, token), "Authorization", "Bearer "},
		"session":     {w.SessionCookie(user, token).Value, "Cookie", "session="},
		"app session": {w.AppSessionCookie(user, token).Value, "Cookie", "app_session="},
	}
}

// Facts §8: the time of the login belongs to the session, so the resolver at once answers
// the new time to an old credential. Facts §3: a JWT has its own auth_time.
func TestSetAuthTime(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	alice := w.AddUser(authgeartest.User{})
	hour, day := w.time().Add(-time.Hour), w.time().Add(-24*time.Hour)
	other := w.everyKind(alice, authgeartest.Token{AuthTime: hour})
	for name, c := range w.everyKind(alice, authgeartest.Token{AuthTime: hour}) {
		expect(t, name+" when minted", w.authTime(t, c), seconds(hour))
		w.SetAuthTime(c.value, day)
		expect(t, name+" aged", w.authTime(t, c), seconds(day))
		w.SetAuthTime(c.value, w.time())
		expect(t, name+" renewed", w.authTime(t, c), seconds(w.time()))
		expect(t, "another session", w.authTime(t, other[name]), seconds(hour))
	}
	expired := w.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Second})
	w.SetAuthTime(expired, day) // does not panic
}

// Facts §3 and §8.
func TestReauthenticate(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	alice := w.AddUser(authgeartest.User{Verified: true, Roles: []string{"editor"}})
	for name, clientID := range map[string]string{"spa": "", "mobile": "mobile"} {
		login := w.time().Add(-time.Hour)
		for kind, c := range w.everyKind(alice, authgeartest.Token{AuthTime: login, ClientID: clientID}) {
			w.clock.Add(int64(time.Minute))
			expect(t, kind+" before", w.authTime(t, c), seconds(login))
			token := w.Reauthenticate(c.value)
			expect(t, kind+" after", w.authTime(t, c), seconds(w.time()))
			expect(t, kind+": the ID token as an access token", valid(t, w.Server, token), "")

			first, now := read(t, token), float64(w.time().Unix())
			expect(t, "kid", first.Header["kid"].(string), publishedKeys(t, w.Server)[0])
			expect(t, "typ", first.Header["typ"].(string), "JWT")
			for claim, want := range map[string]any{
				"iss": w.Endpoint(), "sub": alice, "auth_time": now, "iat": now, "exp": now + 300,
				"https://authgear.com/claims/user/can_reauthenticate": true,
				"https://authgear.com/claims/user/is_verified":        true,
			} {
				if first.Claims[claim] != want {
					t.Errorf("%s: %s is %v, want %v", kind, claim, first.Claims[claim], want)
				}
			}
			if audience, _ := first.Claims["aud"].([]any); !slices.Equal(audience, []any{name}) {
				t.Errorf("%s: audience %v, want %s alone", kind, audience, name)
			}
			// The names of the claims are those in the ID token of a login,
			// which the recordings show.
			names := slices.Sorted(maps.Keys(read(t, w.IDToken(alice, name)).Claims))
			if got := slices.Sorted(maps.Keys(first.Claims)); !slices.Equal(got, names) {
				t.Errorf("%s: claims %q, want %q", kind, got, names)
			}

			w.SetRoles(alice, "admin")
			second := read(t, w.Reauthenticate(c.value))
			if roles, _ := second.Claims["https://authgear.com/claims/user/roles"].([]any); !slices.Equal(roles, []any{"admin"}) {
				t.Errorf("%s: roles %v", kind, roles)
			}
			if first.Claims["sid"] != second.Claims["sid"] {
				t.Errorf("%s: another session", kind)
			}
			if kind == "JWT" {
				if got := read(t, c.value).Claims["auth_time"]; got != float64(login.Unix()) {
					t.Errorf("the JWT says %v", got)
				}
			}
		}
	}
}

// The session and the ID token have the same time, even if the clock goes on in between.
func TestReauthenticateAtOneTime(t *testing.T) {
	var ticks atomic.Int64
	start := time.Now()
	s := authgeartest.New(t, authgeartest.Config{Now: func() time.Time { return start.Add(time.Duration(ticks.Add(1)) * time.Second) }})
	access := s.AccessToken(s.AddUser(authgeartest.User{}))
	token := read(t, s.Reauthenticate(access))
	told := authTime(resolve(t, s, "Authorization", "Bearer "+access))
	if at, _ := token.Claims["auth_time"].(float64); strconv.Itoa(int(at)) != told {
		t.Errorf("the ID token says %v, the resolver %s", token.Claims["auth_time"], told)
	}
}

func TestNoReauthentication(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	alice := w.AddUser(authgeartest.User{})
	refused := func(t *testing.T, credential, why string, do func(string)) {
		t.Helper()
		defer func() {
			t.Helper()
			if text, _ := recover().(string); !strings.Contains(text, why) || strings.Contains(text, credential) {
				t.Errorf("panics with %q", text)
			}
		}()
		do(credential)
	}
	revoked := w.SessionCookie(alice).Value
	w.RevokeSession(revoked)
	for name, credential := range map[string]string{
		"unknown":      "unknown",
		"revoked":      revoked,
		"ID token":     w.IDToken(alice, "spa"),
		"client token": w.ClientToken("m2m", "https://api.example.com"),
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, credential, "no session", func(c string) { w.Reauthenticate(c) })
			refused(t, credential, "no session", func(c string) { w.SetAuthTime(c, w.time()) })
		})
	}
	login := w.time().Add(-time.Hour)
	for name, user := range map[string]authgeartest.User{"Google only": {CannotReauthenticate: true}, "anonymous": {Anonymous: true}} {
		t.Run(name, func(t *testing.T) {
			for kind, c := range w.everyKind(w.AddUser(user), authgeartest.Token{AuthTime: login}) {
				refused(t, c.value, "cannot reauthenticate", func(c string) { w.Reauthenticate(c) })
				h := resolve(t, w.Server, c.field, c.prefix+c.value)
				expect(t, kind, authTime(h), seconds(login))
				expect(t, "the resolver's word", h.Get("X-Authgear-User-Can-Reauthenticate"), "false")
			}
		})
	}
}
