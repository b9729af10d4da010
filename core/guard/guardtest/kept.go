package guardtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// tellAndChange answers with all that the identity says, and then spoils it: no other
// request has the same.
func tellAndChange(c Context) (int, string) {
	identity, _ := c.Identity()
	var claims struct {
		Tenant string `json:"tenant"`
	}
	if err := identity.Claims(&claims); err != nil {
		return 500, err.Error()
	}
	text := fmt.Sprintf("%s %s %v tenant=%s ", identity.Source, identity.ID, identity.Roles, claims.Tenant) +
		fmt.Sprint(identity.Kind, identity.ClientID, identity.Anonymous, identity.Verified, identity.CanReauthenticate, identity.Scopes, identity.AMR,
			identity.AuthenticatedAt, identity.ExpiresAt, identity.Evidence.Ambient, identity.Evidence.ClearCookies)
	identity.ID, identity.Verified = "mallory", true
	for _, list := range [][]string{identity.Roles, identity.Scopes} {
		for i := range list {
			list[i] = "mallory"
		}
	}
	return 200, text
}

// keeper keeps so many tokens: none, as many as come, or fewer.
type keeper struct {
	name   string
	source authgear.Source // of a user
	auth   authgear.Authenticator
	few    bool
}

func keepers(t *testing.T, endpoint string, observer *authgear.Observer) []keeper {
	t.Helper()
	var all []keeper
	for _, size := range []int{-1, 0, 1, 2} {
		byJWT, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: endpoint, Resources: []string{resource}, CacheSize: size, Observer: observer})
		if err != nil {
			t.Fatal(err)
		}
		hybrid, err := authgear.NewHybrid(authgear.HybridConfig{
			Endpoint: endpoint, Resources: []string{resource}, CacheSize: size, Freshness: time.Hour, Timeout: patience, Observer: observer,
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, keeper{fmt.Sprint("jwt", size), authgear.SourceJWT, byJWT, size > 0}, keeper{fmt.Sprint("hybrid", size), authgear.SourceHybrid, hybrid, size > 0})
	}
	return all
}

// testKeptTokens sends each token for the first time, again, and in turn with others.
func testKeptTokens(t *testing.T, mount Mount) {
	server := authgeartest.New(t)
	f := &fixture{record: &record{}}
	keepers := keepers(t, server.Endpoint(), f.record.observer())
	var app App
	for i, k := range keepers {
		app.Guards = append(app.Guards, Guard{Authenticator: k.auth, Config: f.config()})
		app.Routes = append(app.Routes, Route{Path: "/" + k.name, Steps: []Step{{Guard: i, Policies: everyKind}}, Handler: tellAndChange})
	}
	f.addr = mount(t, app)

	alice := server.AddUser(authgeartest.User{ID: "alice", Roles: []string{"admin", "editor"}})
	bob := server.AddUser(authgeartest.User{ID: "bob"})
	good := server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"tenant": "a"}})
	cases := []struct {
		name, token string
		want        authgear.Reason // "" for the identity
		body        string          // its beginning, after the source
	}{
		{"alice", good, "", "alice [admin editor] tenant=a "},
		{"her other token", server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"tenant": "b"}}), "", "alice [admin editor] tenant=b "},
		{"bob", server.AccessToken(bob), "", "bob [] tenant= "},
		{"a client", server.ClientToken("m2m", resource, "read"), "", "client_id_m2m [] tenant= "},
		{"alice, with another signature", good[:len(good)-8] + "AAAAAAAA", authgear.ReasonSignatureInvalid, ""},
		{"expired", server.AccessToken(bob, authgeartest.Token{ExpiresIn: -time.Hour}), authgear.ReasonTokenExpired, ""},
		{"for another API", server.ClientToken("m2m", "https://a.example.com"), authgear.ReasonAudienceMismatch, ""},
	}
	server.AddUser(authgeartest.User{ID: alice, Roles: []string{"admin", "owner"}}) // which her tokens do not say
	for _, k := range keepers {
		conn, first := f.dial(t), make([]answer, len(cases))
		for turn := range 3 {
			for i, c := range cases {
				source := k.source
				if c.name == "a client" {
					source = authgear.SourceJWT
				}
				if source == authgear.SourceHybrid { // it asks Authgear
					c.body = strings.Replace(c.body, "editor", "owner", 1)
				}
				for again := range 2 {
					f.record.take()
					what := fmt.Sprintf("%s: %s, turn %d, again %d", k.name, c.name, turn, again)
					got := conn.ask(t, keepAlive("GET", "/"+k.name, "Authorization: Bearer "+c.token))
					decisions, notices := f.record.take()
					cached := turn+again > 0 && c.want == "" && source == authgear.SourceHybrid // an answer of Authgear's
					if len(decisions) != 1 || decisions[0].Reason != c.want || decisions[0].Cached != cached && !k.few || c.want == "" && decisions[0].Source != source || len(notices) != 0 {
						t.Errorf("%s: decisions %+v, notices %+v", what, decisions, notices)
					}
					switch {
					case turn+again > 0:
						same(t, what, got, first[i])
					case c.want != "":
						same(t, what, got, refusal(c.want, ""))
					case !strings.HasPrefix(got.body, string(source)+" "+c.body):
						t.Errorf("%s: %d %q", what, got.status, got.body)
					}
					if turn+again == 0 {
						first[i] = got
						first[i].header = got.header.Clone()
						delete(first[i].header, "Date")
					}
				}
			}
		}
	}
}
