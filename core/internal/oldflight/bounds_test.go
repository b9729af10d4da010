package oldflight

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func key(n int) Key { return Key{byte(n), byte(n >> 8), 1} }

// So many calls run at once, so many wait, what goes beyond is refused at once.
// Requests that share a call count once.
func TestBounds(t *testing.T) {
	t.Parallel()
	const running, waiting = 64, 1024
	synctest.Test(t, func(t *testing.T) {
		g := New[int](running, waiting, limit)
		h := hold()
		var all []<-chan outcome
		for n := range running + waiting {
			for range 3 {
				all = append(all, do(t.Context(), g, key(n), false, h.call))
			}
		}
		synctest.Wait()
		if n := h.began.Load(); n != running {
			t.Errorf("%d calls at once", n)
		}
		for n := range 10 {
			got := <-do(t.Context(), g, key(running+waiting+n), false, h.call)
			want(t, got, 0, ErrBusy)
			if got.after != 0 {
				t.Errorf("refused after %v", got.after)
			}
		}
		joined := do(t.Context(), g, key(running+waiting-1), false, h.call) // needs no place
		synctest.Wait()
		for range running + waiting {
			h.release <- 1
			synctest.Wait()
			if n := h.began.Load(); n > running+waiting {
				t.Errorf("%d calls", n)
			}
		}
		for _, returned := range append(all, joined) {
			want(t, <-returned, 1, nil)
		}
		wantNothing(t, g)
	})
}

// Who waits for a slot gets it before who comes later.
func TestNobodyOvertakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](1, 2, limit)
		first, second, third := hold(), hold(), hold()
		a := do(t.Context(), g, key(1), false, first.call)
		synctest.Wait()
		b := do(t.Context(), g, key(2), false, second.call)
		synctest.Wait()
		c := do(t.Context(), g, key(3), false, third.call)
		synctest.Wait()
		first.release <- 1
		want(t, <-a, 1, nil)
		synctest.Wait()
		if second.began.Load() != 1 || third.began.Load() != 0 {
			t.Error("the later one got the slot")
		}
		second.release <- 2
		third.release <- 3
		want(t, <-b, 2, nil)
		want(t, <-c, 3, nil)
	})
}

// A flight without a slot ends with its last waiter, and its place is free.
func TestAllLeaveBeforeTheSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](1, 1, limit)
		h, never := hold(), hold()
		running := do(t.Context(), g, key(1), false, h.call)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		a, b := do(ctx, g, key(2), false, never.call), do(ctx, g, key(2), false, never.call)
		synctest.Wait()
		want(t, <-do(t.Context(), g, key(3), false, never.call), 0, ErrBusy)
		cancel()
		want(t, <-a, 0, context.Canceled)
		want(t, <-b, 0, context.Canceled)
		synctest.Wait()
		if g.waiting != 0 || len(g.flights) != 1 {
			t.Errorf("%d waiting, %d flights", g.waiting, len(g.flights))
		}
		third := do(t.Context(), g, key(3), false, h.call)
		synctest.Wait()
		h.release <- 1
		h.release <- 3
		want(t, <-running, 1, nil)
		want(t, <-third, 3, nil)
		if never.began.Load() != 0 {
			t.Error("a call was made for nobody")
		}
		wantNothing(t, g)
	})
}

// The last waiter leaves and another one comes before the flight has seen it.
func TestJoinedAgainBeforeTheSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](1, 1, limit)
		h := hold()
		running := do(t.Context(), g, key(1), false, h.call)
		synctest.Wait()
		waiting := do(t.Context(), g, key(2), false, h.call)
		synctest.Wait()
		g.flights[key(2)].left <- struct{}{} // of one that has left
		synctest.Wait()
		h.release <- 1
		h.release <- 2
		want(t, <-running, 1, nil)
		want(t, <-waiting, 2, nil)
		wantNothing(t, g)
	})
}

// Nobody waits longer than the limit, wherever.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](1, 1, limit)
		obedient := func(ctx context.Context) int {
			<-ctx.Done()
			return 1
		}
		stubborn := hold()
		hangs := do(t.Context(), g, key(1), false, stubborn.call)
		synctest.Wait()
		waits := do(t.Context(), g, key(2), false, obedient)
		queued := do(t.Context(), g, key(1), true, obedient)
		for _, c := range []struct {
			name     string
			returned <-chan outcome
			after    time.Duration
			err      error
		}{
			{"hangs", hangs, limit, ErrTimeout},
			{"waits for a slot", waits, limit / 2, ErrBusy}, // a call that is made has had time
			{"is queued", queued, limit, ErrTimeout},
		} {
			got := <-c.returned
			want(t, got, 0, c.err)
			if got.after != c.after {
				t.Errorf("a request whose call %s was answered after %v", c.name, got.after)
			}
		}
		synctest.Wait()
		if g.waiting != 0 || len(g.flights) != 1 {
			t.Errorf("%d waiting, %d flights", g.waiting, len(g.flights))
		}
		stubborn.release <- 0
		synctest.Wait()
		wantNothing(t, g)

		began := time.Now()
		_, _ = g.Do(t.Context(), key(1), false, obedient)
		if took := time.Since(began); took != limit {
			t.Errorf("the call's own context ended after %v", took)
		}
		synctest.Wait()
		wantNothing(t, g)
	})
}

// A queued call that finds neither slot nor place ends too.
func TestQueuedFindsNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](1, 1, limit)
		first, second := hold(), hold()
		a := do(t.Context(), g, key(1), false, first.call)
		synctest.Wait()
		b := do(t.Context(), g, key(2), false, second.call)
		synctest.Wait()
		queued := do(t.Context(), g, key(1), true, second.call)
		synctest.Wait()
		first.release <- 1
		want(t, <-a, 1, nil)
		// Whether the other one has taken the slot by then is chance; the queued
		// call gets its place or is refused, and never hangs.
		synctest.Wait()
		second.release <- 2
		want(t, <-b, 2, nil)
		select {
		case second.release <- 3:
			want(t, <-queued, 3, nil)
		case got := <-queued:
			want(t, got, 0, ErrBusy)
		}
		wantNothing(t, g)
	})
}
