package authgeartest_test

import (
	"testing"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// A shell disables a user, enables the user, and ends one session.
func TestChangesByAShell(t *testing.T) {
	s := authgeartest.New(t)
	alice := s.AddUser(authgeartest.User{ID: "alice"})
	before, bobs := s.AccessToken(alice), s.OpaqueToken(s.AddUser(authgeartest.User{ID: "bob"}))
	post := func(path string, fields ...[2]string) {
		t.Helper()
		if res, body := send(t, s.URL(), "POST", path, append(fields, [2]string{"Host", "localhost"}), ""); res.StatusCode != 200 || body != "" {
			t.Fatalf("%s: %d %q", path, res.StatusCode, body)
		}
	}
	post("/disable/alice")
	expect(t, "alice is disabled", valid(t, s, before), "")
	if status, body := get(t, s.URL()+"/token/alice"); status != 403 {
		t.Errorf("a token of a disabled user: %d %q", status, body)
	}
	post("/enable/alice")
	expect(t, "her session from before", valid(t, s, before), "")
	first, second := s.AccessToken(alice), s.AccessToken(alice)
	expect(t, "she signs in again", valid(t, s, first), "true")
	post("/sign-out", [2]string{"Authorization", "Bearer " + first})
	expect(t, "her first session", valid(t, s, first), "")
	expect(t, "her second session", valid(t, s, second), "true")
	expect(t, "bob's session", valid(t, s, bobs), "true")
	post("/sign-out", [2]string{"Authorization", "Bearer " + bobs})
	expect(t, "bob's session, signed out", valid(t, s, bobs), "")
	cookie := "session=" + s.SessionCookie(alice).Value
	post("/sign-out", [2]string{"Cookie", cookie})
	expect(t, "the cookie's session", resolve(t, s, "Cookie", cookie).Get("X-Authgear-Session-Valid"), "false")
	expect(t, "her second session still", valid(t, s, second), "true")
}

// A page of another origin changes nothing. A wrong request changes nothing either.
func TestRefusedChangesByAShell(t *testing.T) {
	s := authgeartest.New(t)
	token := s.AccessToken(s.AddUser(authgeartest.User{ID: "alice"}))
	for name, c := range map[string]struct {
		method, path, host string
		name, value        string // of a header field
		want               int
	}{
		"GET":                     {"GET", "/disable/alice", "localhost", "", "", 405},
		"GET, sign-out":           {"GET", "/sign-out", "localhost", "", "", 405},
		"an unknown user":         {"POST", "/disable/bob", "localhost", "", "", 404},
		"no user":                 {"POST", "/enable/", "localhost", "", "", 404},
		"no slash":                {"POST", "/disable", "localhost", "", "", 404},
		"DNS rebinding":           {"POST", "/disable/alice", "rebound.example", "", "", 404},
		"DNS rebinding, sign-out": {"POST", "/sign-out", "rebound.example", "Authorization", "Bearer " + token, 404},
		"another origin":          {"POST", "/disable/alice", "localhost", "Origin", "https://app.example.com", 403},
		"a sandboxed page":        {"POST", "/disable/alice", "localhost", "Origin", "null", 403},
		"another site":            {"POST", "/enable/alice", "localhost", "Sec-Fetch-Site", "cross-site", 403},
		"no token":                {"POST", "/sign-out", "localhost", "", "", 401},
		"an unknown token":        {"POST", "/sign-out", "localhost", "Authorization", "Bearer nope", 401},
	} {
		fields := [][2]string{{"Host", c.host}}
		if c.name != "" {
			fields = append(fields, [2]string{c.name, c.value})
		}
		res, body := send(t, s.URL(), c.method, c.path, fields, "")
		if res.StatusCode != c.want {
			t.Errorf("%s: %d %q", name, res.StatusCode, body)
		}
		expect(t, name, valid(t, s, token), "true")
	}
}
