package keys

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackgroundRefresh(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		hold := make(chan struct{})
		p.set(func(p *server) { p.hold = hold })
		time.Sleep(5*time.Minute - time.Nanosecond)
		good(t, s, "a", 0)
		synctest.Wait()
		p.count(t, 1, 1)
		time.Sleep(time.Nanosecond)
		for range 100 { // nobody waits, and all share one refresh
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
		held(t, func(t *testing.T, s *Set, p *server) {
			p.set(func(p *server) { p.took = time.Second })
			time.Sleep(10 * time.Minute)
			good(t, s, "a", time.Second)
			good(t, s, "a", 0)
			p.count(t, 1, 2)
		})
	})
	t.Run("slow answer", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *server) {
			p.set(func(p *server) { p.took, p.kids = 3*time.Second, []string{"b"} })
			time.Sleep(10 * time.Minute)
			good(t, s, "a", 2*time.Second)
			time.Sleep(time.Second)
			synctest.Wait()
			p.count(t, 1, 2)
			good(t, s, "b", 0)
		})
	})
	t.Run("context ends first", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *server) {
			p.set(func(p *server) { p.took = 3 * time.Second })
			time.Sleep(10 * time.Minute)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			if _, err := s.Lookup(ctx, "a", longAgo()); err != nil || time.Since(start) != time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			time.Sleep(5 * time.Second)
		})
	})
	t.Run("key removed", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *server) {
			p.set(func(p *server) { p.kids = []string{"b"} })
			time.Sleep(23 * time.Hour)
			unknown(t, s, "a")
			p.count(t, 1, 2)
		})
	})
	t.Run("down", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *server) {
			p.set(func(p *server) { p.down = true })
			time.Sleep(10 * time.Minute)
			good(t, s, "a", 0)
			p.count(t, 1, 2)
		})
	})
	t.Run("a failed attempt counts too", func(t *testing.T) {
		held(t, func(t *testing.T, s *Set, p *server) {
			p.set(func(p *server) { p.down = true })
			time.Sleep(5 * time.Minute)
			good(t, s, "a", 0)
			synctest.Wait()
			p.set(func(p *server) { p.down, p.took = false, time.Second })
			time.Sleep(10*time.Minute - time.Nanosecond)
			good(t, s, "a", 0) // the refresh runs in the background
			p.set(func(p *server) { p.down = true })
			time.Sleep(2 * time.Second)
			p.set(func(p *server) { p.down = false })
			time.Sleep(10*time.Minute - time.Second)
			good(t, s, "a", 2*time.Second) // discovery is asked again
		})
	})
}

func TestKnownKeysOutliveTheProject(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		start := time.Now()
		p.set(func(p *server) { p.down = true })
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
		unavailable(t, lookup(t, s, "a", longAgo()), 10*time.Second-time.Nanosecond)
		unavailable(t, s.Ready(t.Context()), 10*time.Second-time.Nanosecond)
		time.Sleep(10 * time.Second)
		unavailable(t, lookup(t, s, "a", longAgo()), 10*time.Second)
		p.set(func(p *server) { p.down = false })
		time.Sleep(10 * time.Second)
		good(t, s, "a", 0)
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestExpiredSetIsReplaced(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		p.set(func(p *server) { p.took, p.kids = 3*time.Second, []string{"b"} })
		time.Sleep(24 * time.Hour)
		good(t, s, "b", 3*time.Second) // waits longer than 2 s, the limit after an idle time
		unknown(t, s, "a")
		p.count(t, 1, 3)
	})
}
