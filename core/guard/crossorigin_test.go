package guard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

// ambient is an identity that browsers state by themselves.
func ambient(authgear.Request) (*authgear.Identity, error) {
	return &authgear.Identity{Kind: authgear.KindUser, ID: "alice", Source: authgear.SourceResolver, Evidence: authgear.Evidence{Ambient: true}}, nil
}

// Methods that not every framework routes: all but three are unsafe, and they
// are case-sensitive (RFC 9110 §9.1).
func TestCrossOriginMethods(t *testing.T) {
	t.Parallel()
	check := guard.New(authenticate(ambient), silent()).Require()
	for method, safe := range map[string]bool{
		"GET": true, "HEAD": true, "OPTIONS": true,
		"POST": false, "PUT": false, "PATCH": false, "DELETE": false, "CONNECT": false, "TRACE": false,
		"QUERY": false, "PURGE": false, "get": false, "Get": false, "head": false, "options": false, "GETX": false,
	} {
		for _, upgrade := range [][]string{nil, {"websocket"}, {""}} {
			r := newRequest("", "session=a")
			r.Method = method
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			if upgrade != nil {
				r.Header["Upgrade"] = upgrade
			}
			_, refusal := run(check, context.Background(), r, http.Header{})
			if want := safe && upgrade == nil; (refusal == nil) != want || refusal != nil && refusal.Err.Reason != authgear.ReasonCrossOrigin {
				t.Errorf("%s, Upgrade %q: refusal = %+v, allowed: %v", method, upgrade, refusal, want)
			}
		}
	}
}

// The operator is told what to do, with what an attacker chose cut and quoted.
func TestCrossOriginCause(t *testing.T) {
	t.Parallel()
	check := guard.New(authenticate(ambient), silent()).Require()
	for _, c := range []struct {
		name         string
		origin, site []string
		want         string
	}{
		{"an origin", []string{"https://evil.example"}, nil, "add \"https://evil.example\" to TrustedOrigins"},
		{"a long one", []string{"https://" + strings.Repeat("x", 1000)}, nil, "TrustedOrigins"},
		{"a line break", []string{"a\nb"}, nil, `a\nb`},
		{"none", nil, []string{"cross-site"}, "cross-origin"},
		{"that of many", []string{"null"}, nil, "cannot be trusted"},
		{"two", []string{"http://example.com", "http://example.com"}, nil, "2 Origin and 0 Sec-Fetch-Site"},
		{"two sites", nil, []string{"none", "none"}, "0 Origin and 2 Sec-Fetch-Site"},
	} {
		r := newRequest("", "session=a")
		r.Method, r.Header["Origin"], r.Header["Sec-Fetch-Site"] = "POST", c.origin, c.site
		_, refusal := run(check, context.Background(), r, http.Header{})
		if refusal == nil {
			t.Errorf("%s: not refused", c.name)
			continue
		}
		cause := errors.Unwrap(refusal.Err)
		if cause == nil || !strings.Contains(cause.Error(), c.want) || strings.Contains(cause.Error(), "\n") || strings.Contains(cause.Error(), `"null"`) || len(cause.Error()) > 300 {
			t.Errorf("%s: the cause is %v", c.name, cause)
		}
	}
}

func TestCrossOriginHost(t *testing.T) {
	t.Parallel()
	check := guard.New(authenticate(ambient), silent()).Require()
	for _, c := range []struct {
		host, origin string
		ok           bool
	}{
		{"api.example.com", "https://api.example.com", true},
		{"API.Example.com", "https://api.example.com", true},
		{"api.example.com:8080", "http://api.example.com:8080", true},
		{"[::1]:8080", "http://[::1]:8080", true},
		{"api.example.com", "http://api.example.com:8080", false},
		{"", "null", false}, // which has no host either
		{"", "", true},
		{"", "https://evil.example", false},
		{"null", "null", false},
	} {
		r := newRequest("", "session=a")
		r.Method, r.Host = "POST", c.host
		r.Header.Set("Origin", c.origin)
		_, refusal := run(check, context.Background(), r, http.Header{})
		if (refusal == nil) != c.ok || refusal != nil && refusal.Err.Reason != authgear.ReasonCrossOrigin {
			t.Errorf("host %q, origin %q: refusal = %+v, allowed: %v", c.host, c.origin, refusal, c.ok)
		}
	}
}

// The rule is asked of each request, also of one whose identity is known from an
// outer check, and of an in-process request with the same cookie.
func TestCrossOriginIsNotReused(t *testing.T) {
	t.Parallel()
	g := guard.New(authenticate(ambient), silent())
	ctx, refusal := run(g.Require(), context.Background(), newRequest("", "session=a"), http.Header{})
	if refusal != nil {
		t.Fatal(refusal.Err)
	}
	sub := newRequest("", "session=a")
	sub.Method = "POST"
	sub.Header.Set("Sec-Fetch-Site", "cross-site")
	for name, check := range map[string]*guard.Check{"Require": g.Require(), "Optional": g.Optional()} {
		if _, refusal := run(check, ctx, sub, http.Header{}); refusal == nil || refusal.Err.Reason != authgear.ReasonCrossOrigin {
			t.Errorf("%s: refusal = %+v", name, refusal)
		}
	}
}

// A guard is for one set of origins, and a mistake in it is found at set-up.
func TestTrustedOriginsPanic(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"", "*", "null", "app.example.com", "https://app.example.com/", "https://APP.example.com", "https://app.example.com:443"} {
		if !panics(func() { guard.New(none{}, guard.Config{TrustedOrigins: []string{origin}}) }) {
			t.Errorf("%q is taken for an origin", origin)
		}
	}
}

// What the rule costs a request with a cookie: nothing more when it is safe.
func TestCrossOriginAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	identity := &authgear.Identity{Kind: authgear.KindUser, ID: "alice", Evidence: authgear.Evidence{Ambient: true}}
	check := guard.New(authenticate(func(authgear.Request) (*authgear.Identity, error) { return identity, nil }), silent()).Require()
	for method, most := range map[string]float64{"GET": 2, "POST": 4} {
		r := httptest.NewRequest(method, "/", nil)
		r.Header.Set("Cookie", "session=a")
		r.Header.Set("Origin", "http://example.com")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		header := http.Header{}
		got := testing.AllocsPerRun(1000, func() {
			if _, refusal := run(check, r.Context(), r, header); refusal != nil {
				t.Fatal(refusal.Err)
			}
		})
		if got > most {
			t.Errorf("%s: %v allocations, want at most %v", method, got, most)
		}
	}
}
