package oldflight

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const limit = 5 * time.Second

// outcome is what Do returned.
type outcome struct {
	result int
	err    error
	after  time.Duration
}

// do calls Do in a goroutine of its own. The channel gets what it returns.
func do(ctx context.Context, g *Group[int], key Key, fresh bool, call func(context.Context) int) <-chan outcome {
	returned, start := make(chan outcome, 1), time.Now()
	go func() {
		result, err := g.Do(ctx, key, fresh, call)
		returned <- outcome{result, err, time.Since(start)}
	}()
	return returned
}

func want(t *testing.T, got outcome, result int, err error) {
	t.Helper()
	if got.result != result || !errors.Is(got.err, err) {
		t.Errorf("Do returned %d, %v after %v, want %d, %v", got.result, got.err, got.after, result, err)
	}
}

// wantNothing checks that the group remembers no call.
func wantNothing[R any](t *testing.T, g *Group[R]) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.flights) != 0 || g.waiting != 0 || len(g.slots) != 0 {
		t.Errorf("%d flights, %d waiting, %d slots taken when nothing runs", len(g.flights), g.waiting, len(g.slots))
	}
}

// held is a call that ends when it is told to.
type held struct {
	began   atomic.Int32
	release chan int
}

func hold() *held { return &held{release: make(chan int)} }

func (h *held) call(context.Context) int {
	h.began.Add(1)
	return <-h.release
}

func TestOneCallForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](1, 0, limit)
		h := hold()
		var all []<-chan outcome
		for range 1000 {
			all = append(all, do(t.Context(), g, Key{1}, false, h.call))
		}
		synctest.Wait() // all of them wait
		h.release <- 7
		for _, returned := range all {
			want(t, <-returned, 7, nil)
		}
		if n := h.began.Load(); n != 1 {
			t.Errorf("%d calls for a thousand requests", n)
		}
		wantNothing(t, g)

		again := do(t.Context(), g, Key{1}, false, h.call)
		h.release <- 8
		want(t, <-again, 8, nil) // what has ended is not remembered
	})
}

func TestKeysDoNotShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](2, 0, limit)
		first, second := hold(), hold()
		a, b := do(t.Context(), g, Key{1}, false, first.call), do(t.Context(), g, Key{2}, false, second.call)
		second.release <- 2
		want(t, <-b, 2, nil)
		first.release <- 1
		want(t, <-a, 1, nil)
	})
}

// value is the key of what a request's context holds.
type value struct{}

// Whoever began a call can go; it goes on for the others, and for nobody.
func TestFirstOneLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](1, 0, limit)
		h := hold()
		var inside context.Context
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), value{}, 1))
		first := do(ctx, g, Key{1}, false, func(ctx context.Context) int {
			inside = ctx
			return h.call(ctx)
		})
		synctest.Wait()
		second := do(t.Context(), g, Key{1}, false, h.call)
		synctest.Wait()
		cancel()
		want(t, <-first, 0, context.Canceled)
		if inside.Err() != nil || inside.Value(value{}) != nil {
			t.Error("the call has the context of the first request")
		}
		h.release <- 3
		want(t, <-second, 3, nil)

		ctx, cancel = context.WithCancel(t.Context())
		alone := do(ctx, g, Key{1}, false, h.call)
		synctest.Wait()
		cancel()
		want(t, <-alone, 0, context.Canceled)
		late := do(t.Context(), g, Key{1}, false, h.call) // of the call that nobody waited for
		synctest.Wait()
		h.release <- 4
		want(t, <-late, 4, nil)
		if n := h.began.Load(); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
		wantNothing(t, g)
	})
}

// A fresh call never joins one that began before; one runs, one is queued, and
// the queued one is shared.
func TestFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New[int](64, 0, limit)
		h := hold()
		running := do(t.Context(), g, Key{1}, false, h.call)
		synctest.Wait()
		var queued []<-chan outcome
		for range 100 {
			queued = append(queued, do(t.Context(), g, Key{1}, true, h.call))
		}
		synctest.Wait()
		joined := do(t.Context(), g, Key{1}, false, h.call)
		synctest.Wait()
		if n := h.began.Load(); n != 1 {
			t.Fatalf("%d calls at once with one key", n)
		}
		h.release <- 1
		want(t, <-running, 1, nil)
		want(t, <-joined, 1, nil)
		synctest.Wait()
		if n := h.began.Load(); n != 2 {
			t.Fatalf("%d calls after the first has ended, want 2", n)
		}
		later := do(t.Context(), g, Key{1}, true, h.call) // the queued one has begun before
		synctest.Wait()
		h.release <- 2
		for _, returned := range queued {
			want(t, <-returned, 2, nil)
		}
		h.release <- 3
		want(t, <-later, 3, nil)
		if n := h.began.Load(); n != 3 {
			t.Errorf("%d calls, want 3", n)
		}
		wantNothing(t, g)

		first := do(t.Context(), g, Key{1}, true, h.call) // nothing to queue behind
		h.release <- 4
		want(t, <-first, 4, nil)
	})
}

// A queued call that nobody waits for is not made; one that somebody joined
// again is.
func TestFreshAbandoned(t *testing.T) {
	t.Parallel()
	for _, rejoined := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := New[int](1, 1, limit)
			h := hold()
			running := do(t.Context(), g, Key{1}, false, h.call)
			synctest.Wait()
			ctx, cancel := context.WithCancel(t.Context())
			queued := do(ctx, g, Key{1}, true, h.call)
			synctest.Wait()
			cancel()
			want(t, <-queued, 0, context.Canceled)
			var again <-chan outcome
			if rejoined {
				again = do(t.Context(), g, Key{1}, true, h.call)
				synctest.Wait()
			}
			h.release <- 1
			want(t, <-running, 1, nil)
			if rejoined {
				h.release <- 2
				want(t, <-again, 2, nil)
			}
			synctest.Wait()
			wantNothing(t, g)
		})
	}
}

// A panic or an ended goroutine in a call ends neither the process nor the
// requests, and gives the slot back.
func TestCallThatEndsOddly(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(){
		"panic":     func() { panic("of a user's transport") },
		"panic nil": func() { panic(nil) }, //nolint // on purpose
		"Goexit":    runtime.Goexit,
	} {
		synctest.Test(t, func(t *testing.T) {
			g := New[int](1, 0, limit)
			h := hold()
			first := do(t.Context(), g, Key{1}, false, func(ctx context.Context) int {
				h.call(ctx)
				end()
				return 1
			})
			synctest.Wait()
			second := do(t.Context(), g, Key{1}, false, h.call)
			queued := do(t.Context(), g, Key{1}, true, h.call)
			synctest.Wait()
			h.release <- 0
			for _, returned := range []<-chan outcome{first, second} {
				if got := <-returned; got.result != 0 || !errors.Is(got.err, ErrEnded) {
					t.Errorf("%s: %d, %v", name, got.result, got.err)
				}
			}
			h.release <- 2
			want(t, <-queued, 2, nil)
			wantNothing(t, g)
		})
	}
}

// Many goroutines do all of it at once; each gets the result of its own key,
// and nothing stays.
func TestSoak(t *testing.T) {
	t.Parallel()
	const keys = 10
	g := New[Key](4, 3, limit)
	var at [keys]atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 500 {
				k := (i*7 + j) % keys
				ctx, cancel := context.WithCancel(t.Context())
				if j%5 == 0 {
					go cancel()
				}
				result, err := g.Do(ctx, Key{byte(k)}, j%3 == 0, func(context.Context) Key {
					if at[k].Add(1) != 1 {
						t.Error("two calls with one key at the same time")
					}
					defer at[k].Add(-1)
					runtime.Gosched()
					if j%11 == 0 {
						panic("sometimes")
					}
					return Key{byte(k)}
				})
				switch {
				case err == nil && result != (Key{byte(k)}):
					t.Errorf("the result of key %d for %d", result[0], k)
				case err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrEnded) && !errors.Is(err, context.Canceled):
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	// Calls without waiters may still run.
	for key := range byte(keys) {
		for {
			if _, err := g.Do(t.Context(), Key{key}, true, func(context.Context) Key { return Key{} }); err == nil {
				break
			}
		}
	}
	wantNothing(t, g)
}
