package keys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnknownKidIsShared(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		hold := make(chan struct{})
		p.set(func(p *server) { p.hold, p.kids = hold, []string{"a", "b"} })

		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.Lookup(first, "b", longAgo())
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the first: %v", err)
			}
			unavailable(t, err, 0)
		})
		synctest.Wait()
		for range 200 {
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
	held(t, func(t *testing.T, s *Set, p *server) {
		p.set(func(p *server) { p.took = time.Second })
		start := time.Now()
		unknown(t, s, "x")
		p.set(func(p *server) { p.kids = []string{"a", "b"} })
		for range 100 {
			unknown(t, s, "b")
		}
		time.Sleep(10*time.Second - time.Nanosecond)
		unknown(t, s, "b")
		if took := time.Since(start); took != 11*time.Second-time.Nanosecond {
			t.Errorf("waited within the cooldown: %v", took)
		}
		p.count(t, 1, 2)
		time.Sleep(time.Nanosecond)
		good(t, s, "b", time.Second)
		p.count(t, 1, 3)
	})
}

// A new key is published within the cooldown that another kid started. A good token of
// the new key is not refused for good, and costs no refresh.
func TestPublishedWithinTheCooldown(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		unknown(t, s, "x")
		time.Sleep(4 * time.Second)
		p.set(func(p *server) { p.kids = []string{"a", "b"} })
		issued := time.Now()
		unavailable(t, lookup(t, s, "b", issued), 6*time.Second)
		p.count(t, 1, 2)
		time.Sleep(6 * time.Second)
		if err := lookup(t, s, "b", issued); err != nil {
			t.Error(err)
		}
	})
}

// A token with an unknown kid is refused only if it says that it was issued more than a
// minute before the refresh began. The end of the refresh does not count.
func TestIssuedBeforeTheRefresh(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		p.set(func(p *server) { p.took = 3 * time.Second })
		began := time.Now()
		limit := began.Add(-time.Minute)
		check := func(wait time.Duration) {
			t.Helper()
			for _, issued := range []time.Time{limit, began, began.Add(3 * time.Second), {}} {
				unavailable(t, lookup(t, s, "x", issued), wait)
			}
			if err := lookup(t, s, "x", limit.Add(-time.Nanosecond)); !errors.Is(err, ErrUnknownKey) {
				t.Error(err)
			}
		}
		check(10 * time.Second)
		time.Sleep(9 * time.Second)
		check(time.Second)
		p.count(t, 1, 2)
	})
}

// Only a refresh for an unknown kid starts a cooldown. After any other refresh the next
// unknown kid begins one of its own.
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
			run(t, func(t *testing.T, s *Set, p *server) {
				refresh(t, s)
				before := p.fetches
				if name == "first fetch, for unknown kid" {
					p.count(t, 1, 1)
				}
				p.set(func(p *server) { p.kids = []string{"a", "b"} })
				good(t, s, "b", 0)
				p.count(t, 1, before+1)
				unknown(t, s, "y") // within the cooldown that b started
				p.count(t, 1, before+1)
			})
		})
	}
}

func TestPauses(t *testing.T) {
	ask := map[string]struct {
		first   bool // on an empty set
		age     time.Duration
		attempt func(*testing.T, *Set) error
	}{
		"first fetch":       {true, 0, func(t *testing.T, s *Set) error { return lookup(t, s, "a", longAgo()) }},
		"ready":             {true, 0, func(t *testing.T, s *Set) error { return s.Ready(t.Context()) }},
		"unknown kid":       {false, 0, func(t *testing.T, s *Set) error { return lookup(t, s, "x", longAgo()) }},
		"expired":           {false, 24 * time.Hour, func(t *testing.T, s *Set) error { return lookup(t, s, "a", longAgo()) }},
		"ready and expired": {false, 24 * time.Hour, func(t *testing.T, s *Set) error { return s.Ready(t.Context()) }},
		"background":        {false, 5 * time.Minute, nil},
		"idle":              {false, 10 * time.Minute, nil},
	}
	for name, c := range ask {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *server) {
				if !c.first {
					good(t, s, "a", 0)
				}
				time.Sleep(c.age)
				p.set(func(p *server) { p.status = 503 })
				asked := p.fetches
				for range 2 { // a success in between restarts the count
					for _, seconds := range []time.Duration{1, 2, 4, 8, 10, 10, 10} {
						pause := seconds * time.Second
						attempt := func(want time.Duration) {
							t.Helper()
							if c.attempt == nil {
								good(t, s, "a", 0)
								synctest.Wait()
								unavailable(t, lookup(t, s, "x", longAgo()), want) // the pause holds for every kind of request
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
					p.set(func(p *server) { p.status = 0 })
					if err := lookup(t, s, "x", longAgo()); !errors.Is(err, ErrUnknownKey) {
						t.Fatal(err)
					}
					asked++
					time.Sleep(max(c.age, 10*time.Second))
					if c.first {
						return
					}
					p.set(func(p *server) { p.status = 503 })
				}
			})
		})
	}
}

// A key that is published during a flood of unknown kids, or right after it, is
// accepted within one cooldown.
func TestFlood(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		p.set(func(p *server) { p.took = 500 * time.Millisecond })
		publish := func(kids ...string) {
			p.set(func(p *server) { p.kids = kids })
			start := time.Now()
			for lookup(t, s, kids[len(kids)-1], start) != nil {
				time.Sleep(100 * time.Millisecond)
			}
			if took := time.Since(start); took > 11*time.Second { // the cooldown, the fetch that ran, and its own fetch
				t.Errorf("%v: accepted after %v", kids, took)
			}
		}
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 10_000 { // 10,000 kids in 40 seconds
			wg.Go(func() { unknown(t, s, fmt.Sprint("unknown-", i)) })
			good(t, s, "a", 0)
			if i == 3000 {
				wg.Go(func() { publish("a", "b") })
			}
			time.Sleep(4 * time.Millisecond)
		}
		wg.Wait()
		if took := time.Since(start); took < 40*time.Second || took > 41*time.Second {
			t.Errorf("the flood took %v", took)
		}
		p.count(t, 1, 1+4) // at 0, 10.5, 21 and 31.5 s
		publish("a", "b", "c")
	})
}

// However many requests come with unknown kids, only few wait. Requests with known keys
// go on.
func TestFloodWhileTheProjectHangs(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		hold := make(chan struct{})
		p.set(func(p *server) { p.hold = hold })
		var waiting, refused atomic.Int32
		var wg sync.WaitGroup
		for i := range 4000 { // 1,000 a second
			wg.Go(func() {
				start := time.Now()
				waiting.Add(1)
				err := lookup(t, s, fmt.Sprint("unknown-", i), longAgo())
				waiting.Add(-1)
				if time.Since(start) == 0 {
					unavailable(t, err, 0)
					refused.Add(1)
				} else if !errors.Is(err, ErrUnknownKey) {
					t.Error(err)
				}
			})
			time.Sleep(time.Millisecond)
		}
		if n := waiting.Load(); n != 256 {
			t.Errorf("%d requests wait", n)
		}
		good(t, s, "a", 0)
		close(hold)
		wg.Wait()
		if n := refused.Load(); n != 4000-256 {
			t.Errorf("%d requests were refused at once", n)
		}
		p.count(t, 1, 2)
		time.Sleep(10 * time.Second)
		unknown(t, s, "x") // the places are free again
	})
}
