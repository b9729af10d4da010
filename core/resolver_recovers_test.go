package authgear_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// Many requests of many users, while Authgear dies and comes back and sessions
// end: each gets its own user's identity or 503, a session whose end was heard
// of stays ended, Authgear is asked rarely while it is down, and the service
// recovers by itself.
func TestResolverSoak(t *testing.T) {
	t.Parallel()
	const users, clients, outageTime = 25, 20, 30 * time.Second
	for _, config := range []authgear.ResolverConfig{
		{}, {CacheTTL: 2 * time.Second, StaleIfError: 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			sessions := map[string]string{}
			var all []string
			for n := range users {
				for _, credential := range []string{fmt.Sprintf("Bearer t%d", n), fmt.Sprintf("session=t%d", n)} {
					sessions[credential] = fmt.Sprintf("user-%d", n)
					all = append(all, credential)
				}
			}
			owners := map[string]string{}
			for credential, id := range sessions {
				owners[credential] = id
			}
			p := newProject(sessions)
			auth := newResolver(t, p, config)

			var refused, ended sync.Map // sessions that the service has heard the end of, and those that have ended
			var stop atomic.Bool
			var wg sync.WaitGroup
			for client := range clients {
				wg.Go(func() {
					random := rand.New(rand.NewPCG(uint64(client), 1)) //nolint:gosec // repeatable
					for !stop.Load() {
						credential := all[random.IntN(len(all))]
						request := sent([]string{credential}, nil)
						if credential[0] == 's' {
							request = browser(credential)
						}
						ask := auth.Authenticate
						if random.IntN(4) == 0 {
							ask = auth.AuthenticateFresh
						}
						_, wasRefused := refused.Load(credential)
						start := time.Now()
						identity, err := ask(t.Context(), request)
						e, _ := errors.AsType[*authgear.Error](err)
						switch {
						case time.Since(start) > 5*time.Second:
							t.Errorf("answered after %v", time.Since(start))
						case err == nil && (identity.ID != owners[credential] || wasRefused):
							t.Errorf("%s is %s, refused before: %t", credential, identity.ID, wasRefused)
						case err == nil:
						case e != nil && e.Outcome() == authgear.OutcomeInvalid:
							if _, has := ended.Load(credential); !has {
								t.Errorf("%s is refused: %v", credential, err)
							}
							refused.Store(credential, nil)
						default:
							wantUnavailable(t, identity, err, authgear.ReasonResolverUnavailable)
						}
						time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
					}
				})
			}
			end := func(credential string) {
				ended.Store(credential, nil)
				p.change(func() { delete(p.users, credential) })
			}
			for round, outage := range []func(){
				func() { p.err = errors.New("connection refused") },
				func() { p.status = 500 },
				func() { p.hold = make(chan struct{}) }, // no answer
			} {
				time.Sleep(outageTime / 3)
				end(all[round])
				time.Sleep(time.Second)
				p.change(outage)
				end(all[10+round])
				before := p.total()
				time.Sleep(outageTime)
				// Until it opens up to 64 calls are on their way, each with two
				// attempts; then there are a few pauses.
				if n := p.total() - before; n > 2*(64+6) {
					t.Errorf("%+v: asked %d times in an outage", config, n)
				}
				p.change(func() {
					if p.hold != nil {
						close(p.hold)
					}
					p.err, p.status, p.hold = nil, 0, nil
				})
				time.Sleep(10*time.Second + time.Second) // the longest pause, and the next request
				identity, err := auth.AuthenticateFresh(t.Context(), bearer(fmt.Sprint("t", users-1)))
				wantUser(t, identity, err, owners[all[len(all)-1]])
			}
			stop.Store(true)
			wg.Wait()
			synctest.Wait()
		})
	}
}

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
	auth := newResolver(t, nil, authgear.ResolverConfig{Endpoint: server.Endpoint()})
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
		for deadline := time.Now().Add(time.Minute); ; { // as a probe does
			if time.Now().After(deadline) {
				t.Fatalf("%s: it does not recover", name)
			}
			err := auth.Ready(t.Context())
			_, probe := auth.AuthenticateFresh(t.Context(), requests[0])
			if err == nil && probe == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		round()
		healthy("after " + name)
	}
	// What fails some calls and not Authgear is hardly seen: each dead connection
	// costs one call, of which a request makes three and the checks take many.
	for name, lever := range map[string]func(){
		"20 dead connections": func() { server.RestartDatabase(20) },
		"50 dead connections": func() { server.RestartDatabase(50) },
		"a database that fails in the middle of every tenth call": func() { server.SetDatabaseFailing(10) },
	} {
		lever()
		round()
		if n := unavailable.Load(); n > 30 {
			t.Errorf("%s: %d requests are refused", name, n)
		}
		server.SetDatabaseFailing(0)
		round()
		healthy("after " + name)
	}
	disabled := owners[0]
	server.DisableUser(disabled)
	for i, want := range []authgear.Reason{authgear.ReasonTokenRejected, authgear.ReasonTokenRejected, authgear.ReasonSessionInvalid} {
		_, err := auth.Authenticate(t.Context(), requests[i])
		wantReason(t, err, want)
	}
}

// A thousand resolvers that nobody holds any longer leave no connection, and
// with TestMain no goroutine.
func TestResolversAreThrownAway(t *testing.T) {
	t.Parallel()
	const resolvers = 1000
	var open atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Authgear-Session-Valid", "false")
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		default:
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range resolvers / 4 {
				auth := newResolver(t, nil, authgear.ResolverConfig{Endpoint: server.URL, CacheTTL: time.Minute, StaleIfError: time.Minute})
				if err := auth.Ready(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for limit := time.Now().Add(time.Minute); open.Load() != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d connections stay open", open.Load())
		}
		runtime.GC()
	}
}

func isUnavailable(err error) bool {
	e, ok := errors.AsType[*authgear.Error](err)
	return ok && e.Outcome() == authgear.OutcomeUnavailable
}
