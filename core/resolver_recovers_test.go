package authgear_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// The same for a moment over real sockets.
func TestResolverRecovers(t *testing.T) {
	t.Parallel()
	server := authgeartest.New(t)
	requests, owners := []authgear.Request{}, []string{}
	for range 10 {
		id := server.AddUser(authgeartest.User{})
		requests = append(requests, bearer(server.AccessToken(id)), bearer(server.OpaqueToken(id)), browser("session="+server.SessionCookie(id).Value))
		owners = append(owners, id, id, id)
	}
	auth := newResolver(t, nil, authgear.ResolverConfig{Endpoint: server.Endpoint(), Timeout: time.Minute})
	var good, unavailable atomic.Int32
	round := func() {
		good.Store(0)
		unavailable.Store(0)
		var wg sync.WaitGroup
		for i := range 4 * len(requests) {
			wg.Go(func() {
				identity, err := auth.Authenticate(t.Context(), requests[i%len(requests)])
				if err == nil {
					wantUser(t, identity, err, owners[i%len(requests)])
					good.Add(1)
					return
				}
				if identity != nil || !isUnavailable(err) {
					t.Errorf("%v, %v", identity, err)
				}
				unavailable.Add(1)
			})
		}
		wg.Wait()
	}
	healthy := func(when string) {
		t.Helper()
		if n := unavailable.Load(); n != 0 {
			t.Errorf("%s: %d requests are refused", when, n)
		}
	}
	recovers := func(when string) { // asks as a probe does, until all is well
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			err := auth.Ready(t.Context())
			_, probe := auth.AuthenticateFresh(t.Context(), requests[0])
			if err == nil && probe == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: it does not recover: %v, %v", when, err, probe)
			}
		}
		round()
		healthy(when)
	}
	round()
	healthy("at first")
	for name, lever := range map[string]func(bool){
		"down":    server.SetDown,
		"outage":  server.SetOutage,
		"redis":   server.SetRedisDown,
		"failing": func(on bool) { server.SetFailing(map[bool]int{true: 502}[on]) },
	} {
		lever(true)
		round()
		if n := good.Load(); n != 0 {
			t.Errorf("%s: %d requests are let through", name, n)
		}
		lever(false)
		recovers("after " + name)
	}
	// These faults make only some calls fail. This test does not count the requests that
	// are refused: on a slow machine, a slow health check looks like an outage.
	// TestDeadConnections and TestEveryTenthCallFails count them.
	for name, lever := range map[string]func(){
		"20 dead connections": func() { server.RestartDatabase(20) },
		"50 dead connections": func() { server.RestartDatabase(50) },
		"a database that fails in the middle of every tenth call": func() { server.SetDatabaseFailing(10) },
	} {
		lever()
		round()
		server.SetDatabaseFailing(0)
		recovers("after " + name)
	}
	disabled := owners[0]
	server.DisableUser(disabled)
	for i, want := range []authgear.Reason{authgear.ReasonTokenRejected, authgear.ReasonTokenRejected, authgear.ReasonSessionInvalid} {
		_, err := auth.Authenticate(t.Context(), requests[i])
		wantReason(t, err, want)
	}
}

func isUnavailable(err error) bool {
	e, ok := errors.AsType[*authgear.Error](err)
	return ok && e.Outcome() == authgear.OutcomeUnavailable
}
