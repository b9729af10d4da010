package authgear_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
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
		decide(authgear.ReasonNoCredentials)
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

		for range 1000 {
			decide(authgear.ReasonTokenExpired)
		}
		decide(authgear.ReasonKeysUnavailable)
		got := lines()
		if len(got) != 2 || !strings.Contains(got[0], "level=WARN") || !strings.Contains(got[0], "error.reason=token_expired") ||
			!strings.Contains(got[0], `error.cause="the cause"`) || !strings.Contains(got[0], "count=1") || !strings.Contains(got[1], "level=ERROR") {
			t.Errorf("logged: %q", got)
		}

		time.Sleep(time.Minute)
		decide(authgear.ReasonTokenExpired)
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "count=1000") {
			t.Errorf("logged: %q", got)
		}

		o.Fetch(ctx, authgear.Fetch{Kind: authgear.FetchJWKS, URL: "https://x/oauth2/jwks", Status: 500, Err: errors.New("status 500")})
		o.Notice(ctx, authgear.Notice{Kind: authgear.NoticePreflight, Err: errors.New("order")})
		if got := lines(); len(got) != 2 || !strings.Contains(got[0], "url=https://x/oauth2/jwks") || !strings.Contains(got[1], "kind=preflight") {
			t.Errorf("logged: %q", got)
		}
	})
}
