package keys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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
