package guardtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func testBearer(t *testing.T, mount Mount) {
	p := newProject(t, mount, whoAmI)
	alice := p.server.AddUser(authgeartest.User{ID: "alice"})
	good := p.server.AccessToken(alice)

	for _, s := range sources {
		for name, line := range map[string]string{
			"as usual":          "Bearer " + good,
			"lower case":        "bearer " + good,
			"upper case":        "BEARER " + good,
			"more spaces":       "Bearer   " + good,
			"a space behind":    "Bearer " + good + " ",
			"a tab in front":    "\tBearer " + good,
			"a very long token": "Bearer " + p.server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"long": strings.Repeat("x", 10<<10)}}),
		} {
			p.record.take()
			wantBody(t, string(s.name)+": "+name, p.ask(t, s, "GET", "required", "Authorization: "+line), 200, "alice")
			if decisions, _ := p.record.take(); len(decisions) != 1 || decisions[0].Source != s.name {
				t.Errorf("%s: %s: decisions = %+v", s.name, name, decisions)
			}
		}

		for name, line := range map[string]string{
			"another scheme":   "Basic dXNlcjpwYXNz",
			"the bare token":   good,
			"a similar scheme": "BearerX " + good,
		} {
			same(t, string(s.name)+": "+name, p.ask(t, s, "GET", "required", "Authorization: "+line), refusal(authgear.ReasonNoCredentials, ""))
			wantBody(t, string(s.name)+": "+name, p.ask(t, s, "GET", "optional", "Authorization: "+line), 200, "nobody")
		}

		opaque := "Bearer " + p.server.OpaqueToken(alice)
		if s.name == authgear.SourceJWT {
			same(t, "opaque", p.ask(t, s, "GET", "required", "Authorization: "+opaque), refusal(authgear.ReasonTokenOpaque, ""))
		} else {
			wantBody(t, string(s.name)+": opaque", p.ask(t, s, "GET", "required", "Authorization: "+opaque), 200, "alice")
		}

		// A route serves machines only if a policy names them.
		if machine := "Authorization: Bearer " + p.server.MachineToken("m2m", resource); s.name == authgear.SourceJWT {
			for _, route := range []string{"required", "admin"} {
				same(t, "a machine at "+route, p.ask(t, s, "GET", route, machine), refusal(authgear.ReasonKindNotAllowed, ""))
			}
			wantBody(t, "a machine", p.ask(t, s, "GET", "optional", machine), 200, "client_id_m2m")
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
			"unknown":         {"Bearer nobody-has-issued-this", authgear.ReasonTokenOpaque},
			"not a JWT":       {"Bearer a.b.c", authgear.ReasonTokenMalformed},
			"an ID token":     {"Bearer " + p.server.IDToken(alice, "demo"), authgear.ReasonTokenType},
			"expired":         {"Bearer " + p.server.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Hour}), authgear.ReasonTokenExpired},
			"another issuer":  {"Bearer " + p.server.AccessToken(alice, authgeartest.Token{Claims: map[string]any{"iss": "https://evil.example.com"}}), authgear.ReasonIssuerMismatch},
			"another machine": {"Bearer " + p.server.MachineToken("m2m", "https://api.example.com"), authgear.ReasonAudienceMismatch},
			"a bad signature": {"Bearer " + good[:len(good)-8] + "AAAAAAAA", authgear.ReasonSignatureInvalid},
		} {
			want := s.reason(c.want)
			for _, route := range []string{"required", "optional"} {
				what := fmt.Sprintf("%s: %s at %s", s.name, name, route)
				p.record.take()
				same(t, what, p.ask(t, s, "GET", route, "Authorization: "+c.line), refusal(want, ""))
				if decisions, _ := p.record.take(); len(decisions) != 1 || decisions[0].Reason != want {
					t.Errorf("%s: decisions = %+v", what, decisions)
				}
			}
		}
	}
}
