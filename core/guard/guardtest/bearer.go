package guardtest

import (
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// jwtBench is an app whose guard verifies tokens of an embedded Authgear.
func jwtBench(t *testing.T, mount Mount, handler Handler) (*bench, *authgeartest.Server) {
	t.Helper()
	server := authgeartest.New(t)
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint(), Observer: &authgear.Observer{}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{record: &record{}}
	b.addr = mount(t, App{
		Guards: []Guard{{Authenticator: auth, Options: authgear.Options{Observer: b.record.observer()}}},
		Routes: []Route{
			{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: handler},
			{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: handler},
		},
	})
	return b, server
}

func testBearer(t *testing.T, mount Mount) {
	b, server := jwtBench(t, mount, whoAmI)
	alice := server.AddUser(authgeartest.User{ID: "alice"})
	good := server.AccessToken(alice)

	for name, line := range map[string]string{
		"as usual":          "Bearer " + good,
		"lower case":        "bearer " + good,
		"upper case":        "BEARER " + good,
		"more spaces":       "Bearer   " + good,
		"a space behind":    "Bearer " + good + " ",
		"a tab in front":    "\tBearer " + good,
		"a very long token": "Bearer " + server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"long": strings.Repeat("x", 10<<10)}}),
	} {
		says(t, name, b.get(t, "GET", "/required", line), 200, "alice")
	}

	for name, line := range map[string]string{
		"another scheme":   "Basic dXNlcjpwYXNz",
		"the bare token":   good,
		"a similar scheme": "BearerX " + good,
	} {
		same(t, name, b.get(t, "GET", "/required", line), refusal(authgear.ReasonNoCredentials, ""))
		says(t, name, b.get(t, "GET", "/optional", line), 200, "nobody")
	}

	for name, c := range map[string]struct {
		line string
		want authgear.Reason
	}{
		"nothing":         {"Bearer", authgear.ReasonAuthorizationMalformed},
		"a tab":           {"Bearer\t" + good, authgear.ReasonAuthorizationMalformed},
		"two tokens":      {"Bearer " + good + " " + good, authgear.ReasonAuthorizationMalformed},
		"a comma":         {"Bearer " + good + ", Bearer " + good, authgear.ReasonAuthorizationMalformed},
		"quotes":          {`Bearer "` + good + `"`, authgear.ReasonAuthorizationMalformed},
		"too large":       {"Bearer " + strings.Repeat("a", 16<<10+1), authgear.ReasonTokenTooLarge},
		"opaque":          {"Bearer " + server.OpaqueToken(alice), authgear.ReasonTokenOpaque},
		"not a JWT":       {"Bearer a.b.c", authgear.ReasonTokenMalformed},
		"an ID token":     {"Bearer " + server.IDToken(alice, "demo"), authgear.ReasonTokenType},
		"expired":         {"Bearer " + server.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Hour}), authgear.ReasonTokenExpired},
		"another issuer":  {"Bearer " + server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"iss": "https://evil.example.com"}}), authgear.ReasonIssuerMismatch},
		"a machine":       {"Bearer " + server.MachineToken("m2m", "https://api.example.com"), authgear.ReasonAudienceMismatch},
		"a bad signature": {"Bearer " + good[:len(good)-8] + "AAAAAAAA", authgear.ReasonSignatureInvalid},
	} {
		for _, path := range []string{"/required", "/optional"} {
			b.record.take()
			same(t, name+" at "+path, b.get(t, "GET", path, c.line), refusal(c.want, ""))
			if decisions, _ := b.record.take(); len(decisions) != 1 || decisions[0].Reason != c.want {
				t.Errorf("%s: decisions = %+v", name, decisions)
			}
		}
	}
}
