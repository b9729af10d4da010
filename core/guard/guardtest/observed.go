package guardtest

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func testDecisions(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default,
		Route{Path: "/open", Handler: whoAmI},
		Route{Path: "/strip", Steps: []Step{{Kind: Strip}}, Handler: whoAmI},
		Route{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: whoAmI},
		Route{Path: "/both", Steps: []Step{{Kind: Optional}, {Kind: Require, Policies: []authgear.Policy{authgear.Role("admin")}}}, Handler: whoAmI},
	)
	for _, c := range []struct {
		what, path, authorization string
		want                      []string
	}{
		{"no guard", "/open", "Bearer user.alice", nil},
		{"Strip", "/strip", "Bearer user.alice", nil},
		{"Optional with an identity", "/optional", "Bearer user.alice", []string{"authenticated  jwt"}},
		{"Optional without credentials", "/optional", "", []string{"no_credentials no_credentials"}},
		{"the outer guard lets go on, the inner one refuses", "/both", "", []string{"no_credentials no_credentials", "no_credentials no_credentials"}},
		{"the outer guard refuses", "/both", "Bearer error.token_expired", []string{"invalid token_expired"}},
		{"denied", "/both", "Bearer user.alice", []string{"authenticated  jwt", "denied role_missing jwt"}},
		{"an error beside an identity", "/optional", "Bearer both", []string{"invalid token_expired"}},
	} {
		f.record.take()
		f.get(t, "GET", c.path, c.authorization)
		decisions, notices := f.record.take()
		var got []string
		for _, d := range decisions {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", d.Outcome, d.Reason, d.Source)))
			var err *authgear.Error
			if errors.As(d.Err, &err) != (d.Reason != "") || err != nil && err.Reason != d.Reason || d.Duration < 0 || d.Repeated != (len(got) > 1) {
				t.Errorf("%s: decision %+v", c.what, d)
			}
		}
		if !slices.Equal(got, c.want) || len(notices) != 0 {
			t.Errorf("%s: decisions %q and notices %+v, want %q", c.what, got, notices, c.want)
		}
	}
}

// testSecrets looks for tokens, cookies, the proxy's secret and user ids in
// everything that answers and observers get.
func testSecrets(t *testing.T, mount Mount) {
	const userID = "user-id-that-stays-private"
	p := newProject(t, mount, func(Context) (int, string) { return 200, "" })
	alice := p.server.AddUser(authgeartest.User{ID: userID})
	good, opaque, session := p.server.AccessToken(alice), p.server.OpaqueToken(alice), p.server.SessionCookie(alice).Value
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	expired := p.server.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Hour})
	_, expiredSignature, _ := cutLast(expired)
	const dead = "a-session-that-is-over"
	for what, lines := range map[string][]string{
		"good":                   {"Authorization: Bearer " + good},
		"expired":                {"Authorization: Bearer " + expired},
		"a bad signature":        {"Authorization: Bearer " + header + "." + payload + "." + signature[:len(signature)-8] + "AAAAAAAA"},
		"two parts":              {"Authorization: Bearer " + header + "." + payload},
		"opaque":                 {"Authorization: Bearer " + opaque},
		"an ID token":            {"Authorization: Bearer " + p.server.IDToken(alice, "demo")},
		"two tokens":             {"Authorization: Bearer " + good + " " + good},
		"quoted":                 {`Authorization: Bearer "` + good + `"`},
		"another scheme":         {"Authorization: Basic " + good},
		"no scheme":              {"Authorization: " + good},
		"too large":              {"Authorization: Bearer " + good + strings.Repeat("a", 16<<10)},
		"standard alphabet":      {"Authorization: Bearer " + header + "+/." + payload + "." + signature},
		"a session":              {sessionLine(session)},
		"a dead session":         {sessionLine(dead)},
		"a quoted session":       {sessionLine(`"` + session + `"`)},
		"a session five times":   {sessionLine(session, session, session, session, session)},
		"a token cookie":         {"Cookie: token=" + good},
		"a quoted token cookie":  {`Cookie: token="` + good + `"`},
		"a token cookie twice":   {"Cookie: token=" + good + "; token=" + good},
		"a user id twice":        {"X-Authgear-User-Id: " + userID, sessionLine(session)},
		"a user id, malformed":   {"X-Authgear-Session-Valid: true", "X-Authgear-User-Id: " + userID + " " + userID},
		"a secret, twice":        {"X-Authgear-Proxy-Secret: " + proxySecret, sessionLine(session)},
		"a secret, wrong":        {"X-Authgear-Proxy-Secret: x" + proxySecret, sessionLine(session)},
		"a secret in Connection": {"Connection: X-Authgear-User-Id, X-Authgear-Proxy-Secret", sessionLine(session)},
	} {
		for _, s := range sources {
			for _, route := range []string{"optional", "admin"} {
				for _, method := range []string{"GET", "POST"} {
					got := p.ask(t, s, method, route, slices.Concat([]string{"Origin: https://evil.example"}, lines)...)
					decisions, notices := p.record.take()
					var text strings.Builder
					fmt.Fprint(&text, got.header, got.body)
					logger := slog.New(slog.NewTextHandler(&text, nil))
					for _, d := range decisions {
						logger.Info("decision", "error", d.Err)
						for err := d.Err; err != nil; err = errors.Unwrap(err) {
							fmt.Fprintf(&text, "%v %+v\n", err, err)
						}
					}
					fmt.Fprintf(&text, "%+v %+v", notices, p.record.takeFetches())
					for _, secret := range []string{good, payload, signature[:40], expiredSignature, opaque, session, dead, proxySecret, userID} {
						if strings.Contains(text.String(), secret) {
							t.Errorf("%s: %s at %s: %q is told in %s", s.name, what, route, secret, text.String())
						}
					}
				}
			}
		}
	}
}

// cutLast splits at the last dot.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
