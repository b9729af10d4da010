package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Authgear is behind an HTTP/2 server whose header limit is 8 KB. A longer
// header ends the connection, and with it all other calls over it.
func TestOversizeTokens(t *testing.T) {
	t.Parallel()
	type connKey struct{}
	for name, over1 := range map[string]func(http.ResponseWriter){
		"nginx says 400":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadRequest) },
		"others say 431":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge) },
		"some just close": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				credential := r.Header.Get("Authorization")
				switch {
				case len(credential) > 8<<10 && r.ProtoMajor == 2:
					_ = r.Context().Value(connKey{}).(net.Conn).Close()
				case len(credential) > 8<<10:
					over1(w)
				case strings.HasPrefix(credential, "Bearer user-"):
					for name, values := range sessionOf(strings.TrimPrefix(credential, "Bearer user-")) {
						w.Header()[name] = values
					}
				default:
					w.Header().Set("X-Authgear-Session-Valid", "false")
				}
				time.Sleep(time.Millisecond)
			}))
			front.EnableHTTP2 = true
			front.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
				return context.WithValue(ctx, connKey{}, c)
			}
			front.StartTLS()
			t.Cleanup(front.Close)
			auth := newResolver(t, nil, authgear.ResolverConfig{InternalURL: front.URL, HTTPClient: front.Client(), Timeout: time.Minute})
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for n := range 5 {
				wg.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						token := fmt.Sprint(n, "-", i, strings.Repeat("x", 8<<10+n*1000))
						_, err := auth.Authenticate(t.Context(), bearer(token))
						e, ok := errors.AsType[*authgear.Error](err)
						if !ok || e.Reason != authgear.ReasonTokenTooLarge && (name != "some just close" || e.Reason != authgear.ReasonResolverUnavailable) {
							t.Errorf("the sender gets %v", err)
						}
					}
				})
			}
			if refused, _, p99 := crowd(t, auth, 2*time.Second); refused > 0 {
				t.Errorf("%d others are refused, p99 %v", refused, p99)
			}
			close(stop)
			wg.Wait()
		})
	}
}

// When a credential is too large for a server in front of Authgear, the client
// has to mend it. But a browser cannot mend a 400.
func TestTooLargeForTheServer(t *testing.T) {
	t.Parallel()
	p := newProject(nil)
	p.status = 431
	auth := newResolver(t, p, authgear.ResolverConfig{TokenCookie: "token", CacheTTL: time.Hour})
	for range 2 {
		for request, want := range map[authgear.Request]authgear.Reason{
			bearer("a"): authgear.ReasonTokenTooLarge, browser("token=a"): authgear.ReasonTokenMalformed, browser("session=a"): authgear.ReasonSessionInvalid,
		} {
			identity, err := auth.Authenticate(t.Context(), request)
			wantRefusal(t, identity, err, want, want != authgear.ReasonTokenTooLarge)
		}
	}
}
