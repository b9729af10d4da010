package flight

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

type outcome struct {
	result int
	err    error
}

// do calls Do in a goroutine of its own. When do returns, that goroutine waits in Do.
func do(ctx context.Context, g *Group[int], fresh bool, call func(context.Context) (int, error)) <-chan outcome {
	returned := make(chan outcome, 1)
	go func() {
		result, err := g.Do(ctx, Key{1}, fresh, call)
		returned <- outcome{result, err}
	}()
	synctest.Wait()
	return returned
}

func want(t *testing.T, returned <-chan outcome, result int, err error) {
	t.Helper()
	if got := <-returned; got.result != result || !errors.Is(got.err, err) {
		t.Errorf("Do returned %d, %v, want %d, %v", got.result, got.err, result, err)
	}
}

func wantNothing[R any](t *testing.T, g *Group[R]) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.flights) != 0 {
		t.Errorf("%d flights when nothing runs", len(g.flights))
	}
}

// held is a call that ends when the test tells it to, or when its context ends.
type held struct {
	began   atomic.Int32
	release chan int
}

func hold() *held { return &held{release: make(chan int)} }

func (h *held) call(ctx context.Context) (int, error) {
	h.began.Add(1)
	select {
	case result := <-h.release:
		return result, nil
	case <-ctx.Done():
		return 0, ErrAbandoned
	}
}

func (h *held) detached(ctx context.Context) (int, error) { return h.call(context.WithoutCancel(ctx)) }

func TestOneCallForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		h := hold()
		var all []<-chan outcome
		for range 100 {
			all = append(all, do(t.Context(), &g, false, h.call))
		}
		if result, err := g.Do(t.Context(), Key{2}, false, func(context.Context) (int, error) { return 2, nil }); result != 2 || err != nil {
			t.Errorf("another key: %d, %v", result, err)
		}
		h.release <- 7
		for _, returned := range all {
			want(t, returned, 7, nil)
		}
		wantNothing(t, &g)
		failure := errors.New("no")
		want(t, do(t.Context(), &g, false, func(context.Context) (int, error) { return 0, failure }), 0, failure) // the result of an ended call is not remembered
		if n := h.began.Load(); n != 1 {
			t.Errorf("%d calls for a hundred requests", n)
		}
	})
}

// A fresh call never joins one that began before. One call runs, one is queued, and all
// later fresh callers share the queued one.
func TestFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		h := hold()
		began := func(n int32) {
			t.Helper()
			synctest.Wait()
			if got := h.began.Load(); got != n {
				t.Fatalf("%d calls have begun, want %d", got, n)
			}
		}
		running := do(t.Context(), &g, true, h.call) // nothing to queue behind
		first, second := do(t.Context(), &g, true, h.call), do(t.Context(), &g, true, h.call)
		joined := do(t.Context(), &g, false, h.call)
		began(1)
		h.release <- 1
		want(t, running, 1, nil)
		want(t, joined, 1, nil)
		began(2)
		later := do(t.Context(), &g, true, h.call)
		began(2)
		h.release <- 2
		want(t, first, 2, nil)
		want(t, second, 2, nil)
		began(3)
		ctx, cancel := context.WithCancel(t.Context())
		gone := do(ctx, &g, true, h.call)
		cancel()
		want(t, gone, 0, context.Canceled)
		h.release <- 3
		want(t, later, 3, nil)
		began(3) // the queued call that nobody waits for is not made
		wantNothing(t, &g)
	})
}

// A queued call without waiters is made after all when a new caller comes.
func TestQueuedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		h := hold()
		running := do(t.Context(), &g, false, h.call)
		ctx, cancel := context.WithCancel(t.Context())
		gone := do(ctx, &g, true, h.call)
		cancel()
		want(t, gone, 0, context.Canceled)
		again := do(t.Context(), &g, true, h.call)
		h.release <- 1
		want(t, running, 1, nil)
		h.release <- 2
		want(t, again, 2, nil)
	})
}

// The caller that began a call can leave: the call goes on as long as anybody waits.
func TestFirstOneLeaves(t *testing.T) {
	t.Parallel()
	type value struct{}
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		h := hold()
		var inside context.Context
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), value{}, 1))
		first := do(ctx, &g, false, func(ctx context.Context) (int, error) {
			inside = ctx
			return h.call(ctx)
		})
		second := do(t.Context(), &g, false, h.call)
		cancel()
		want(t, first, 0, context.Canceled)
		synctest.Wait()
		if inside.Err() != nil || inside.Value(value{}) != nil {
			t.Error("the call has the context of the first request")
		}
		h.release <- 3
		want(t, second, 3, nil)
		if n := h.began.Load(); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}

		ctx, cancel = context.WithCancel(t.Context())
		alone := do(ctx, &g, false, h.call)
		cancel()
		want(t, alone, 0, context.Canceled)
		synctest.Wait()
		wantNothing(t, &g) // the call has given up
	})
}

// A caller comes after all others have left. If the call has detached itself, the caller
// gets its result. If the call gives up, the caller gets a new call.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		h := hold()
		ctx, cancel := context.WithCancel(t.Context())
		gone := do(ctx, &g, false, h.detached)
		cancel()
		want(t, gone, 0, context.Canceled)
		late := do(t.Context(), &g, false, h.detached)
		h.release <- 1
		want(t, late, 1, nil)
		if n := h.began.Load(); n != 1 {
			t.Errorf("%d detached calls, want 1", n)
		}

		giveUp := make(chan struct{})
		slow := func(ctx context.Context) (int, error) {
			result, err := h.call(ctx)
			if err != nil {
				<-giveUp
			}
			return result, err
		}
		ctx, cancel = context.WithCancel(t.Context())
		gone = do(ctx, &g, false, slow)
		cancel()
		want(t, gone, 0, context.Canceled)
		late, fresh := do(t.Context(), &g, false, slow), do(t.Context(), &g, true, slow)
		close(giveUp)
		h.release <- 2
		want(t, late, 2, nil)
		h.release <- 3
		want(t, fresh, 3, nil)
		wantNothing(t, &g)
	})
}

// The late context counts only after its delay, and only for the wait of its caller.
func TestDoLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		lost := errors.New("lost")
		doLate := func(rest time.Duration, call func(context.Context) (int, error)) (waited time.Duration, err error) {
			began := time.Now()
			_, err = g.DoLate(t.Context(), Key{1}, false, time.Second, func(ctx context.Context) (context.Context, context.CancelFunc) {
				if waited := time.Since(began); waited != time.Second {
					t.Errorf("late after %v", waited)
				}
				return context.WithTimeoutCause(ctx, rest, lost)
			}, call)
			waited = time.Since(began)
			synctest.Wait()
			return waited, err
		}
		h := hold()
		patient := do(t.Context(), &g, false, h.call)
		if waited, err := doLate(time.Second, h.call); !errors.Is(err, lost) || waited != 2*time.Second {
			t.Errorf("%v after %v", err, waited)
		}
		h.release <- 1
		want(t, patient, 1, nil)

		if _, err := doLate(time.Second, h.call); !errors.Is(err, lost) {
			t.Error(err)
		}
		wantNothing(t, &g) // nobody else waited, so the call ended
		time.AfterFunc(time.Minute, func() { h.release <- 2 })
		if waited, err := doLate(time.Hour, h.call); err != nil || waited != time.Minute {
			t.Errorf("%v after %v", err, waited)
		}
		if _, err := doLate(0, func(context.Context) (int, error) { return 0, nil }); err != nil {
			t.Error(err)
		}
	})
}

// A call that Start begins or queues needs no waiters, and other callers share it.
func TestStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		h := hold()
		f, next := g.Start(Key{1}, false, h.call), g.Start(Key{1}, true, h.call)
		if g.Start(Key{1}, false, h.call) != f || g.Start(Key{1}, true, h.call) != next {
			t.Error("a flight of its own")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait: %v", err)
		}
		want(t, do(ctx, &g, false, h.call), 0, context.Canceled) // does not end the call
		h.release <- 1
		h.release <- 2
		for n, f := range []*Flight[int]{f, next} {
			if result, err := f.Wait(t.Context()); result != n+1 || err != nil {
				t.Errorf("Wait: %d, %v", result, err)
			}
		}
		wantNothing(t, &g)
	})
}

// A panic or an ended goroutine in a call ends neither the process nor the
// requests.
func TestPanicAndGoexit(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(){
		"panic":     func() { panic("secret") },
		"panic nil": func() { panic(nil) }, //nolint // on purpose
		"Goexit":    runtime.Goexit,
	} {
		synctest.Test(t, func(t *testing.T) {
			var g Group[int]
			h := hold()
			first := do(t.Context(), &g, false, func(ctx context.Context) (int, error) {
				_, _ = h.call(ctx)
				end()
				return 1, nil
			})
			second, queued := do(t.Context(), &g, false, h.call), do(t.Context(), &g, true, h.call)
			h.release <- 0
			for _, returned := range []<-chan outcome{first, second} {
				if got := <-returned; !errors.Is(got.err, ErrEnded) || strings.Contains(got.err.Error(), "secret") {
					t.Errorf("%s: %d, %v", name, got.result, got.err)
				}
			}
			h.release <- 2
			want(t, queued, 2, nil)
			wantNothing(t, &g)
		})
	}
}

// Many goroutines use all methods at once. Each gets the result of its own key, and no
// flight stays.
func TestSoak(t *testing.T) {
	t.Parallel()
	const keys = 10
	var g Group[Key]
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
				result, err := g.Do(ctx, Key{byte(k)}, j%3 == 0, func(ctx context.Context) (Key, error) {
					if at[k].Add(1) != 1 {
						t.Error("two calls with one key at the same time")
					}
					defer at[k].Add(-1)
					runtime.Gosched()
					if ctx.Err() != nil {
						return Key{}, ErrAbandoned
					}
					if j%11 == 0 {
						panic("sometimes")
					}
					return Key{byte(k)}, nil
				})
				switch {
				case err == nil && result != (Key{byte(k)}):
					t.Errorf("the result of key %d for %d", result[0], k)
				case err != nil && !errors.Is(err, ErrEnded) && !errors.Is(err, context.Canceled):
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	for key := range byte(keys) { // calls without waiters may still run
		_, _ = g.Do(t.Context(), Key{key}, true, func(context.Context) (Key, error) { return Key{}, nil })
	}
	wantNothing(t, &g)
}
