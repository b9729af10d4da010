package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/authgear/authgear-sdk-go/core/internal/fetch"
)

const (
	origin = "https://auth.example.test"
	jwks   = "/oauth2/jwks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("connection refused")

// project is a Client in memory. Its fields are changed by set only.
type project struct {
	mu          sync.Mutex
	kids        []string
	document    string // instead of the discovery document
	body        string // instead of the set
	path        string // where the set is
	down        bool   // no answer
	status      int    // of the set, instead of 200
	panics      bool
	hold        chan struct{} // the set is answered when it is closed
	took        time.Duration // by each answer
	discoveries int
	fetches     int
}

func (p *project) set(change func(*project)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *project) URL(path string) string { return origin + path }

func (p *project) Get(ctx context.Context, path string) ([]byte, int, error) {
	p.mu.Lock()
	discovery := path == discoveryPath
	if discovery {
		p.discoveries++
	} else {
		p.fetches++
	}
	hold, took := p.hold, p.took
	p.mu.Unlock()

	if hold != nil && !discovery {
		<-hold
	}
	if took > 0 {
		time.Sleep(took)
	}
	if ctx.Err() != nil {
		return nil, 0, ctx.Err()
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.panics:
		panic("broken client")
	case p.down:
		return nil, 0, errDown
	case discovery && p.document != "":
		return []byte(p.document), 200, nil
	case discovery:
		return fmt.Appendf(nil, `{"issuer":%q,"jwks_uri":%q}`, origin, origin+p.path), 200, nil
	case p.status != 0:
		return nil, p.status, fmt.Errorf("status %d", p.status)
	case path != p.path:
		return nil, 404, errors.New("status 404")
	case p.body != "":
		return []byte(p.body), 200, nil
	}
	var published []string
	for _, kid := range p.kids {
		published = append(published, key(kid, nil))
	}
	return set(published...), 200, nil
}

// count checks what the project was asked so far.
func (p *project) count(t *testing.T, discoveries, fetches int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discoveries != discoveries || p.fetches != fetches {
		t.Errorf("%d discoveries and %d fetches, want %d and %d", p.discoveries, p.fetches, discoveries, fetches)
	}
}

// run runs a test on a clock of its own.
func run(t *testing.T, test func(*testing.T, *Set, *project)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &project{kids: []string{"a"}, path: jwks}
		test(t, New(Config{Endpoint: origin, Client: p}), p)
	})
}

// held runs a test with a set that holds the key a.
func held(t *testing.T, test func(*testing.T, *Set, *project)) {
	t.Helper()
	run(t, func(t *testing.T, s *Set, p *project) {
		good(t, s, "a", 0)
		p.count(t, 1, 1)
		test(t, s, p)
	})
}

// good looks a key up that must be found after exactly that time.
func good(t *testing.T, s *Set, kid string, after time.Duration) {
	t.Helper()
	start := time.Now()
	keys, err := s.Lookup(t.Context(), kid)
	if err != nil || len(keys) != 1 {
		t.Errorf("%s: %v, %v", kid, keys, err)
	}
	if took := time.Since(start); took != after {
		t.Errorf("%s: after %v, want %v", kid, took, after)
	}
}

// unknown looks a key up that the project must not have.
func unknown(t *testing.T, s *Set, kid string) {
	t.Helper()
	if keys, err := s.Lookup(t.Context(), kid); !errors.Is(err, ErrUnknownKey) || keys != nil {
		t.Errorf("%s: %v, %v, want unknown", kid, keys, err)
	}
}

func unavailable(t *testing.T, err error, retryAfter time.Duration) {
	t.Helper()
	var u *UnavailableError
	if !errors.As(err, &u) || u.Err == nil || errors.Is(err, ErrUnknownKey) {
		t.Fatalf("%v, want unavailable", err)
	}
	if u.RetryAfter != retryAfter {
		t.Errorf("retry after %v, want %v: %v", u.RetryAfter, retryAfter, err)
	}
}

func lookup(t *testing.T, s *Set, kid string) error {
	t.Helper()
	keys, err := s.Lookup(t.Context(), kid)
	if err != nil && keys != nil {
		t.Error("keys beside an error")
	}
	return err
}

func TestFresh(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		for range 299 {
			time.Sleep(time.Second)
			good(t, s, "a", 0)
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		p.count(t, 1, 1)
	})
}

func TestBackgroundRefresh(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		hold := make(chan struct{})
		p.set(func(p *project) { p.hold = hold })
		time.Sleep(5 * time.Minute)
		for range 100 { // nobody waits, and there is one refresh
			good(t, s, "a", 0)
			synctest.Wait()
			p.count(t, 1, 2)
		}
		close(hold)
		synctest.Wait()
		time.Sleep(5*time.Minute - time.Nanosecond)
		good(t, s, "a", 0)
		synctest.Wait()
		p.count(t, 1, 2)
		time.Sleep(time.Nanosecond)
		good(t, s, "a", 0)
		synctest.Wait()
		p.count(t, 1, 3)
	})
}

func TestIdle(t *testing.T) {
	t.Run("quick answer", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) { p.took = time.Second })
			time.Sleep(10 * time.Minute)
			good(t, s, "a", time.Second)
			good(t, s, "a", 0)
			p.count(t, 1, 2)
		})
	})
	t.Run("shared", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) { p.took = time.Second })
			time.Sleep(10 * time.Minute)
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { good(t, s, "a", time.Second) })
			}
			wg.Wait()
			p.count(t, 1, 2)
		})
	})
	t.Run("slow answer", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) { p.took, p.kids = 3*time.Second, []string{"b"} })
			time.Sleep(10 * time.Minute)
			good(t, s, "a", 2*time.Second)
			time.Sleep(time.Second)
			synctest.Wait()
			p.count(t, 1, 2)
			good(t, s, "b", 0)
		})
	})
	t.Run("own end", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) { p.took = 3 * time.Second })
			time.Sleep(10 * time.Minute)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			if keys, err := s.Lookup(ctx, "a"); err != nil || len(keys) != 1 || time.Since(start) != time.Second {
				t.Errorf("%v, %v after %v", keys, err, time.Since(start))
			}
			time.Sleep(5 * time.Second)
		})
	})
	t.Run("key removed", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) { p.kids = []string{"b"} })
			time.Sleep(23 * time.Hour)
			unknown(t, s, "a")
			p.count(t, 1, 2)
		})
	})
	t.Run("down", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) { p.down = true })
			time.Sleep(10 * time.Minute)
			good(t, s, "a", 0)
			p.count(t, 1, 2)
		})
	})
	t.Run("an attempt counts though it failed", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) { p.down = true })
			time.Sleep(5 * time.Minute)
			good(t, s, "a", 0)
			synctest.Wait()
			p.set(func(p *project) { p.down, p.took = false, time.Second })
			time.Sleep(10*time.Minute - time.Nanosecond)
			good(t, s, "a", 0) // in the background
			p.set(func(p *project) { p.down = true })
			time.Sleep(2 * time.Second)
			p.set(func(p *project) { p.down = false })
			time.Sleep(10*time.Minute - time.Second)
			good(t, s, "a", 2*time.Second) // discovery is asked again
		})
	})
}

func TestRemovedKey(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.kids = []string{"b"} })
		time.Sleep(5 * time.Minute)
		good(t, s, "a", 0)
		synctest.Wait()
		p.count(t, 1, 2)
		unknown(t, s, "a")
		p.count(t, 1, 3) // the background refresh was not one for an unknown kid
		good(t, s, "b", 0)
	})
}

func TestKnownKeysOutliveTheProject(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		start := time.Now()
		p.set(func(p *project) { p.down = true })
		for time.Since(start) < 24*time.Hour-time.Minute {
			time.Sleep(time.Minute)
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			good(t, s, "a", 0)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		good(t, s, "a", 0)
		synctest.Wait()
		time.Sleep(time.Nanosecond)
		unavailable(t, lookup(t, s, "a"), 10*time.Second-time.Nanosecond)
		unavailable(t, s.Ready(t.Context()), 10*time.Second-time.Nanosecond)
		time.Sleep(10 * time.Second)
		unavailable(t, lookup(t, s, "a"), 10*time.Second)
		p.set(func(p *project) { p.down = false })
		time.Sleep(10 * time.Second)
		good(t, s, "a", 0)
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestExpiredSetIsReplaced(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.took, p.kids = 3*time.Second, []string{"b"} })
		time.Sleep(24 * time.Hour)
		good(t, s, "b", 3*time.Second) // waits longer than for an idle service
		unknown(t, s, "a")
		p.count(t, 1, 3)
	})
}

func TestUnknownKidIsShared(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		hold := make(chan struct{})
		p.set(func(p *project) { p.hold, p.kids = hold, []string{"a", "b"} })

		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.Lookup(first, "b")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the first: %v", err)
			}
			unavailable(t, err, 0)
		})
		synctest.Wait()
		for range 1000 {
			wg.Go(func() { good(t, s, "b", 0) })
		}
		for range 10 {
			wg.Go(func() { unknown(t, s, "c") })
		}
		synctest.Wait() // all have arrived
		cancel()
		synctest.Wait()
		good(t, s, "a", 0)
		p.count(t, 1, 2)
		close(hold)
		wg.Wait()
		p.count(t, 1, 2)
	})
}

func TestCooldown(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.took = time.Second })
		start := time.Now()
		unknown(t, s, "x")
		if took := time.Since(start); took != time.Second {
			t.Errorf("after %v", took)
		}
		p.count(t, 1, 2)
		p.set(func(p *project) { p.kids = []string{"a", "b"} })
		start = time.Now()
		for range 100 {
			unknown(t, s, "b")
		}
		time.Sleep(10*time.Second - time.Nanosecond)
		unknown(t, s, "b")
		if took := time.Since(start); took != 10*time.Second-time.Nanosecond {
			t.Errorf("waited within the cooldown: %v", took)
		}
		p.count(t, 1, 2)
		time.Sleep(time.Nanosecond)
		good(t, s, "b", time.Second)
		p.count(t, 1, 3)
	})
}

// Every refresh but that for an unknown kid leaves the next unknown kid its own.
func TestWhatStartsACooldown(t *testing.T) {
	for name, refresh := range map[string]func(*testing.T, *Set){
		"first fetch":                  func(t *testing.T, s *Set) { good(t, s, "a", 0) },
		"first fetch, for unknown kid": func(t *testing.T, s *Set) { unknown(t, s, "x") },
		"ready": func(t *testing.T, s *Set) {
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"background": func(t *testing.T, s *Set) {
			good(t, s, "a", 0)
			time.Sleep(5 * time.Minute)
			good(t, s, "a", 0)
			synctest.Wait()
		},
		"idle": func(t *testing.T, s *Set) {
			good(t, s, "a", 0)
			time.Sleep(10 * time.Minute)
			good(t, s, "a", 0)
		},
		"expired": func(t *testing.T, s *Set) {
			good(t, s, "a", 0)
			time.Sleep(24 * time.Hour)
			unknown(t, s, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *project) {
				refresh(t, s)
				before := p.fetches
				if name == "first fetch, for unknown kid" {
					p.count(t, 1, 1)
				}
				p.set(func(p *project) { p.kids = []string{"a", "b"} })
				good(t, s, "b", 0)
				p.count(t, 1, before+1)
				unknown(t, s, "y") // in the cooldown of b's
				p.count(t, 1, before+1)
			})
		})
	}
}

// An unknown kid that joins a refresh begun for another reason starts no
// cooldown either.
func TestUnknownKidJoinsBackgroundRefresh(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.took = time.Second })
		time.Sleep(5 * time.Minute)
		good(t, s, "a", 0)
		unknown(t, s, "b")
		p.count(t, 1, 2)
		p.set(func(p *project) { p.kids = []string{"a", "b"} })
		good(t, s, "b", time.Second)
		p.count(t, 1, 3)
	})
}

func TestPauses(t *testing.T) {
	ask := map[string]struct {
		first   bool // on an empty set
		age     time.Duration
		attempt func(*testing.T, *Set) error
	}{
		"first fetch":       {true, 0, func(t *testing.T, s *Set) error { return lookup(t, s, "a") }},
		"ready":             {true, 0, func(t *testing.T, s *Set) error { return s.Ready(t.Context()) }},
		"unknown kid":       {false, 0, func(t *testing.T, s *Set) error { return lookup(t, s, "x") }},
		"expired":           {false, 24 * time.Hour, func(t *testing.T, s *Set) error { return lookup(t, s, "a") }},
		"ready and expired": {false, 24 * time.Hour, func(t *testing.T, s *Set) error { return s.Ready(t.Context()) }},
		"background":        {false, 5 * time.Minute, nil},
		"idle":              {false, 10 * time.Minute, nil},
	}
	for name, c := range ask {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *project) {
				if !c.first {
					good(t, s, "a", 0)
				}
				time.Sleep(c.age)
				p.set(func(p *project) { p.status = 503 })
				asked := p.fetches
				for range 2 { // a success in between begins the row again
					for _, seconds := range []time.Duration{1, 2, 4, 8, 10, 10, 10} {
						pause := seconds * time.Second
						attempt := func(want time.Duration) {
							t.Helper()
							if c.attempt == nil {
								good(t, s, "a", 0)
								synctest.Wait()
								unavailable(t, lookup(t, s, "x"), want) // holds for every kind
								return
							}
							unavailable(t, c.attempt(t, s), want)
						}
						attempt(pause)
						asked++
						for range 100 {
							attempt(pause)
						}
						time.Sleep(pause - time.Millisecond)
						attempt(time.Millisecond)
						if p.fetches != asked {
							t.Fatalf("%d fetches, want %d", p.fetches, asked)
						}
						time.Sleep(time.Millisecond)
					}
					p.set(func(p *project) { p.status = 0 })
					if err := lookup(t, s, "x"); !errors.Is(err, ErrUnknownKey) {
						t.Fatal(err)
					}
					asked++
					time.Sleep(max(c.age, 10*time.Second))
					if c.first {
						return
					}
					p.set(func(p *project) { p.status = 503 })
				}
			})
		})
	}
}

func TestPauseComesBeforeCooldown(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.down = true })
		unavailable(t, lookup(t, s, "x"), time.Second)
		time.Sleep(time.Second)
		p.set(func(p *project) { p.down, p.kids = false, []string{"a", "x"} })
		good(t, s, "x", 0) // no cooldown after a failure
		p.count(t, 2, 3)
	})
}

func TestFlood(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.took = 500 * time.Millisecond })
		start := time.Now()
		var wg sync.WaitGroup
		published, accepted := time.Time{}, time.Time{}
		for i := range 10_000 { // 10,000 kids in 40 seconds
			wg.Go(func() { unknown(t, s, fmt.Sprint("unknown-", i)) })
			good(t, s, "a", 0)
			if i == 3000 { // 12 s
				p.set(func(p *project) { p.kids = []string{"a", "b"} })
				published = time.Now()
			}
			if !published.IsZero() && accepted.IsZero() && i%10 == 0 {
				if held := s.snapshot.Load(); held.keys["b"] != nil {
					accepted = time.Now()
				}
			}
			time.Sleep(4 * time.Millisecond)
		}
		wg.Wait()
		if took := accepted.Sub(published); accepted.IsZero() || took > 10*time.Second {
			t.Errorf("a key published during the flood was accepted after %v", took)
		}
		if took := time.Since(start); took < 40*time.Second || took > 41*time.Second {
			t.Errorf("the flood took %v", took)
		}
		p.count(t, 1, 1+4) // at 0, 10.5, 21 and 31.5 s

		// A key published right after it.
		p.set(func(p *project) { p.kids = []string{"a", "b", "c"} })
		published = time.Now()
		for lookup(t, s, "c") != nil {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(published); took > 10*time.Second+500*time.Millisecond {
			t.Errorf("a key published after the flood was accepted after %v", took)
		}
	})
}

func TestFloodAtOnce(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		var wg sync.WaitGroup
		for i := range 10_000 {
			wg.Go(func() { unknown(t, s, fmt.Sprint("unknown-", i)) })
		}
		good(t, s, "a", 0)
		wg.Wait()
		p.count(t, 1, 2)
	})
}

func TestFloodWhileDown(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.down = true })
		for i := range 10_000 { // 10 s: attempts at 0, 1, 3 and 7 s
			var u *UnavailableError
			if err := lookup(t, s, fmt.Sprint("unknown-", i)); !errors.As(err, &u) || !errors.Is(err, errDown) {
				t.Fatal(err)
			}
			good(t, s, "a", 0)
			time.Sleep(time.Millisecond)
		}
		p.count(t, 1+3, 2) // the first finds no set; then discovery fails
	})
}

func TestDiscoveryIsKept(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		step := func(change func(*project), discoveries, fetches int) {
			t.Helper()
			p.set(change)
			time.Sleep(10 * time.Second)
			_ = lookup(t, s, "x")
			p.count(t, discoveries, fetches)
		}
		step(func(*project) {}, 1, 2)
		step(func(p *project) { p.body = "<html>" }, 1, 3) // a 200
		step(func(p *project) { p.body = `{"keys":[]}` }, 1, 4)
		step(func(p *project) { p.body = "" }, 1, 5)
		step(func(p *project) { p.status = 500 }, 1, 6)
		step(func(p *project) { p.status = 0 }, 2, 7)
		step(func(*project) {}, 2, 8)
		step(func(p *project) { p.down = true }, 2, 9)
		step(func(p *project) { p.down = false }, 3, 10)
		step(func(p *project) { p.path, p.kids = "/new/jwks?v=2", []string{"a", "x"} }, 3, 11) // 404
		good(t, s, "a", 0)
		time.Sleep(time.Second)
		good(t, s, "x", 0)
		p.count(t, 4, 12)
	})
}

func TestReady(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.down = true })
		unavailable(t, s.Ready(t.Context()), time.Second)
		err := s.Ready(t.Context())
		unavailable(t, err, time.Second)
		if !errors.Is(err, errDown) {
			t.Errorf("not the last error: %v", err)
		}
		p.count(t, 1, 0)
		time.Sleep(time.Second)

		p.set(func(p *project) { p.down, p.took = false, time.Second }) // two answers
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := s.Ready(t.Context()); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() { good(t, s, "a", 2*time.Second) })
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := s.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("its own end: %v", err)
			}
		})
		wg.Wait()
		p.count(t, 2, 1)

		p.set(func(p *project) { p.down = true })
		time.Sleep(24*time.Hour - time.Nanosecond)
		if err := s.Ready(t.Context()); err != nil { // without asking
			t.Error(err)
		}
		p.count(t, 2, 1)
		time.Sleep(time.Nanosecond)
		unavailable(t, s.Ready(t.Context()), time.Second)
	})
}

func TestWaitersHaveALimit(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *project) {
		hold := make(chan struct{})
		p.set(func(p *project) { p.hold = hold })
		start := time.Now()
		var wg sync.WaitGroup
		for _, ask := range []func() error{
			func() error { return lookup(t, s, "a") },
			func() error { return s.Ready(t.Context()) },
		} {
			wg.Go(func() {
				unavailable(t, ask(), 0)
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("after %v", took)
				}
			})
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := s.Lookup(ctx, "a")
			if took := time.Since(start); took != 3*time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("its own end: after %v: %v", took, err)
			}
		})
		wg.Wait()
		p.count(t, 1, 1)
		close(hold)
		synctest.Wait()
		good(t, s, "a", 0)
		p.count(t, 1, 1)
	})
}

func TestErrorsAdvise(t *testing.T) {
	const discoveryURL, jwksURL = origin + discoveryPath, origin + jwks
	for name, c := range map[string]struct {
		change func(*project)
		want   []string
	}{
		"down":            {func(p *project) { p.down = true }, []string{"connection refused"}},
		"HTML":            {func(p *project) { p.document = "\n<!DOCTYPE html>" }, []string{discoveryURL, "web page", "is the endpoint"}},
		"HTML for a set":  {func(p *project) { p.body = "<html>" }, []string{jwksURL, "web page", "is the endpoint"}},
		"no document":     {func(p *project) { p.document = "[]" }, []string{discoveryURL, "not a discovery document"}},
		"duplicate names": {func(p *project) { p.document = `{"issuer":"` + origin + `","issuer":"` + origin + `"}` }, []string{discoveryURL, "not a discovery document"}},
		"wrong issuer": {
			func(p *project) { p.document = `{"issuer":"https://other.test","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, "https://other.test", "the endpoint is " + origin, "must be the same"},
		},
		"issuer with a slash": {
			func(p *project) { p.document = `{"issuer":"` + origin + `/","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, origin + "/", "must be the same"},
		},
		"issuer in other letters": {
			func(p *project) { p.document = `{"ISSUER":"` + origin + `","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, "must be the same"},
		},
		"long issuer": {
			func(p *project) { p.document = `{"issuer":"` + strings.Repeat("x", 100_000) + `"}` },
			[]string{discoveryURL, "must be the same"},
		},
		"empty set":  {func(p *project) { p.body = `{"keys":[]}` }, []string{jwksURL, "no usable RSA signing key"}},
		"broken set": {func(p *project) { p.body = `{"keys":[` }, []string{jwksURL, "not a JWK Set"}},
		"panic":      {func(p *project) { p.panics = true }, []string{"panicked", "broken client"}},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *project) {
				p.set(c.change)
				err := lookup(t, s, "a")
				unavailable(t, err, time.Second)
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("error %q does not say %q", err, want)
					}
				}
				if len(err.Error()) > 1000 {
					t.Errorf("error of %d bytes", len(err.Error()))
				}
				p.set(func(p *project) { p.down, p.panics, p.document, p.body = false, false, "", "" })
				time.Sleep(time.Second)
				good(t, s, "a", 0)
			})
		})
	}
}

func TestForeignJWKS(t *testing.T) {
	for _, uri := range []string{
		"", "/oauth2/jwks", "https://other.test/oauth2/jwks", "http://auth.example.test/oauth2/jwks", "https://auth.example.test:8443/oauth2/jwks",
		"https://auth.example.test.other.test/jwks", "https://auth.example.test@other.test/jwks", "https://user@auth.example.test/jwks", "//auth.example.test/jwks",
		"https:auth.example.test", "file:///etc/passwd", "https://auth.example.test/%zz", "https://auth.example.test\\@other.test/",
	} {
		t.Run(uri, func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *project) {
				p.set(func(p *project) { p.document = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, origin, uri) })
				err := lookup(t, s, "a")
				unavailable(t, err, time.Second)
				if !strings.Contains(err.Error(), "jwks_uri") || !strings.Contains(err.Error(), origin) {
					t.Error(err)
				}
				p.count(t, 1, 0)
			})
		})
	}
	t.Run("same origin in another form", func(t *testing.T) {
		run(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) {
				p.document = fmt.Sprintf(`{"issuer":%q,"jwks_uri":"HTTPS://Auth.Example.Test:443/oauth2/jwks#keys"}`, origin)
			})
			good(t, s, "a", 0)
		})
	})
}

func TestPanic(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.panics = true })
		for _, seconds := range []time.Duration{1, 2, 4} {
			unavailable(t, lookup(t, s, "b"), seconds*time.Second)
			good(t, s, "a", 0)
			time.Sleep(seconds * time.Second)
		}
		p.set(func(p *project) { p.panics, p.kids = false, []string{"a", "b"} })
		good(t, s, "b", 0)
	})
}

func TestDownAtStart(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.down = true })
		start := time.Now()
		for time.Since(start) < time.Hour {
			var u *UnavailableError
			if err := lookup(t, s, "a"); !errors.As(err, &u) || u.RetryAfter <= 0 || u.RetryAfter > 10*time.Second {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		p.set(func(p *project) { p.down = false })
		back := time.Now()
		for lookup(t, s, "a") != nil {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(back); took > 10*time.Second {
			t.Errorf("recovered after %v", took)
		}
	})
}

func TestObserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &project{kids: []string{"a"}, path: jwks, took: time.Second}
		var seen []string
		s := New(Config{Endpoint: origin, Client: p, Observe: func(ctx context.Context, f Fetch) {
			if ctx.Err() != nil {
				t.Error(ctx.Err())
			}
			seen = append(seen, fmt.Sprint(f.Kind, " ", f.URL, " ", f.Status, " ", f.Duration, " ", f.Err))
		}})
		good(t, s, "a", 2*time.Second)
		p.set(func(p *project) { p.body = "{}" })
		_ = lookup(t, s, "x")
		p.set(func(p *project) { p.down = true })
		time.Sleep(time.Second)
		_ = lookup(t, s, "x")
		want := []string{
			"discovery " + origin + discoveryPath + " 200 1s <nil>",
			"jwks " + origin + jwks + " 200 1s <nil>",
			"jwks " + origin + jwks + " 200 1s GET " + origin + jwks + ": the JWK Set has no usable RSA signing key",
			"jwks " + origin + jwks + " 0 1s " + errDown.Error(),
		}
		if strings.Join(seen, "\n") != strings.Join(want, "\n") {
			t.Errorf("seen\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A refresh can end between a request's look at the set and its turn.
func TestRefreshEndedMeanwhile(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		stale := s.snapshot.Load()
		p.set(func(p *project) { p.kids = []string{"b"} })
		good(t, s, "b", 0)
		p.count(t, 1, 2)
		if keys, err := s.lookupUnknown(t.Context(), stale, "b"); err != nil || len(keys) != 1 { // not the cooldown
			t.Errorf("unknown kid: %v, %v", keys, err)
		}
		if keys, err := s.lookupAfterRefresh(t.Context(), nil, "b"); err != nil || len(keys) != 1 {
			t.Errorf("first fetch: %v, %v", keys, err)
		}
		if keys, err := s.lookupOld(t.Context(), stale, "a"); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("removed key: %v, %v", keys, err)
		}
		synctest.Wait()
		p.count(t, 1, 2)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stream is a body made by a function.
type stream func([]byte) (int, error)

func (f stream) Read(b []byte) (int, error) { return f(b) }
func (stream) Close() error                 { return nil }

// What a broken project does must not move known keys, and must end for others.
func TestBrokenProject(t *testing.T) {
	text := func(status int, body string) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
		}
	}
	body := func(read func(context.Context, []byte) (int, error)) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: stream(func(b []byte) (int, error) { return read(r.Context(), b) })}, nil
		}
	}
	var read int
	for name, broken := range map[string]roundTripper{
		"5xx":        text(503, "{}"),
		"404":        text(404, "{}"),
		"HTML":       text(200, "<html>"),
		"empty":      text(200, ""),
		"empty set":  text(200, `{"keys":[]}`),
		"broken set": text(200, `{"keys":[{"kty":`),
		"foreign":    text(200, string(set(key("b", map[string]any{"kty": "EC"})))),
		"hangs": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"drips": body(func(ctx context.Context, b []byte) (int, error) {
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(100 * time.Millisecond):
				return copy(b, " "), nil
			}
		}),
		"200 MiB": body(func(_ context.Context, b []byte) (int, error) {
			if read += len(b); read > 2<<20 {
				t.Error("more than 2 MiB were read")
				return 0, io.EOF
			}
			return len(b), nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &project{kids: []string{"a"}, path: jwks}
				healthy := roundTripper(func(r *http.Request) (*http.Response, error) {
					b, status, _ := p.Get(r.Context(), r.URL.RequestURI())
					return text(status, string(b))(r)
				})
				answer := healthy
				s := New(Config{Endpoint: origin, Client: fetch.New(origin, "", &http.Client{
					Transport: roundTripper(func(r *http.Request) (*http.Response, error) { return answer(r) }),
				})})
				good(t, s, "a", 0)
				p.set(func(p *project) { p.kids = []string{"a", "b"} })
				answer = broken
				for range 5 {
					read = 0
					var wg sync.WaitGroup
					for range 100 {
						wg.Go(func() {
							start := time.Now()
							var u *UnavailableError
							if err := lookup(t, s, "b"); !errors.As(err, &u) {
								t.Error(err)
							} else if !strings.Contains(err.Error(), origin) {
								t.Errorf("error %q does not say what was asked", err)
							}
							if took := time.Since(start); took > 10*time.Second {
								t.Errorf("after %v", took)
							}
						})
					}
					synctest.Wait()
					good(t, s, "a", 0)
					wg.Wait()
					time.Sleep(10 * time.Second)
				}
				answer = healthy
				good(t, s, "b", 0)
				good(t, s, "a", 0)
			})
		})
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := New(Config{Endpoint: origin, Client: &project{kids: []string{"a"}, path: jwks}})
	good := func() {
		if keys, err := s.Lookup(t.Context(), "a"); err != nil || len(keys) != 1 {
			t.Error(keys, err)
		}
	}
	good()
	if n := testing.AllocsPerRun(1000, good); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
