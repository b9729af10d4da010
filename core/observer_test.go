package authgear_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func TestLogObserver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		o := authgear.LogObserver(slog.New(slog.NewTextHandler(&log, nil)))
		ctx := context.Background()
		decide := func(reason authgear.Reason) {
			err := &authgear.Error{Reason: reason, Err: errors.New("the cause")}
			o.Decision(ctx, authgear.Decision{Outcome: reason.Outcome(), Reason: reason, Err: err})
		}
		lines := func() []string {
			defer log.Reset()
			return strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		}

		o.Decision(ctx, authgear.Decision{Outcome: authgear.OutcomeAuthenticated})
		nobody := &authgear.Error{Reason: authgear.ReasonNoCredentials}
		o.Decision(ctx, authgear.Decision{Outcome: nobody.Outcome(), Reason: nobody.Reason, Err: nobody})
		why := &authgear.Error{Reason: authgear.ReasonNoCredentials, Err: errors.New("another cookie")}
		o.Decision(ctx, authgear.Decision{Outcome: why.Outcome(), Reason: why.Reason, Err: why, WithoutIdentity: true})
		o.Fetch(ctx, authgear.Fetch{Kind: authgear.FetchJWKS, Status: 200})
		gone := &authgear.Error{Reason: authgear.ReasonResolverUnavailable, Err: fmt.Errorf("asking: %w", context.Canceled)}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		o.Decision(ended, authgear.Decision{Outcome: gone.Outcome(), Reason: gone.Reason, Err: gone})
		stale := &authgear.Error{Reason: authgear.ReasonSessionInvalid, Evidence: authgear.Evidence{Ambient: true}}
		o.Decision(ctx, authgear.Decision{Outcome: stale.Outcome(), Reason: stale.Reason, Err: stale, WithoutIdentity: true})
		if log.Len() != 0 {
			t.Errorf("logged: %s", log.String())
		}
		denied := &authgear.Error{Reason: authgear.ReasonPolicyDenied, Err: context.Canceled} // by a policy's own context
		o.Decision(ctx, authgear.Decision{Outcome: denied.Outcome(), Reason: denied.Reason, Err: denied})
		o.Decision(ctx, authgear.Decision{Outcome: why.Outcome(), Reason: why.Reason, Err: why})
		forged := &authgear.Error{Reason: authgear.ReasonSignatureInvalid}
		o.Decision(ended, authgear.Decision{Outcome: forged.Outcome(), Reason: forged.Reason, Err: forged})
		if got := lines(); len(got) != 3 {
			t.Errorf("logged: %q", got)
		}

		for range 1000 {
			decide(authgear.ReasonTokenExpired)
		}
		got := lines()
		if len(got) != 5 {
			t.Fatalf("%d lines for one reason in a minute, want 5", len(got))
		}
		for _, want := range []string{"level=WARN", "error.reason=token_expired", `error.cause="the cause"`, "error.advice=", "docs/reasons.md#token_expired", "count=1"} {
			if !strings.Contains(got[0], want) {
				t.Errorf("%s is not in %s", want, got[0])
			}
		}
		time.Sleep(time.Minute - 1)
		decide(authgear.ReasonTokenExpired)
		time.Sleep(time.Nanosecond)
		decide(authgear.ReasonTokenExpired)
		decide(authgear.ReasonTokenExpired)
		if got := lines(); len(got) != 2 || !strings.Contains(got[0], "count=997") || !strings.Contains(got[1], "count=1") {
			t.Errorf("logged: %q", got)
		}

		decide(authgear.ReasonInternal) // a failure of the service itself is no outage
		o.Fetch(ctx, authgear.Fetch{Kind: authgear.FetchJWKS, Status: 200})
		if got := lines(); len(got) != 1 || strings.Contains(got[0], "answers again") {
			t.Errorf("logged: %q", got)
		}

		for range 100 {
			decide(authgear.ReasonKeysUnavailable)
		}
		if got := lines(); len(got) != 5 || !strings.Contains(got[0], "level=ERROR") {
			t.Errorf("logged: %q", got)
		}
		o.Decision(ctx, authgear.Decision{Outcome: authgear.OutcomeAuthenticated, Source: authgear.SourceJWT}) // by keys that are held
		if log.Len() != 0 {
			t.Errorf("logged: %s", log.String())
		}
		for range 2 {
			o.Fetch(ctx, authgear.Fetch{Kind: authgear.FetchJWKS, Status: 200})
		}
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "answers again") || !strings.Contains(got[0], "refused=100") {
			t.Errorf("when the outage ends: %q", got)
		}
		for range 6 { // outages of one request each, behind a proxy
			decide(authgear.ReasonResolverSilent)
			o.Decision(ctx, authgear.Decision{Outcome: authgear.OutcomeAuthenticated, Source: authgear.SourceForwarded})
		}
		time.Sleep(time.Minute)
		decide(authgear.ReasonResolverSilent)
		log.Reset()
		o.Decision(ctx, authgear.Decision{Outcome: authgear.OutcomeAuthenticated, Source: authgear.SourceForwarded})
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "refused=3") { // two that no line has told, and one
			t.Errorf("after many outages: %q", got)
		}

		o.Fetch(ctx, authgear.Fetch{Kind: authgear.FetchJWKS, URL: "https://x/oauth2/jwks", Status: 500, Err: errors.New("status 500"), Reason: authgear.ReasonKeysUnavailable})
		o.Notice(ctx, authgear.Notice{Kind: authgear.NoticePreflight, Err: errors.New("order")})
		if got := lines(); len(got) != 2 || !strings.Contains(got[0], "url=https://x/oauth2/jwks") || !strings.Contains(got[0], "docs/reasons.md#keys_unavailable") || !strings.Contains(got[1], "kind=preflight") {
			t.Errorf("logged: %q", got)
		}
	})
}

// A request to Authgear, and what is told of it, have the context that was made
// at its start. A panic harms nothing.
func TestFetchStart(t *testing.T) {
	t.Parallel()
	type key struct{}
	server, err := authgeartest.Start(authgeartest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	token := server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	for _, panics := range []bool{false, true} {
		var mu sync.Mutex
		var got []string
		observer := &authgear.Observer{
			FetchStart: func(ctx context.Context, kind authgear.FetchKind, url string) context.Context {
				if panics {
					panic("the observer fails")
				}
				return context.WithValue(ctx, key{}, string(kind)+" "+url)
			},
			Fetch: func(ctx context.Context, f authgear.Fetch) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, fmt.Sprint(ctx.Value(key{}) == string(f.Kind)+" "+f.URL))
				if panics {
					panic("the observer fails")
				}
			},
			Decision: func(context.Context, authgear.Decision) { panic("the observer fails") },
		}
		jwt := newJWT(t, authgear.JWTConfig{Endpoint: server.Endpoint(), Observer: observer})
		resolver, err := authgear.NewResolver(authgear.ResolverConfig{Endpoint: server.Endpoint(), Observer: observer})
		if err != nil {
			t.Fatal(err)
		}
		for _, verify := range []func(context.Context, string) (*authgear.Identity, error){jwt.Verify, resolver.Verify} {
			if identity, err := verify(t.Context(), token); err != nil || identity.ID != "alice" {
				t.Errorf("panics %t: %v, %v", panics, identity, err)
			}
		}
		mu.Lock()
		if want := fmt.Sprint(!panics); len(got) != 3 || slices.ContainsFunc(got, func(s string) bool { return s != want }) {
			t.Errorf("panics %t: %q", panics, got)
		}
		mu.Unlock()
	}
}
