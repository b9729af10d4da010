package authgeartest_test

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// people are the recorded users by name.
var people = map[string]authgeartest.User{
	"alice":     {Verified: true, Roles: []string{"editor"}, Email: "alice@example.com"},
	"bob":       {},
	"carol":     {Verified: true, Roles: []string{"reporter", "auditor", "admin", "store:manager"}},
	"anonymous": {Anonymous: true},
	"uma":       {},
	"frank":     {AMR: []string{"mfa", "otp", "pwd", "x_primary_password", "x_secondary_totp"}},
	"heidi":     {},
	"zoe":       {},
	"dave":      {Verified: true},
	"erin":      {},
	"grace":     {},
	"ivan":      {Verified: true},
	"judy":      {},
	"oscar":     {},
	"peggy":     {}, // the account reaches its end
	"sam":       {}, // signed in by single sign-on
}

// subjects are the users' names by the first group of their recorded user ID.
var subjects = map[string]string{
	"66a95b0e": "alice", "4ad77e91": "alice", "69a89435": "bob", "709a0427": "bob", "5ddcdd76": "carol", "0e5c8704": "anonymous", "89e103a6": "anonymous",
	"9849fc01": "uma", "ba048384": "frank", "45af7d15": "heidi", "016babcc": "zoe", "1698555e": "dave",
	"87b696b1": "ivan", "a924e8b2": "judy", "f444bb19": "peggy", "920a0621": "sam",
	"e981a050": "oscar", "4d98c546": "erin", "944773bf": "grace",
}

// opaque are the recorded opaque tokens and cookie values that had a session when they were
// made, by the text that they begin with.
var opaque = map[string]string{
	"WLTEXToC": "alice", "n51AvimX": "alice", "a9P2eppw": "zoe", "kz0c5H0Q": "dave", "3a5fZXUm": "erin", "D4p0yxXA": "grace",
	"mU9PqWn1": "judy", "8Mw8J6Y1": "ivan", "aDpOVtih": "bob", "xIMIDH1W": "oscar", "REX1fjNM": "heidi",

	"a6fd9072": "alice", "1af05c02": "bob", "92049643": "bob", "1b9b0417": "bob", "0cea7adc": "carol", "01a6a5cf": "anonymous", "fa2359db": "frank",
	"babd6f0a": "zoe", "bda46791": "zoe", "f90515f4": "dave", "d8382082": "erin", "d8233d2a": "grace",
	"72901821": "judy", "404435dd": "peggy", "c544c1ab": "sam",
}

// situations repeat what happened between the login and the recorded request.
var situations = map[string]func(*world){
	"lifecycle-anonymized-jwt":                            func(w *world) { w.AnonymizeUser(w.id("oscar")) },
	"lifecycle-anonymized-opaque":                         func(w *world) { w.AnonymizeUser(w.id("oscar")) },
	"lifecycle-deleted-cookie":                            func(w *world) { w.DeleteUser(w.id("erin")) },
	"lifecycle-deleted-jwt":                               func(w *world) { w.DeleteUser(w.id("erin")) },
	"lifecycle-deleted-opaque":                            func(w *world) { w.DeleteUser(w.id("erin")) },
	"lifecycle-deletion-scheduled-jwt":                    func(w *world) { w.ScheduleDeletion(w.id("heidi")) },
	"lifecycle-deletion-scheduled-opaque":                 func(w *world) { w.ScheduleDeletion(w.id("heidi")) },
	"lifecycle-disabled-before-cookie":                    nil,
	"lifecycle-disabled-before-jwt":                       nil,
	"lifecycle-disabled-before-opaque":                    nil,
	"lifecycle-disabled-cookie":                           func(w *world) { w.DisableUser(w.id("dave")) },
	"lifecycle-disabled-jwt":                              func(w *world) { w.DisableUser(w.id("dave")) },
	"lifecycle-disabled-opaque":                           func(w *world) { w.DisableUser(w.id("dave")) },
	"lifecycle-disabled-token-plus-cookie-alice":          func(w *world) { w.DisableUser(w.id("dave")) },
	"lifecycle-group-after-jwt":                           func(w *world) { w.SetRoles(w.id("bob"), "reporter", "auditor") },
	"lifecycle-password-reset-jwt":                        nil,
	"lifecycle-reenabled-cookie":                          reenable,
	"lifecycle-reenabled-jwt":                             reenable,
	"lifecycle-reenabled-opaque":                          reenable,
	"lifecycle-revoke-all-before-cookie":                  nil,
	"lifecycle-revoke-all-before-jwt":                     nil,
	"lifecycle-revoke-all-cookie":                         func(w *world) { w.RevokeSessions(w.id("judy")) },
	"lifecycle-revoke-all-jwt":                            func(w *world) { w.RevokeSessions(w.id("judy")) },
	"lifecycle-revoke-all-opaque":                         func(w *world) { w.RevokeSessions(w.id("judy")) },
	"lifecycle-revoke-all-userinfo":                       func(w *world) { w.RevokeSessions(w.id("judy")) },
	"lifecycle-revoked-access-token-jwt":                  func(w *world) { w.Revoke(w.minted()) },
	"lifecycle-revoked-access-token-opaque":               func(w *world) { w.Revoke(w.minted()) },
	"lifecycle-roles-before-opaque":                       nil,
	"lifecycle-roles-removed-jwt":                         loseRole,
	"lifecycle-roles-removed-opaque":                      loseRole,
	"lifecycle-session-revoked-jwt":                       func(w *world) { w.RevokeSession(w.minted()) },
	"lifecycle-valid-period-over-cookie":                  func(w *world) { w.ValidUntil(w.id("grace"), w.time().Add(-time.Minute)) },
	"lifecycle-valid-period-over-jwt":                     func(w *world) { w.ValidUntil(w.id("grace"), w.time().Add(-time.Minute)) },
	"lifecycle-valid-period-over-opaque":                  func(w *world) { w.ValidUntil(w.id("grace"), w.time().Add(-time.Minute)) },
	"lifecycle-valid-until-elapsed-cookie":                elapse,
	"lifecycle-valid-until-elapsed-jwt-plus-cookie-alice": elapse,
	"lifecycle-valid-until-future-jwt":                    func(w *world) { w.ValidUntil(w.id("peggy"), w.time().Add(6*time.Second)) },
	"fault-database-cookie":                               func(w *world) { w.FailDatabase(1) },
	"sso-after-logout-jwt":                                func(w *world) { w.RevokeSessions(w.id("sam")) },
}

func reenable(w *world) {
	w.DisableUser(w.id("dave"))
	w.EnableUser(w.id("dave"))
}

func loseRole(w *world) {
	w.SetRoles(w.id("bob"), "auditor")
	w.SetRoles(w.id("bob"))
}

func elapse(w *world) {
	w.ValidUntil(w.id("peggy"), w.time().Add(time.Second))
	w.clock.Add(int64(time.Second))
}

var (
	jwtPattern    = regexp.MustCompile(`eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*`)
	cookiePattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}\.[0-9A-Za-z]{32}`)
	opaquePattern = regexp.MustCompile(`\b[0-9A-Za-z]{32}\b`)
)

const (
	liveOrigin  = "http://localhost:3100"
	httpsOrigin = "https://auth.example.com"
)

// notOurs are recordings that need a second project, or many calls at once.
var notOurs = []string{"resolve-host-other-project", "resolve-host-other-project-opaque", "resolve-contention-500", "resolve-roles-order"}

func TestResolverAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin})
	for _, prefix := range []string{"resolve-", "lifecycle-", "sso-", "canary-", "app-access-token-", "session-", "fault-"} {
		for _, r := range recordings.All(t, prefix) {
			if r.Request.Path == "/oauth2/token" || slices.Contains(notOurs, r.Name) { // the token endpoint has a test of its own
				continue
			}
			t.Run(r.Name, func(t *testing.T) { w.replay(t, r, nil) })
		}
	}
}

func TestResolverWithHTTPSOriginAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: httpsOrigin})
	prefixed := newWorld(t, authgeartest.Config{Endpoint: httpsOrigin, CookiePrefix: "acme_", CookieDomain: "example.com"})
	for _, r := range recordings.All(t, "https-resolve-") {
		t.Run(r.Name, func(t *testing.T) {
			if strings.Contains(r.Name, "-prefix-") {
				prefixed.replay(t, r, nil)
				return
			}
			w.replay(t, r, nil)
		})
	}
}

func TestOutagesAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin})
	for _, r := range recordings.All(t, "outage-") {
		t.Run(r.Name, func(t *testing.T) {
			var hangs time.Duration
			if strings.HasPrefix(r.Name, "outage-redis-hangs-") {
				hangs = time.Millisecond
			}
			w.SetRedisHanging(hangs)
			w.SetRedisDown(hangs == 0 && strings.HasPrefix(r.Name, "outage-redis-"))
			w.SetOutage(strings.HasPrefix(r.Name, "outage-postgres-"))
			w.replay(t, r, func(want, got *answer) {
				if strings.HasSuffix(r.Name, "-jwks") {
					want.body, got.body = keyShapes(want.body), keyShapes(got.body)
				}
			})
		})
	}
}

func TestDiscoveryAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin})
	for _, r := range recordings.All(t, "discovery-") {
		t.Run(r.Name, func(t *testing.T) { w.replay(t, r, nil) })
	}
	secure := newWorld(t, authgeartest.Config{Endpoint: httpsOrigin})
	for _, r := range recordings.All(t, "https-discovery-") {
		t.Run(r.Name, func(t *testing.T) { secure.replay(t, r, nil) })
	}
}

// keyShapes returns the members of the keys in a JWK Set, and their types.
func keyShapes(body any) any {
	object, ok := body.(map[string]any)
	if !ok {
		return body
	}
	var shapes []any
	for _, key := range object["keys"].([]any) {
		k := key.(map[string]any)
		s := shape(k).(map[string]any)
		for _, same := range []string{"alg", "use", "kty", "e"} {
			s[same] = k[same]
		}
		s["kid"], s["n"] = len(k["kid"].(string)), len(k["n"].(string))
		shapes = append(shapes, s)
	}
	return shapes
}

func TestKeysAsRecorded(t *testing.T) {
	compare := func(want, got *answer) { want.body, got.body = keyShapes(want.body), keyShapes(got.body) }
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin})
	for _, r := range recordings.All(t, "jwks") {
		t.Run(r.Name, func(t *testing.T) { w.replay(t, r, compare) })
	}
	secure := newWorld(t, authgeartest.Config{Endpoint: httpsOrigin})
	for _, r := range recordings.All(t, "https-jwks") {
		t.Run(r.Name, func(t *testing.T) { secure.replay(t, r, compare) })
	}
}

func TestUserInfoAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin})
	for _, r := range recordings.All(t, "userinfo-") {
		t.Run(r.Name, func(t *testing.T) {
			w.replay(t, r, func(want, got *answer) {
				if want.status != 200 {
					return
				}
				info, ok := got.body.(map[string]any)
				if !ok || info["sub"] != w.id("alice") || !reflect.DeepEqual(info["https://authgear.com/claims/user/roles"], []any{"editor"}) ||
					info["https://authgear.com/claims/user/is_verified"] != true {
					t.Errorf("body %v", got.body)
				}
				want.body, got.body = shape(want.body), shape(got.body)
			})
		})
	}
}

func TestRevocationAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin})
	for name, after := range map[string]string{"revoke-access-token-jwt": "true", "revoke-access-token-opaque": "", "revoke-refresh-token": ""} {
		t.Run(name, func(t *testing.T) {
			r := recordings.Load(t, name)
			w.replay(t, r, nil)
			form, _ := url.ParseQuery(*r.Request.Body)
			token := w.credentials[form.Get("token")]
			if token == "" {
				token = form.Get("token") // a refresh token
			}
			if valid := resolve(t, w.Server, "Authorization", "Bearer "+token).Get("X-Authgear-Session-Valid"); valid != after {
				t.Errorf("afterwards the resolver says %q, want %q", valid, after)
			}
		})
	}
}

func TestRotationAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin})
	kids := make(map[string]string) // this server's kid by the recorded one
	tokens := make(map[string]string)
	step := func(name string) {
		t.Run(name, func(t *testing.T) {
			compare := func(want, got *answer) {
				wanted, ok1 := want.body.(map[string]any)
				object, ok2 := got.body.(map[string]any)
				if !ok1 || !ok2 {
					return
				}
				keys := object["keys"].([]any)
				for i, key := range wanted["keys"].([]any) {
					theirs := key.(map[string]any)["kid"].(string)
					if i >= len(keys) {
						t.Fatalf("%d keys", len(keys))
					}
					ours := keys[i].(map[string]any)["kid"].(string)
					if kids[theirs] == "" {
						kids[theirs] = ours
					}
					if kids[theirs] != ours {
						t.Errorf("key %d is another one", i)
					}
				}
				want.body, got.body = keyShapes(want.body), keyShapes(got.body)
			}
			w.replay(t, recordings.Load(t, name+"-jwks"), compare)
			r := recordings.Load(t, name+"-token")
			w.begin(t, r)
			w.ids["alice"] = w.AddUser(people["alice"])
			w.recordedIDs["alice"] = r.AccessToken.Claims["sub"].(string)
			at := time.Unix(int64(r.AccessToken.Claims["auth_time"].(float64)), 0)
			token := w.AccessToken(w.ids["alice"], authgeartest.Token{AuthTime: at})
			if got := read(t, token).Header["kid"]; got != kids[r.AccessToken.Header["kid"].(string)] {
				t.Errorf("signed by %v", got)
			}
			tokens[name] = token
		})
	}
	resolves := func(name, token string) {
		t.Run(name, func(t *testing.T) {
			r := recordings.Load(t, name)
			w.clock.Store(r.RecordedAt.UnixNano())
			want := answerOf(r).fields
			got := resolve(t, w.Server, "Authorization", "Bearer "+tokens[token])
			for _, field := range []string{"X-Authgear-Session-Valid", "X-Authgear-Session-Authenticated-At", "X-Authgear-User-Roles"} {
				if fmt.Sprint(got.Values(field)) != fmt.Sprint(want[field]) {
					t.Errorf("%s: %q, recorded %q", field, got.Values(field), want[field])
				}
			}
		})
	}
	step("rotation-0-one-key")
	w.PublishNextKey()
	step("rotation-1-second-key-appended")
	resolves("rotation-1-resolve-old", "rotation-0-one-key")
	w.RotateKeys()
	step("rotation-2-second-key-first")
	resolves("rotation-2-resolve-old", "rotation-0-one-key")
	resolves("rotation-2-resolve-new", "rotation-2-second-key-first")
	w.RemoveOldKeys()
	step("rotation-3-old-key-removed")
	resolves("rotation-3-resolve-old", "rotation-0-one-key")
	resolves("rotation-3-resolve-new", "rotation-3-old-key-removed")
}

func TestTokensAsRecorded(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Endpoint: liveOrigin})
	authTime := func(d recordings.Token) time.Time { return time.Unix(int64(d.Claims["auth_time"].(float64)), 0) }
	for name, person := range map[string]string{
		"token-jwt-alice": "alice", "token-jwt-bob": "bob", "token-jwt-carol": "carol", "token-jwt-frank-mfa": "frank",
		"token-jwt-anonymous": "anonymous", "token-jwt-heidi-admin-created": "heidi", "token-refresh-carol": "carol", "token-jwt-alice-thirdparty": "alice",
	} {
		t.Run(name, func(t *testing.T) {
			r := recordings.Load(t, name)
			w.begin(t, r)
			id := w.id(person)
			token := authgeartest.Token{ClientID: "spa-jwt", AuthTime: authTime(r.AccessToken)}
			switch name {
			case "token-jwt-heidi-admin-created", "token-refresh-carol":
				token.NoAMR = true
			case "token-jwt-alice-thirdparty":
				token.ClientID, token.Scopes = "thirdparty-jwt", []string{"openid", "offline_access", "email", "profile"}
				token.Claims = map[string]any{"email": "alice@example.com", "email_verified": true, "updated_at": 1795468359}
			}
			same(t, r.AccessToken, w.AccessToken(id, token))
			if r.IDToken.Raw != "" {
				same(t, r.IDToken, w.IDToken(id, token.ClientID, token))
			}
		})
	}
	t.Run("token-m2m-jwt", func(t *testing.T) {
		r := recordings.Load(t, "token-m2m-jwt")
		w.begin(t, r)
		same(t, r.AccessToken, w.ClientToken("m2m-jwt", "https://api.example.com", "read:orders", "write:orders"), "sub")
	})
	t.Run("token-opaque-alice", func(t *testing.T) {
		r := recordings.Load(t, "token-opaque-alice")
		w.begin(t, r)
		if token := w.OpaqueToken(w.id("alice")); !regexp.MustCompile(`^[0-9A-Za-z]{32}$`).MatchString(token) {
			t.Errorf("token %q", token)
		}
	})
}
