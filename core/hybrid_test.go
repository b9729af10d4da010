package authgear_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

const (
	aUser    = "https://authgear.com/claims/user/"
	resource = "https://api.example.com/orders"
)

// hybrid is a Hybrid, and the project in memory that it asks.
type hybrid struct {
	*authgear.Hybrid
	*project
	signer
	keys        *publisher
	revocations *authgear.MemoryRevocations
}

// RoundTrip lets the publisher answer for keys, the project for the rest.
func (h *hybrid) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/_resolver") {
		return h.project.RoundTrip(r)
	}
	return h.keys.RoundTrip(r)
}

func newHybrid(t testing.TB, config authgear.HybridConfig) *hybrid {
	t.Helper()
	s := newSigner(t, "k")
	h := &hybrid{project: newProject(map[string]string{}), signer: s, keys: &publisher{keys: []string{s.jwk()}}, revocations: &authgear.MemoryRevocations{}}
	if config.Revocations == nil {
		config.Revocations = h.revocations
	}
	h.Hybrid = h.restarted(t, config)
	return h
}

// restarted is another process of the same project.
func (h *hybrid) restarted(t testing.TB, config authgear.HybridConfig) *authgear.Hybrid {
	t.Helper()
	config.Endpoint, config.HTTPClient, config.Observer = liveEndpoint, &http.Client{Transport: h}, &authgear.Observer{}
	auth, err := authgear.NewHybrid(config)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// signIn returns a new token of the user, which the project knows.
func (h *hybrid) signIn(t testing.TB, user string) string {
	t.Helper()
	token := h.token(t, user, m{"jti": time.Now().String()})
	h.change(func() { h.users["Bearer "+token] = user })
	return token
}

// signOut ends the session of a token or cookie.
func (h *hybrid) signOut(credential string) {
	h.change(func() { delete(h.users, credential) })
}

func (h *hybrid) ask(t *testing.T, request authgear.Request) (*authgear.Identity, error) {
	t.Helper()
	return h.Authenticate(t.Context(), request)
}

func (h *hybrid) wantUser(t *testing.T, token, user string) *authgear.Identity {
	t.Helper()
	identity, err := h.ask(t, bearer(token))
	wantUser(t, identity, err, user)
	return identity
}

func (h *hybrid) wantRefused(t *testing.T, token string, reason authgear.Reason) {
	t.Helper()
	_, err := h.ask(t, bearer(token))
	wantReason(t, err, reason)
}

// All mistakes are named at once, each by its field.
func TestNewHybridMistakes(t *testing.T) {
	t.Parallel()
	var nobody *authgear.MemoryRevocations
	_, err := authgear.NewHybrid(authgear.HybridConfig{
		Endpoint: "auth.example.com", Freshness: -1, MaxStale: -2, Leeway: time.Hour, Cookies: []string{"a", "a"}, TokenCookie: "a",
		ClientIDs: []string{""}, Resources: []string{"app"}, Timeout: -1, ResolverURL: "x", InternalURL: "y", Revocations: nobody,
	})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, field := range []string{"Endpoint", "ClientIDs", "Resources", "Leeway", "InternalURL", "ResolverURL", "Cookies", "TokenCookie", "Timeout", "Freshness", "MaxStale", "Revocations"} {
		named := func(line string) bool {
			return strings.HasPrefix(strings.TrimPrefix(line, "authgear: HybridConfig: "), field+": ")
		}
		if !slices.ContainsFunc(lines, named) {
			t.Errorf("%s is not named in\n%v", field, err)
		}
	}
	if len(lines) != 12 {
		t.Errorf("%d mistakes, not 12:\n%v", len(lines), err)
	}
	_, err = authgear.NewHybrid(authgear.HybridConfig{Endpoint: liveEndpoint, MaxStale: time.Second})
	if err == nil || err.Error() != "authgear: HybridConfig: MaxStale: 1s is shorter than Freshness, which is 10s" {
		t.Errorf("%v", err)
	}
	if _, err = authgear.NewHybrid(authgear.HybridConfig{Endpoint: liveEndpoint, Freshness: time.Minute}); err != nil {
		t.Error(err)
	}
}

// What the resolver says counts, and what only the token says stays.
func TestHybridFacts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		token := h.token(t, "alice", m{
			"scope": "openid email", "auth_time": time.Now().Unix() - 7200, "x_tenant": "t1", "amr": []string{"pwd"},
			aUser + "roles": []string{"gone"}, aUser + "is_anonymous": true, aUser + "is_verified": false, aUser + "can_reauthenticate": true,
		})
		reauthenticated := time.Now().Add(-time.Minute).Truncate(time.Second).UTC()
		h.change(func() {
			h.odd = func(string) *http.Response {
				header := sessionOf("alice")
				header.Set("X-Authgear-Session-Authenticated-At", "946684740")
				return answered(nil, 200, header, "")
			}
		})
		for _, cached := range []bool{false, true} {
			asked := time.Now()
			identity := h.wantUser(t, token, "alice")
			if identity.Anonymous || !identity.Verified || identity.CanReauthenticate || !slices.Equal(identity.Roles, []string{"editor", "role:alice"}) || !identity.AuthenticatedAt.Equal(reauthenticated) {
				t.Errorf("not what the resolver says: %+v", identity)
			}
			var custom struct {
				Tenant string `json:"x_tenant"`
			}
			if err := identity.Claims(&custom); err != nil || custom.Tenant != "t1" {
				t.Errorf("%v, %v", custom, err)
			}
			if identity.ClientID != "spa" || !slices.Equal(identity.Scopes, []string{"openid", "email"}) || identity.ExpiresAt.IsZero() || !slices.Equal(identity.AMR, []string{"pwd"}) {
				t.Errorf("not what the token says: %+v", identity)
			}
			if identity.Source != authgear.SourceHybrid || identity.Evidence.Cached != cached || !identity.Evidence.CheckedAt.Equal(asked) {
				t.Errorf("source %s, evidence %+v, asked at %v", identity.Source, identity.Evidence, asked)
			}
			identity.Roles[0] = "mine" // which nobody else sees
		}
	})
}

// What the resolver does not say stays as in the token, and what only the resolver says
// counts.
func TestHybridUnstated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		signedIn := time.Now().Add(-time.Hour).UTC()
		token := h.token(t, "alice", m{"auth_time": signedIn.Unix()})
		h.users["Bearer "+token] = "alice"
		identity := h.wantUser(t, token, "alice")
		if !identity.AuthenticatedAt.Equal(signedIn) {
			t.Errorf("signed in at %v, not %v", identity.AuthenticatedAt, signedIn)
		}
		if err := authgear.RecentAuthIfPossible(time.Minute).Check(t.Context(), identity); err != nil {
			t.Errorf("the resolver says that the user cannot reauthenticate: %v", err)
		}
	})
}

// Each kind of credential goes where its kind belongs.
func TestHybridKinds(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{Resources: []string{resource}, TokenCookie: "token"})
		h.users = map[string]string{"Bearer opaque": "alice", "session=a": "bob"}
		machine := h.token(t, "client_id_m2m", m{"client_id": "m2m", "aud": []string{resource}})
		identity, err := h.ask(t, bearer(machine))
		wantUser(t, identity, err, "client_id_m2m")
		if h.total() != 0 || identity.Source != authgear.SourceJWT || identity.Kind != authgear.KindClient {
			t.Errorf("the resolver was asked %d times about a client's token: %+v", h.total(), identity)
		}
		for request, user := range map[authgear.Request]string{bearer("opaque"): "alice", browser("session=a"): "bob", browser("token=opaque; session=a"): "alice"} {
			for range 2 {
				identity, err = h.ask(t, request)
				wantUser(t, identity, err, user)
				if identity.Source != authgear.SourceResolver {
					t.Errorf("source %s", identity.Source)
				}
			}
		}
		if h.total() != 2 {
			t.Errorf("%d calls for an opaque token and a cookie", h.total())
		}
		token := h.signIn(t, "carol")
		if identity, err = h.ask(t, browser("token="+token+"; session=a")); err != nil || identity.ID != "carol" || !identity.Evidence.Ambient {
			t.Errorf("%+v, %v", identity, err)
		}
		for _, foreign := range []string{"a.b", newSigner(t, "k").token(t, "mallory", nil), h.token(t, "old", m{"exp": time.Now().Unix() - 60})} {
			before := h.total()
			if _, err = h.ask(t, bearer(foreign)); err == nil || h.total() != before {
				t.Errorf("%v, and %d calls about a token that is not good", err, h.total()-before)
			}
		}
		for _, token := range []string{"a,b", "a.b,c", "a\u00e4"} {
			_, err = h.ask(t, bearer(token))
			wantReason(t, err, authgear.ReasonAuthorizationMalformed)
		}
		_, err = h.ask(t, browser("token=a.b"))
		if e, ok := errors.AsType[*authgear.Error](err); !ok || !e.Evidence.Ambient {
			t.Errorf("a bad token in a cookie: %v", err)
		}
		_, err = h.ask(t, sent(nil, nil))
		wantReason(t, err, authgear.ReasonNoCredentials)
	})
}

// An opaque token does not tell its client.
func TestHybridClientIDs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{ClientIDs: []string{"spa"}})
		h.users = map[string]string{"Bearer opaque": "alice", "session=a": "bob"}
		h.wantUser(t, h.signIn(t, "alice"), "alice")
		h.wantRefused(t, h.token(t, "alice", m{"client_id": "other"}), authgear.ReasonClientNotAllowed)
		h.wantRefused(t, "opaque", authgear.ReasonClientNotAllowed)
		identity, err := h.ask(t, browser("session=a"))
		wantUser(t, identity, err, "bob")
		if h.total() != 2 {
			t.Errorf("%d calls, not 2", h.total())
		}
	})
}

// An answer about another user than the token's never counts, whether it is new or kept.
func TestHybridOtherUser(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true})
		token := h.token(t, "alice", nil)
		h.users["Bearer "+token] = "mallory"
		for range 3 {
			identity, err := h.ask(t, bearer(token))
			wantUnavailable(t, identity, err, authgear.ReasonAnswerMalformed)
		}
	})
}

// Verify and AuthenticateFresh are as for the other authenticators.
func TestHybridVerifyAndFresh(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{InsecureJWTFallback: true})
		token := h.signIn(t, "alice")
		identity, err := h.Verify(t.Context(), token)
		wantUser(t, identity, err, "alice")
		for range 3 {
			identity, err = h.AuthenticateFresh(t.Context(), bearer(token))
			wantUser(t, identity, err, "alice")
		}
		if h.total() != 4 {
			t.Errorf("%d calls, not 4", h.total())
		}
		h.change(func() { h.err = errors.New("connection refused") })
		identity, err = h.AuthenticateFresh(t.Context(), bearer(token))
		wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
		h.wantUser(t, token, "alice")
		_, err = h.Verify(t.Context(), "x y")
		wantReason(t, err, authgear.ReasonTokenMalformed)
	})
}

func TestHybridReady(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		h := newHybrid(t, authgear.HybridConfig{})
		h.keys.publish()
		if err := h.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "keys") {
			t.Errorf("without keys: %v", err)
		}
		h.keys.publish(h.jwk())
		h.change(func() { h.err = errors.New("connection refused") })
		time.Sleep(2 * time.Second)
		if err := h.restarted(t, authgear.HybridConfig{}).Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("without a resolver: %v", err)
		}
		h.change(func() { h.err = nil })
		time.Sleep(2 * time.Second)
		if err := h.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A kept answer costs what it costs in JWT mode.
func TestHybridAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	h := newHybrid(t, authgear.HybridConfig{Freshness: time.Hour}) // so long that nothing runs in the background
	token := h.token(t, "alice", m{aUser + "roles": []string{"editor", "role:alice"}})
	h.users["Bearer "+token] = "alice"
	h.wantUser(t, token, "alice")
	_ = h.revocations.Forget(t.Context(), "bob")
	request := bearer(token)
	if n := testing.AllocsPerRun(100, func() { _, _ = h.Authenticate(t.Context(), request) }); n > 1 {
		t.Errorf("%v allocations, not 1", n)
	}
}
