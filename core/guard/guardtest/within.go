package guardtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// byKey is an authenticator of a user's own, who knows the sender by a header of
// its own.
type byKey struct{ calls atomic.Int32 }

func (b *byKey) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	b.calls.Add(1)
	if keys := r.Values("X-Api-Key"); len(keys) == 1 {
		return &authgear.Identity{Kind: authgear.KindUser, ID: keys[0]}, nil
	}
	return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
}

// testSubRequests: a request within the process that has the context of another
// is its own sender's.
func testSubRequests(t *testing.T, mount Mount) {
	loopback, elsewhere := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
	observer := &authgear.Observer{}
	forwarded, err := authgear.NewForwarded(authgear.ForwardedConfig{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Observer: observer})
	if err != nil {
		t.Fatal(err)
	}
	keys := &byKey{}
	session := func(id string) http.Header {
		return http.Header{
			"X-Authgear-Session-Valid": {"true"}, "X-Authgear-User-Id": {id}, "X-Authgear-User-Anonymous": {"false"},
			"X-Authgear-User-Verified": {"true"}, "X-Authgear-User-Can-Reauthenticate": {"true"},
		}
	}
	refused := refusal(authgear.ReasonNoCredentials, "").body
	for _, c := range []struct {
		what   string
		guard  int
		header http.Header
		peer   net.Addr
		status int
		body   string
	}{
		{"another session", 0, session("bob"), loopback, 200, "bob"},
		{"no session", 0, http.Header{}, loopback, 401, refused},
		{"the same from another peer", 0, session("alice"), elsewhere, 401, refused},
		{"the same", 0, session("alice"), loopback, 200, "alice"},
		{"another key", 1, http.Header{"X-Api-Key": {"bob"}}, loopback, 200, "bob"},
		{"no key", 1, http.Header{}, loopback, 401, refused},
		{"the same key", 1, http.Header{"X-Api-Key": {"alice"}}, loopback, 200, "alice"},
	} {
		outer := func(context Context) (int, string) {
			status, body := context.Within("/inner", c.header, c.peer)
			_, who := whoAmI(context)
			return 200, fmt.Sprint(who, status, body)
		}
		f := &fixture{record: &record{}}
		f.addr = mount(t, App{
			Guards: []Guard{{Authenticator: forwarded, Config: guard.Config{Observer: observer}}, {Authenticator: keys, Config: guard.Config{Observer: observer}}},
			Routes: []Route{
				{Path: "/outer", Steps: []Step{{Kind: Optional, Guard: c.guard}, {Kind: Require, Guard: c.guard}}, Handler: outer},
				{Path: "/inner", Steps: []Step{{Kind: Optional, Guard: c.guard}, {Kind: Require, Guard: c.guard}}, Handler: whoAmI},
			},
		})
		lines := []string{"X-Api-Key: alice"}
		for name, values := range session("alice") {
			lines = append(lines, name+": "+values[0])
		}
		if c.guard == 0 { // the same names as in the outer request
			c.header["X-Api-Key"], c.header["Connection"] = []string{"alice"}, []string{"close"}
		}
		keys.calls.Store(0)
		wantBody(t, c.what, f.raw(t, head("GET", "/outer", lines...)), 200, fmt.Sprint("alice", c.status, c.body))
		if calls := keys.calls.Load(); c.guard == 1 && calls != 2 && c.what != "the same key" || c.what == "the same key" && calls != 1 {
			t.Errorf("%s: %d calls", c.what, calls)
		}
	}
}
