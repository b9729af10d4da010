package health

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errSick    = errors.New("sick")
	sick       = Verdict{Err: errSick}
	repeatable = Verdict{Err: errSick, Repeat: true}
)

// server is the server that the checks ask.
type server struct {
	takes time.Duration

	mu      sync.Mutex
	verdict func(check, nth int) Verdict // the first check is number 1
	checks  []time.Time
}

func (s *server) health(verdict Verdict) *Health {
	s.verdict = func(int, int) Verdict { return verdict }
	return New(2*time.Second, func(ctx context.Context, nth int) Verdict {
		s.mu.Lock()
		s.checks = append(s.checks, time.Now())
		takes := s.takes
		s.mu.Unlock()
		select {
		case <-time.After(takes):
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.verdict(len(s.checks), nth)
		case <-ctx.Done():
			return Verdict{Err: ctx.Err(), TimedOut: true}
		}
	})
}

// become sets what the checks find from now on.
func (s *server) become(takes time.Duration, verdict func(check, nth int) Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes, s.verdict = takes, verdict
}

// seen returns when the checks began.
func (s *server) seen() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checks
}

// wantOutage checks that err is an outage with a RetryAfter between least and most.
func wantOutage(t *testing.T, err error, least, most time.Duration) {
	t.Helper()
	outage, ok := errors.AsType[*Outage](err)
	if !ok || outage.RetryAfter < least || outage.RetryAfter > most {
		t.Errorf("%v, %+v, want an outage for %v to %v", err, outage, least, most)
	}
}

// A failure of one client's call decides nothing. A check that begins after the failure
// decides, and all who wait share it.
func TestACheckDecides(t *testing.T) {
	t.Parallel()
	for _, verdict := range []Verdict{{}, sick} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{takes: 100 * time.Millisecond}
			h := s.health(verdict)
			if err := h.Enter(t.Context()); err != nil || h.Outage() != nil {
				t.Errorf("an outage before any check: %v", err)
			}
			var wg sync.WaitGroup
			for range 1000 {
				wg.Go(func() {
					if err := h.Failed(t.Context()); (err == nil) != (verdict.Err == nil) {
						t.Errorf("err = %v", err)
					}
				})
			}
			wg.Wait()
			if len(s.seen()) > 2 || (h.Outage() == nil) != (verdict.Err == nil) {
				t.Errorf("%d checks, %v", len(s.seen()), h.Outage())
			}
			if err := h.Enter(t.Context()); (err == nil) != (verdict.Err == nil) {
				t.Errorf("Enter: %v", err)
			}
		})
	}
}

// A round that began before a failure does not decide about it. The next round does: it
// begins 250 ms after the first one has passed.
func TestTheCheckIsLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: 100 * time.Millisecond}
		h := s.health(Verdict{})
		begin := time.Now()
		first := make(chan error)
		go func() { first <- h.Failed(t.Context()) }()
		time.Sleep(50 * time.Millisecond)
		s.become(s.takes, func(check, _ int) Verdict {
			if check == 1 {
				return Verdict{}
			}
			return sick
		})
		later := make(chan error)
		go func() { later <- h.Failed(t.Context()) }()
		if err := <-first; err != nil {
			t.Error(err)
		}
		wantOutage(t, <-later, 800*time.Millisecond, 1200*time.Millisecond)
		if len(s.seen()) != 2 || s.seen()[1].Sub(begin) != 350*time.Millisecond {
			t.Errorf("checks at %v", s.seen())
		}
	})
}

// When a round fails, requests that wait for the next round get its result too.
func TestTheNextRoundIsNotMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: 100 * time.Millisecond}
		h := s.health(sick)
		var wg sync.WaitGroup
		for n := range 2 {
			wg.Go(func() {
				time.Sleep(time.Duration(n) * 50 * time.Millisecond)
				wantOutage(t, h.Failed(t.Context()), 800*time.Millisecond, 1200*time.Millisecond)
			})
		}
		wg.Wait()
		if len(s.seen()) != 1 {
			t.Errorf("%d checks", len(s.seen()))
		}
	})
}

// In an outage all requests are answered at once. After a pause of a second the next
// request begins a round and waits a moment for it. The pause never grows.
func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		h := s.health(sick)
		wantOutage(t, h.Failed(t.Context()), 800*time.Millisecond, 1200*time.Millisecond)
		pauses := map[time.Duration]bool{}
		for range 20 {
			outage, begin, before := h.Outage(), time.Now(), len(s.seen())
			for _, ask := range []func(context.Context) error{h.Enter, h.Failed} {
				wantOutage(t, ask(t.Context()), outage.RetryAfter, outage.RetryAfter)
			}
			if len(s.seen()) != before || time.Since(begin) != 0 {
				t.Fatal("a check within the pause, or somebody had to wait")
			}
			pauses[outage.RetryAfter] = true
			time.Sleep(outage.RetryAfter)
			wantOutage(t, h.Enter(t.Context()), 800*time.Millisecond, 1200*time.Millisecond)
			if len(s.seen()) != before+1 {
				t.Fatalf("%d checks after a pause", len(s.seen())-before)
			}
		}
		if len(pauses) < 5 {
			t.Errorf("pauses of %v keep processes in step", pauses)
		}
		time.Sleep(1200 * time.Millisecond)
		s.become(400*time.Millisecond, func(int, int) Verdict { return Verdict{} })
		begin := time.Now()
		wantOutage(t, h.Enter(t.Context()), time.Second, time.Second) // after a moment
		if took := time.Since(begin); took != 250*time.Millisecond {
			t.Errorf("waited %v for the round", took)
		}
		if err := h.Enter(t.Context()); err != nil || time.Since(begin) != 400*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if h.Outage() != nil {
			t.Error("the outage has not ended")
		}
	})
}

// A failure can be one of several dead connections: 32 more checks in the
// first round, 3 after a pause, 10 ms apart.
func TestRepeats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		verdict  Verdict
		takes    time.Duration
		dead     int // how many checks fail
		want     int // how many checks the first round has
		wantMore int // how many the round after the pause has; 0: the first round passes
	}{
		{"20 dead connections", repeatable, 0, 20, 21, 0},
		{"32 dead connections", repeatable, 0, 32, 33, 0},
		{"50 dead connections", repeatable, 0, 50, 33, 4},
		{"a failure of another kind", sick, 0, 50, 1, 1},
		{"slow checks use up the time", repeatable, 490 * time.Millisecond, 50, 9, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{takes: c.takes}
			h := s.health(Verdict{})
			s.become(c.takes, func(check, _ int) Verdict {
				if check > c.dead {
					return Verdict{}
				}
				return c.verdict
			})
			err := h.Failed(t.Context())
			if len(s.seen()) != c.want || (err == nil) != (c.wantMore == 0) {
				t.Fatalf("%s: %d checks, %v", c.name, len(s.seen()), err)
			}
			checks := s.seen()
			for n := range checks[1:] {
				if gap := checks[n+1].Sub(checks[n]); gap != c.takes+10*time.Millisecond {
					t.Errorf("%s: %v between two checks", c.name, gap)
				}
			}
			if c.wantMore == 0 {
				return
			}
			time.Sleep(1200 * time.Millisecond)
			_ = h.Enter(t.Context())
			time.Sleep(3 * time.Second)
			if n := len(s.seen()) - c.want; n != c.wantMore {
				t.Errorf("%s: %d checks after a pause", c.name, n)
			}
		})
	}
}

// The checks of a round are numbered, so that check can count the failures in a row.
func TestNumbers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		h := s.health(Verdict{})
		var numbers []int
		s.become(0, func(_, nth int) Verdict {
			numbers = append(numbers, nth)
			if nth < 2 {
				return repeatable
			}
			return Verdict{}
		})
		for range 2 {
			if err := h.Failed(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if len(numbers) != 6 || numbers[2] != 2 || numbers[3] != 0 {
			t.Errorf("%v", numbers)
		}
	})
}

// Slow is not down: a check that times out is an outage only if no client was answered
// while it ran.
func TestSlow(t *testing.T) {
	t.Parallel()
	for answered, want := range map[time.Duration]bool{-1: false, 0: false, time.Second: true} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{takes: time.Hour}
			h := s.health(Verdict{})
			if answered >= 0 {
				h.Answered()
				go func() {
					time.Sleep(answered)
					if answered > 0 {
						h.Answered()
					}
				}()
			}
			begin := time.Now()
			err := h.Failed(t.Context())
			if (err == nil) != want || time.Since(begin) != 2*time.Second {
				t.Errorf("answered after %v: %v after %v", answered, err, time.Since(begin))
			}
			synctest.Wait()
		})
	}
	synctest.Test(t, func(t *testing.T) { // but a check that was answered in time counts
		s := &server{takes: time.Second}
		h := s.health(sick)
		time.AfterFunc(500*time.Millisecond, h.Answered)
		wantOutage(t, h.Failed(t.Context()), 800*time.Millisecond, 1200*time.Millisecond)
	})
}

// The pause is as long as the server wants to be left alone, if it says so.
func TestPauseOfTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		h := s.health(Verdict{Err: errSick, Pause: 20 * time.Second})
		wantOutage(t, h.Failed(t.Context()), 20*time.Second, 20*time.Second)
		time.Sleep(20*time.Second - 1)
		wantOutage(t, h.Enter(t.Context()), 1, 1)
		time.Sleep(time.Nanosecond)
		_ = h.Enter(t.Context())
		if len(s.seen()) != 2 {
			t.Errorf("%d checks", len(s.seen()))
		}
	})
}

// A caller waits no longer than its own context.
func TestOwnDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: time.Second}
		h := s.health(sick)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := h.Failed(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		time.Sleep(time.Minute) // the round ends without the caller
		ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := h.Enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		time.Sleep(time.Second)
	})
}
