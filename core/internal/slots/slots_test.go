package slots

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

// take acquires n slots at once and holds each until release is closed. It returns how
// many calls have a slot and how many were refused.
func take(t *testing.T, s *Slots, n int, user func(n int) string, release chan struct{}) (running, busy *atomic.Int32) {
	running, busy = new(atomic.Int32), new(atomic.Int32)
	for i := range n {
		go func() {
			done, err := s.Acquire(t.Context(), time.Now().Add(time.Hour), user(i))
			if err != nil {
				if errors.Is(err, ErrBusy) {
					busy.Add(1)
				}
				return
			}
			running.Add(1)
			<-release
			done()
		}()
	}
	synctest.Wait()
	return running, busy
}

func unknown(int) string { return "" }

func known(n int) string { return fmt.Sprint("user", n) }

// Made-up credentials get at most half of the slots. Their calls wait in their own queue.
func TestShares(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                         string
		unknown, known               int
		runningUnknown, runningKnown int32
		busyUnknown, busyKnown       int32
	}{
		{"few", 20, 20, 20, 20, 0, 0},
		{"a flood of unknown credentials", 32 + 12288 + 7, 32, 32, 32, 7, 0},
		{"known users only", 0, 64 + 4096 + 5, 0, 64, 0, 5},
		{"both", 32 + 12288 + 7, 32 + 4096 + 5, 32, 32, 7, 5},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New()
			for range 2 { // no slot stays taken
				release := make(chan struct{})
				runningUnknown, busyUnknown := take(t, s, c.unknown, unknown, release)
				runningKnown, busyKnown := take(t, s, c.known, known, release)
				if runningUnknown.Load() != c.runningUnknown || runningKnown.Load() != c.runningKnown || busyUnknown.Load() != c.busyUnknown || busyKnown.Load() != c.busyKnown {
					t.Errorf("%s: %d unknown and %d known run, %d and %d are sent away", c.name,
						runningUnknown.Load(), runningKnown.Load(), busyUnknown.Load(), busyKnown.Load())
				}
				close(release)
				synctest.Wait()
				if all := runningUnknown.Load() + busyUnknown.Load(); all != int32(c.unknown) {
					t.Errorf("%s: %d of %d unknown ones had their turn", c.name, all, c.unknown)
				}
				if all := runningKnown.Load() + busyKnown.Load(); all != int32(c.known) {
					t.Errorf("%s: %d of %d known ones had their turn", c.name, all, c.known)
				}
			}
			if len(s.users) != 0 {
				t.Errorf("%s: %d users are kept", c.name, len(s.users))
			}
		})
	}
}

// A caller that gives up leaves no slot taken, wherever it waits.
func TestCallersThatGiveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, release := New(), make(chan struct{})
		take(t, s, calls, known, release)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		soon, late := time.Now().Add(time.Second), time.Now().Add(time.Hour)
		var wg sync.WaitGroup
		for n := range 100 {
			wg.Go(func() {
				ctx, until := ctx, late
				if n%4 < 2 {
					ctx, until = t.Context(), soon
				}
				if _, err := s.Acquire(ctx, until, []string{"", "alice"}[n%2]); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("err = %v", err)
				}
			})
		}
		wg.Wait()
		close(release)
		synctest.Wait()
		if len(s.users) != 0 {
			t.Errorf("%d users are kept", len(s.users))
		}
		release = make(chan struct{})
		unknownOnes, _ := take(t, s, unknownCalls, unknown, release)
		knownOnes, _ := take(t, s, calls-unknownCalls, known, release)
		if unknownOnes.Load() != unknownCalls || knownOnes.Load() != calls-unknownCalls {
			t.Errorf("%d and %d slots are left", unknownOnes.Load(), knownOnes.Load())
		}
		close(release)
	})
}

// The many sessions of one user take few slots. Their calls wait in their own queue.
func TestOneUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, release := New(), make(chan struct{})
		mine, busy := take(t, s, userCalls+waitingUser+5, func(int) string { return "mallory" }, release)
		others, _ := take(t, s, calls-userCalls, known, release)
		if mine.Load() != userCalls || busy.Load() != 5 || others.Load() != calls-userCalls {
			t.Errorf("%d run and %d are sent away of one user, %d of others run", mine.Load(), busy.Load(), others.Load())
		}
		close(release)
		synctest.Wait()
		if mine.Load() != userCalls+waitingUser || len(s.users) != 0 {
			t.Errorf("%d had their turn, %d users are left", mine.Load(), len(s.users))
		}
	})
}
