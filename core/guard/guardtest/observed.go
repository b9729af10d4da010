package guardtest

import (
	"context"
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
	b := newBench(t, mount, Default,
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
		{"Optional without credentials", "/optional", "", []string{"no_credentials no_credentials "}},
		{"the outer guard lets go on, the inner one refuses", "/both", "", []string{"no_credentials no_credentials ", "no_credentials no_credentials "}},
		{"the outer guard refuses", "/both", "Bearer error.token_expired", []string{"invalid token_expired "}},
		{"denied", "/both", "Bearer user.alice", []string{"authenticated  jwt", "denied role_missing jwt"}},
		{"an error beside an identity", "/optional", "Bearer both", []string{"invalid token_expired "}},
	} {
		b.record.take()
		b.get(t, "GET", c.path, c.authorization)
		decisions, notices := b.record.take()
		var got []string
		for _, d := range decisions {
			got = append(got, fmt.Sprintf("%s %s %s", d.Outcome, d.Reason, d.Source))
			var err *authgear.Error
			if errors.As(d.Err, &err) != (d.Reason != "") || err != nil && err.Reason != d.Reason || d.Duration < 0 {
				t.Errorf("%s: decision %+v", c.what, d)
			}
		}
		if !slices.Equal(got, c.want) || len(notices) != 0 {
			t.Errorf("%s: decisions %q and notices %+v, want %q", c.what, got, notices, c.want)
		}
	}
}

// testSecrets looks for tokens and user ids in everything that answers and
// observers get.
func testSecrets(t *testing.T, mount Mount) {
	const userID = "user-id-that-stays-private"
	server := authgeartest.New(t)
	alice := server.AddUser(authgeartest.User{ID: userID})
	good := server.AccessToken(alice)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")

	record := &record{}
	observer := record.observer()
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint(), Observer: observer})
	if err != nil {
		t.Fatal(err)
	}
	deny := func(context.Context, *authgear.Identity) error { return errors.New("no") }
	b := &bench{record: record}
	b.addr = mount(t, App{
		Guards: []Guard{{Authenticator: auth, Options: authgear.Options{Observer: observer}}},
		Routes: []Route{
			{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: func(Context) (int, string) { return 200, "" }},
			{Path: "/role", Steps: []Step{{Kind: Require, Policies: []authgear.Policy{authgear.Role("admin")}}}, Handler: whoAmI},
			{Path: "/denied", Steps: []Step{{Kind: Require, Policies: []authgear.Policy{deny}}}, Handler: whoAmI},
		},
	})
	opaque := server.OpaqueToken(alice)
	expired := server.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Hour})
	_, expiredSignature, _ := cutLast(expired)
	for what, line := range map[string]string{
		"good":              "Bearer " + good,
		"expired":           "Bearer " + expired,
		"a bad signature":   "Bearer " + header + "." + payload + "." + signature[:len(signature)-8] + "AAAAAAAA",
		"two parts":         "Bearer " + header + "." + payload,
		"opaque":            "Bearer " + opaque,
		"an ID token":       "Bearer " + server.IDToken(alice, "demo"),
		"two tokens":        "Bearer " + good + " " + good,
		"quoted":            `Bearer "` + good + `"`,
		"another scheme":    "Basic " + good,
		"no scheme":         good,
		"too large":         "Bearer " + good + strings.Repeat("a", 16<<10),
		"standard alphabet": "Bearer " + header + "+/." + payload + "." + signature,
	} {
		for _, path := range []string{"/optional", "/role", "/denied"} {
			got := b.get(t, "GET", path, line)
			decisions, notices := record.take()
			var text strings.Builder
			fmt.Fprint(&text, got.header, got.body)
			logger := slog.New(slog.NewTextHandler(&text, nil))
			for _, d := range decisions {
				logger.Info("decision", "error", d.Err)
				for err := d.Err; err != nil; err = errors.Unwrap(err) {
					fmt.Fprintf(&text, "%v %+v\n", err, err)
				}
			}
			fmt.Fprintf(&text, "%+v", notices)
			for _, secret := range []string{good, payload, signature[:40], expiredSignature, opaque, userID} {
				if strings.Contains(text.String(), secret) {
					t.Errorf("%s at %s: %q is told in %s", what, path, secret, text.String())
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
