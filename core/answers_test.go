package authgear

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// memory is a transport for which every session is alice's.
type memory struct{ calls int }

func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	m.calls++
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r, Header: http.Header{
		"X-Authgear-Session-Valid": {"true"}, "X-Authgear-User-Id": {"alice"}, "X-Authgear-User-Anonymous": {"false"},
		"X-Authgear-User-Verified": {"true"}, "X-Authgear-User-Can-Reauthenticate": {"false"},
	}}, nil
}

// A request that found no answer, and comes to the call when an earlier call
// has just ended, does not ask again. A request that wants a fresh answer does.
// And no credential is kept.
func TestCallLooksAgain(t *testing.T) {
	t.Parallel()
	network := &memory{}
	r, err := NewResolver(ResolverConfig{Endpoint: "https://auth.example.com", CacheTTL: time.Minute, HTTPClient: &http.Client{Transport: network}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []credential{{token: "secret"}, {name: "session", value: "secret"}} {
		network.calls = 0
		for _, fresh := range []bool{false, false, true, false} {
			if a := r.call(context.Background(), c, c.key(), fresh); a.err != nil || a.identity.ID != "alice" {
				t.Errorf("%+v", a)
			}
		}
		if network.calls != 2 {
			t.Errorf("%d calls", network.calls)
		}
		if a, ok := r.accepted.Last(c.key()); !ok || strings.Contains(fmt.Sprintf("%+v %+v %s", a, a.identity, c.key()), "secret") {
			t.Errorf("%t, %+v", ok, a)
		}
	}
}
