package examples_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// permission says whether a sender may use a route.
type permission struct {
	sender, method, path string
	status               int
	want                 string // the identity's id, or the error code of a refusal
	challenge            string // exact
}

const (
	noToken      = `Bearer`
	noScope      = `Bearer error="insufficient_scope", scope="reports:read"`
	notAccepted  = `Bearer error="invalid_token", error_description="The access token is not, or no longer, valid."`
	stepUp       = `Bearer error="insufficient_user_authentication", error_description="This request needs a more recent login.", max_age="300"`
	stepUpNeeded = "insufficient_user_authentication"
)

// permit expects these permissions on each example. senders has the headers of each
// sender.
func permit(t *testing.T, env []string, senders map[string][]string, wanted []permission) {
	t.Helper()
	expectations := make([]expectation, len(wanted))
	for i, w := range wanted {
		headers, ok := senders[w.sender]
		if !ok {
			t.Fatalf("there is no %s", w.sender)
		}
		body := `{"error":"` + w.want + `",`
		switch {
		case w.method == "HEAD":
			body = ""
		case w.status == 200:
			body = `"id":"` + w.want + `"`
		}
		expectations[i] = expectation{w.method, w.path, headers, w.status, body}
	}
	for i, got := range agree(t, env, expectations) {
		if w := wanted[i]; got.challenge != w.challenge {
			t.Errorf("%s: %s %s: challenge %s, want %s", w.sender, w.method, w.path, got.challenge, w.challenge)
		}
	}
}

// users are the permissions of the users in all modes.
var users = []permission{
	{"none", "GET", "/reports", 401, "authentication_required", noToken},
	{"reporter", "GET", "/reports", 200, "rita", ""},
	{"reporter", "HEAD", "/reports", 200, "", ""},
	{"bob", "GET", "/reports", 403, "role_missing", ""},
	{"bob", "HEAD", "/reports", 403, "", ""},
	{"guest", "GET", "/reports", 403, "role_missing", ""},
	{"none", "GET", "/machine", 401, "authentication_required", noToken},
	{"admin", "GET", "/machine", 403, "kind_not_allowed", ""},
	{"none", "GET", "/users/bob/notes", 401, "authentication_required", noToken},
	{"bob", "GET", "/users/bob/notes", 200, "bob", ""},
	{"bob", "HEAD", "/users/bob/notes", 200, "", ""},
	{"bob", "GET", "/users/alice/notes", 403, "policy_denied", ""},
	{"bob", "GET", "/users/BOB/notes", 403, "policy_denied", ""},
	{"admin", "GET", "/users/alice/notes", 200, "alice", ""},
	{"admin", "GET", "/users/bob/notes", 200, "alice", ""},
	{"guest", "GET", "/users/guest/notes", 200, "guest", ""},
	{"guest", "GET", "/users/bob/notes", 403, "policy_denied", ""},
	{"none", "POST", "/transfer", 401, "authentication_required", noToken},
	{"bob", "POST", "/transfer", 200, "bob", ""},
	{"guest", "POST", "/transfer", 403, "anonymous_user", ""},
	{"a minute ago", "POST", "/transfer", 200, "bob", ""},
	{"6 minutes ago", "POST", "/transfer", 401, stepUpNeeded, stepUp},
	{"6 minutes ago", "GET", "/users/bob/notes", 200, "bob", ""},
	{"guest of yesterday", "POST", "/transfer", 403, "anonymous_user", ""},
	{"google, just now", "POST", "/transfer", 200, "google", ""},
	{"google, 6 minutes ago", "POST", "/transfer", 403, "cannot_reauthenticate", ""},
}

// signedIn adds the users of the table, and signs each in by a credential.
func signedIn(project *authgeartest.Server, credential func(user string, login authgeartest.Token) string) map[string][]string {
	project.AddUser(authgeartest.User{ID: "alice", Roles: []string{"admin"}})
	project.AddUser(authgeartest.User{ID: "rita", Roles: []string{"reporter"}})
	project.AddUser(authgeartest.User{ID: "bob"})
	project.AddUser(authgeartest.User{ID: "guest", Anonymous: true})
	project.AddUser(authgeartest.User{ID: "google", AMR: []string{}, CannotReauthenticate: true})
	login := func(user string, age time.Duration) []string {
		return []string{credential(user, authgeartest.Token{AuthTime: time.Now().Add(-age)})}
	}
	return map[string][]string{
		"none":                  nil,
		"admin":                 login("alice", 0),
		"reporter":              login("rita", 0),
		"bob":                   login("bob", 0),
		"a minute ago":          login("bob", time.Minute), // five are allowed, so the test may take four
		"6 minutes ago":         login("bob", 6*time.Minute),
		"guest":                 login("guest", 0),
		"guest of yesterday":    login("guest", 24*time.Hour),
		"google, just now":      login("google", 0),
		"google, 6 minutes ago": login("google", 6*time.Minute),
	}
}

func TestAuthorizationJWT(t *testing.T) {
	t.Parallel()
	project := authgeartest.New(t)
	senders := signedIn(project, func(user string, login authgeartest.Token) string {
		return bearer(project.AccessToken(user, login))
	})
	client := func(scopes ...string) []string {
		return []string{bearer(project.ClientToken("worker", "https://api.example.com", scopes...))}
	}
	senders["client"] = client("reports:read", "reports:write")
	senders["client without scope"] = client("reports:write", "reports", "reports:read:all")
	senders["client with ID token"] = append(client(), "X-ID-Token: "+project.IDToken("bob", "spa"))
	senders["user with scope"] = []string{bearer(project.AccessToken("bob", authgeartest.Token{Scopes: []string{"openid", "reports:read"}}))}
	wanted := append(slices.Clone(users), []permission{
		{"client", "GET", "/reports", 200, "client_id_worker", ""},
		{"client", "HEAD", "/reports", 200, "", ""},
		{"client without scope", "GET", "/reports", 403, "insufficient_scope", noScope},
		{"client without scope", "HEAD", "/reports", 403, "", noScope},
		{"user with scope", "GET", "/reports", 200, "bob", ""},
		{"client", "GET", "/machine", 200, "client_id_worker", ""},
		{"client", "HEAD", "/machine", 200, "", ""},
		{"client without scope", "GET", "/machine", 200, "client_id_worker", ""},
		{"client", "GET", "/users/client_id_worker/notes", 403, "kind_not_allowed", ""},
		{"client", "POST", "/transfer", 403, "kind_not_allowed", ""},
		{"client with ID token", "POST", "/transfer", 403, "kind_not_allowed", ""},
	}...)
	for _, mode := range []string{"AUTHGEAR_ID_TOKEN_CLIENTS=spa", "AUTHGEAR_MODE=hybrid"} {
		permit(t, []string{"AUTHGEAR_ENDPOINT=" + project.Endpoint(), "AUTHGEAR_RESOURCES=https://api.example.com", mode}, senders, wanted)
	}
}

func TestAuthorizationResolver(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"resolver AUTHGEAR_CACHE_TTL=0", "resolver AUTHGEAR_CACHE_TTL=1m", "hybrid"} {
		project := authgeartest.New(t)
		client := []string{bearer(project.ClientToken("worker", "https://api.example.com", "reports:read"))}
		for name, credential := range map[string]func(user string, login authgeartest.Token) string{
			"token":  func(user string, login authgeartest.Token) string { return bearer(project.OpaqueToken(user, login)) },
			"cookie": func(user string, login authgeartest.Token) string { return cookie(project.SessionCookie(user, login)) },
		} {
			t.Run(mode+", "+name, func(t *testing.T) {
				senders := signedIn(project, credential)
				senders["client"] = client
				senders["scripts of another site"] = append(slices.Clone(senders["bob"]), "Sec-Fetch-Site: cross-site")
				wanted := slices.Clone(users)
				if mode != "hybrid" { // hybrid knows clients
					wanted = append(wanted, []permission{
						{"client", "GET", "/machine", 401, "invalid_token", notAccepted},
						{"client", "GET", "/reports", 401, "invalid_token", notAccepted},
					}...)
				}
				if name == "cookie" {
					wanted = append(wanted, permission{"scripts of another site", "POST", "/transfer", 403, "cross_origin", ""})
				}
				permit(t, append(strings.Fields("AUTHGEAR_MODE="+mode), "AUTHGEAR_ENDPOINT="+project.Endpoint()), senders, wanted)
			})
		}
	}
}

// Behind a proxy the headers say what the resolver would say. The roles in them count
// only if the service trusts them.
func TestAuthorizationForwarded(t *testing.T) {
	t.Parallel()
	said := func(id, can string, age time.Duration, more ...string) []string {
		return append([]string{
			"X-Authgear-Session-Valid: true", "X-Authgear-User-Id: " + id, "X-Authgear-User-Verified: false",
			"X-Authgear-User-Anonymous: " + strconv.FormatBool(id == "guest"), "X-Authgear-User-Can-Reauthenticate: " + can,
			"X-Authgear-Session-Authenticated-At: " + strconv.FormatInt(time.Now().Add(-age).Unix(), 10),
		}, more...)
	}
	senders := map[string][]string{
		"none":                  nil,
		"admin":                 said("alice", "true", 0, "X-Authgear-User-Roles: admin"),
		"reporter":              said("rita", "true", 0, "X-Authgear-User-Roles: reporter"),
		"bob":                   said("bob", "true", 0),
		"a minute ago":          said("bob", "true", time.Minute),
		"6 minutes ago":         said("bob", "true", 6*time.Minute),
		"guest":                 said("guest", "false", 0),
		"guest of yesterday":    said("guest", "false", 24*time.Hour),
		"google, just now":      said("google", "false", 0),
		"google, 6 minutes ago": said("google", "false", 6*time.Minute),
	}
	const env = "AUTHGEAR_MODE=forwarded AUTHGEAR_TRUSTED_PROXIES=127.0.0.0/8,::1/128 AUTHGEAR_FORWARDED_ROLES="
	permit(t, strings.Fields(env+"true"), senders, users)
	permit(t, strings.Fields(env+"false"), senders, []permission{
		{"reporter", "GET", "/reports", 403, "role_missing", ""},
		{"admin", "GET", "/users/alice/notes", 200, "alice", ""},
		{"admin", "GET", "/users/bob/notes", 403, "policy_denied", ""},
	})
}
