package guardtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// head is a request up to its headers, which follow.
func head(method, path string, lines ...string) string {
	return keepAlive(method, path, append([]string{"Connection: close"}, lines...)...)
}

// keepAlive is one after which the connection stays open.
func keepAlive(method, path string, lines ...string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: api.example.com\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func testRepeatedHeaders(t *testing.T, mount Mount) {
	p := newProject(t, mount, func(Context) (int, string) { return 200, "the handler ran" })
	for name, lines := range map[string][]string{
		"two tokens":           {"Authorization: Bearer a", "Authorization: Bearer b"},
		"the same token twice": {"Authorization: Bearer a", "authorization: Bearer a"},
		"two schemes":          {"Authorization: Basic a", "AUTHORIZATION: Bearer b"},
		"an empty line":        {"Authorization:", "Authorization: Bearer b"},
	} {
		for _, s := range sources {
			same(t, string(s.name)+": "+name, p.ask(t, s, "GET", "optional", lines...), refusal(authgear.ReasonAuthorizationMalformed, ""))
		}
	}
	// What net/http refuses by itself the guard refuses for servers that do not.
	for name, lines := range map[string][]string{
		"two hosts":                   {"Host: evil.example.com"},
		"NUL in a value":              {"X-Field: a\x00b"},
		"a control byte in a value":   {"X-Field: a\x01b"},
		"DEL in a value":              {"X-Field: a\x7fb"},
		"a control byte in a name":    {"X-Fi\x01eld: a"},
		"a space before the colon":    {"Authorization : Bearer a"},
		"a carriage return inside":    {"X-Field: a\rb"},
		"a folded Authorization":      {"Authorization: Bearer", " a"},
		"a folded header of any kind": {"X-Field: a", "\tAuthorization: Bearer a"},
	} {
		got := p.raw(t, head("GET", "/jwt/optional", lines...))
		// net/http joins folded lines into one value, which is safe where the
		// guard reads the joined line: the token is then one that is refused.
		folded := strings.HasPrefix(name, "a folded") && (got.status == 401 || got.status == 200 && !strings.HasPrefix(lines[0], "Authorization"))
		if got.status != 400 && !folded {
			t.Errorf("%s: %d %q", name, got.status, got.body)
		}
	}
}

func testIdentityHeaders(t *testing.T, mount Mount) {
	show := func(c Context) (int, string) {
		var names []string
		for name, values := range c.Headers() {
			if name = strings.ToLower(name); strings.HasPrefix(name, "x") {
				names = append(names, fmt.Sprint(name, values))
			}
		}
		slices.Sort(names)
		return 200, strings.Join(names, "\n")
	}
	f := newFixture(t, mount, Default,
		Route{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: show},
		Route{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: show},
		Route{Path: "/strip", Steps: []Step{{Kind: Strip}}, Handler: show},
		Route{Path: "/twice", Steps: []Step{{Kind: Strip}, {Kind: Optional}, {Kind: Require}}, Handler: show},
	)
	for _, path := range []string{"/required", "/optional", "/strip", "/twice"} {
		got := f.raw(t, head("GET", path,
			"Authorization: Bearer user.alice",
			"X-Authgear-User-Id: mallory",
			"x-authgear-user-id: mallory",
			"X-AUTHGEAR-USER-ROLES: admin",
			"X_Authgear_User_Id: mallory",
			"x_authgear-user_id: mallory",
			"X.Authgear.User.Id: mallory",
			"X-Authgear-Session-Valid: true",
			"X-Authgear-: mallory",
			"X-Authgear-Proxy-Secret: guess",
			"X-Authgear_Body_Signature: mallory",
			"X-Authgear: stays",
			"X-Authgear-Body-Signature: stays",
			"X-Other: stays",
		))
		wantBody(t, path, got, 200, "x-authgear-body-signature[stays]\nx-authgear[stays]\nx-other[stays]")
	}
}

// testTrailers: whether a trailer is declared or not (RFC 9110 §6.5, §6.6.2), it
// names nobody, and the handler sees what is not an identity's.
func testTrailers(t *testing.T, mount Mount) {
	handler := func(c Context) (int, string) {
		for _, late := range []map[string][]string{c.Headers(), c.Trailers()} {
			for name, values := range late {
				if strings.Contains(strings.ToLower(name), "authgear") {
					return 500, fmt.Sprint(name, values)
				}
			}
		}
		_, who := whoAmI(c)
		if c.Trailers() == nil {
			return 200, who
		}
		return 200, fmt.Sprint(who, c.Trailers()["X-Sum"])
	}
	f := newFixture(t, mount, Default,
		Route{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: handler},
		Route{Path: "/nested", Steps: []Step{{Kind: Strip}, {Kind: Optional}, {Kind: Optional}}, Handler: handler},
		Route{Path: "/strip", Steps: []Step{{Kind: Strip}}, Handler: handler},
	)
	for _, declared := range []string{"", "X-Sum", "X-Authgear-User-Id", "x_authgear_user_id, X-Sum"} {
		for _, trailer := range []string{"X-Authgear-User-Id: mallory", "x_authgear_user_id: mallory"} {
			for _, path := range []string{"/optional", "/nested", "/strip"} {
				lines := []string{"Transfer-Encoding: chunked"}
				if declared != "" {
					lines = append(lines, "Trailer: "+declared)
				}
				got := f.raw(t, head("POST", path, lines...)+"5\r\nhello\r\n0\r\n"+trailer+"\r\nX-Sum: 1\r\n\r\n")
				if got.status != 200 || got.body != "nobody" && got.body != "nobody[1]" {
					t.Errorf("%s at %s, declared %q: %d %q", trailer, path, declared, got.status, got.body)
				}
			}
		}
	}
	// Forbidden in a trailer (RFC 9110 §6.5.1); some servers refuse it.
	got := f.raw(t, head("POST", "/optional", "Transfer-Encoding: chunked", "Trailer: Authorization")+"5\r\nhello\r\n0\r\nAuthorization: Bearer user.mallory\r\n\r\n")
	if got.status != 400 && !strings.HasPrefix(got.body, "nobody") {
		t.Errorf("Authorization in a trailer: %d %q", got.status, got.body)
	}
}
