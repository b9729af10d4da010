package authgeartest_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// startAgain starts a server with a seed and the users alice, bob and a third one, who is
// added without an ID.
func startAgain(t *testing.T, seed string) (w *world, third string) {
	t.Helper()
	w = newWorld(t, authgeartest.Config{Endpoint: liveOrigin, Seed: seed})
	w.clock.Store(time.Date(2026, 8, 1, 12, 0, 0, 5e8, time.UTC).UnixNano())
	w.AddUser(authgeartest.User{ID: "alice"})
	w.AddUser(authgeartest.User{ID: "bob"})
	return w, w.AddUser(authgeartest.User{})
}

func TestSeed(t *testing.T) {
	before, third := startAgain(t, "a seed")
	tokens := signInFor(t, before.Server, "alice", "mobile")
	alices := map[string][2]string{
		"JWT":    {"Authorization", "Bearer " + tokens["access_token"].(string)},
		"minted": {"Authorization", "Bearer " + before.AccessToken("alice")},
		"opaque": {"Authorization", "Bearer " + before.OpaqueToken("alice")},
		"cookie": {"Cookie", "session=" + before.SessionCookie("alice").Value},
	}
	refresh := tokens["refresh_token"].(string)
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"mobile"}, "refresh_token": {refresh}}
	who := func(w *world, sent [2]string) string {
		return resolve(t, w.Server, sent[0], sent[1]).Get("X-Authgear-User-Id")
	}

	t.Run("the same seed", func(t *testing.T) {
		w, again := startAgain(t, "a seed")
		w.clock.Add(int64(time.Minute))
		expect(t, "a user without ID", again, third)
		if kid := func(w *world) any { return read(t, w.AccessToken("bob")).Header["kid"] }; kid(w) != kid(before) {
			t.Error("another key")
		}
		renewed := exchange(t, w.Server, form, 200) // before the JWT is seen, which says more about the login
		for name, sent := range alices {
			expect(t, name, who(w, sent), "alice")
			expect(t, name+", its login", authTime(resolve(t, w.Server, sent[0], sent[1])), seconds(before.time()))
		}
		claims := read(t, renewed["access_token"].(string)).Claims
		if claims["scope"] != "openid offline_access https://authgear.com/scopes/full-access" || claims["client_id"] != "mobile" ||
			read(t, renewed["id_token"].(string)).Claims["sid"] != read(t, tokens["id_token"].(string)).Claims["sid"] {
			t.Errorf("%v", claims)
		}
		w.SetAuthTime(refresh, before.time().Add(-time.Hour))
		expect(t, "one login still", authTime(resolve(t, w.Server, "Authorization", alices["JWT"][1])), seconds(before.time().Add(-time.Hour)))
		expect(t, "another rotation", w.RotateKeys(), before.RotateKeys())
	})
	t.Run("ended logins", func(t *testing.T) {
		w, _ := startAgain(t, "a seed")
		w.Revoke(refresh) // this server has not seen the refresh token yet
		expect(t, "JWT of the same login", who(w, alices["JWT"]), "")
		expect(t, "another login", who(w, alices["minted"]), "alice")
		res, _ := call(t, w.Server, authorizePath("prompt", "none", "x_sso_enabled", "true"), "", alices["cookie"])
		access := exchange(t, w.Server, codeForm("spa", located(t, res).Get("code")), 200)["access_token"].(string)
		w.Revoke(strings.TrimPrefix(alices["cookie"][1], "session="))
		expect(t, "what came by the cookie", valid(t, w.Server, access), "")
		opaque := strings.TrimPrefix(alices["opaque"][1], "Bearer ")
		w.Revoke(opaque)
		expect(t, "opaque", who(w, alices["opaque"]), "")
		for _, token := range []string{w.OpaqueToken("alice"), w.AccessToken("alice")} {
			w.RevokeSession(token)
			expect(t, token+", signed out", valid(t, w.Server, token), "")
		}
		w.DisableUser("alice")
		w.EnableUser("alice")
		for name, sent := range alices {
			expect(t, name+" from before", who(w, sent), "")
		}
		expect(t, "from now", valid(t, w.Server, w.AccessToken("alice")), "true")
	})
	t.Run("expiry", func(t *testing.T) {
		w, _ := startAgain(t, "a seed")
		w.clock.Add(int64(30 * time.Minute))
		expect(t, "JWT", who(w, alices["JWT"]), "")
		expect(t, "opaque", who(w, alices["opaque"]), "")
		expect(t, "cookie", who(w, alices["cookie"]), "alice")
		w.clock.Add(int64(24 * time.Hour))
		expect(t, "cookie", who(w, alices["cookie"]), "")
		exchange(t, w.Server, form, 200)
		w.clock.Add(int64(30 * 24 * time.Hour))
		exchange(t, w.Server, form, 400)
	})
	t.Run("another seed, no seed, no such user", func(t *testing.T) {
		other, _ := startAgain(t, "another")
		none, _ := startAgain(t, "")
		gone, _ := startAgain(t, "a seed")
		gone.DeleteUser("alice")
		for _, w := range []*world{other, none, gone} {
			for name, sent := range alices {
				expect(t, name, who(w, sent), "")
			}
			exchange(t, w.Server, form, 400)
		}
	})
	t.Run("made-up credentials", func(t *testing.T) {
		w, _ := startAgain(t, "a seed")
		claims := read(t, tokens["access_token"].(string)).Claims
		claims["jti"] = strings.Repeat("0", 64)
		opaque := strings.TrimPrefix(alices["opaque"][1], "Bearer ")
		id, _, _ := strings.Cut(refresh, ".")
		_, ofCookie, _ := strings.Cut(alices["cookie"][1], ".")
		for name, token := range map[string]string{
			"signed": w.Sign(nil, claims), "ID token": tokens["id_token"].(string), "refresh token": refresh, "half a refresh token": refresh[len(id)+1:],
			"shorter": opaque[1:], "longer": "0" + opaque, "negative": "-" + opaque[1:], "with a sign": "+" + opaque[1:],
			"no number": strings.Repeat("-", 32), "too large": strings.Repeat("Z", 32),
		} {
			expect(t, name, valid(t, w.Server, token), "")
		}
		for _, cookie := range []string{refresh, id + "." + ofCookie, id + "." + opaque} {
			expect(t, cookie, resolve(t, w.Server, "Cookie", "session="+cookie).Get("X-Authgear-Session-Valid"), "false")
		}
	})
}

// No two credentials are the same.
func TestSealsDiffer(t *testing.T) {
	w, _ := startAgain(t, "a seed")
	seen := make(map[string]bool)
	// Only three bytes of an opaque token are random. By chance alone, about ten of these
	// tokens would repeat an earlier one.
	for range 20_000 {
		credential := w.OpaqueToken("alice")
		if seen[credential] {
			t.Errorf("%s again", credential)
		}
		seen[credential] = true
	}
	for range 100 {
		for _, credential := range []string{w.AccessToken("alice"), w.SessionCookie("alice").Value} {
			if seen[credential] {
				t.Errorf("%s again", credential)
			}
			seen[credential] = true
		}
	}
}
