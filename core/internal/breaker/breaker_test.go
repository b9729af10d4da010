package breaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/breaker"
)

func key(n int) [32]byte { return [32]byte{byte(n)} }

// allow returns a call that the breaker has to let pass.
func allow(t *testing.T, b *breaker.Breaker, n int) breaker.Call {
	t.Helper()
	call, wait := b.Allow(key(n))
	if wait != 0 {
		t.Fatalf("wait %v, want a call", wait)
	}
	return call
}

func refuse(t *testing.T, b *breaker.Breaker, want time.Duration) {
	t.Helper()
	if _, wait := b.Allow(key(0)); wait != want {
		t.Fatalf("wait %v, want %v", wait, want)
	}
}

// open fails as often as it takes.
func open(t *testing.T, b *breaker.Breaker) {
	t.Helper()
	for n := range 5 {
		allow(t, b, n).Failed()
	}
	refuse(t, b, time.Second)
}

func TestOpens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		failures []int // credentials; -1 is a success
		open     bool
	}{
		{"four failures", []int{1, 2, 3, 4}, false},
		{"five failures of three credentials", []int{1, 1, 1, 2, 3}, true},
		{"five failures of five", []int{1, 2, 3, 4, 5}, true},
		{"many of one credential", []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, false},
		{"many of two", []int{1, 2, 1, 2, 1, 2, 1, 2}, false},
		{"many of two, then a third", []int{1, 2, 1, 2, 1, 2, 1, 2, 3}, true},
		{"a success between", []int{1, 2, 3, 4, -1, 5}, false},
		{"credentials from before a success", []int{1, 2, 3, 4, -1, 5, 5, 5, 5, 5}, false},
		{"failures from before a success", []int{1, 2, 3, 4, -1, 1, 2, 3, 4}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var b breaker.Breaker
			for _, n := range c.failures {
				call := allow(t, &b, n)
				if n < 0 {
					call.Succeeded()
				} else {
					call.Failed()
				}
			}
			if _, wait := b.Allow(key(9)); wait != 0 != c.open {
				t.Errorf("%s: wait %v", c.name, wait)
			}
		})
	}
}

// One call passes after each pause; the pauses double up to ten seconds.
func TestPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b breaker.Breaker
		open(t, &b)
		for _, pause := range []time.Duration{1, 2, 4, 8, 10, 10, 10} {
			pause *= time.Second
			refuse(t, &b, pause)
			time.Sleep(pause - time.Nanosecond)
			refuse(t, &b, time.Nanosecond)
			time.Sleep(time.Nanosecond)
			probe := allow(t, &b, 1)
			refuse(t, &b, time.Second) // while that one runs
			time.Sleep(3 * time.Second)
			refuse(t, &b, time.Second)
			probe.Failed()
		}
		time.Sleep(10 * time.Second)
		allow(t, &b, 1).Succeeded()
		for range 100 {
			allow(t, &b, 1) // closed: all of them
		}
	})
}

// After it was closed the first pause is one second again, and it takes five
// failures again.
func TestBeginsAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b breaker.Breaker
		open(t, &b)
		time.Sleep(time.Second)
		allow(t, &b, 1).Failed()
		refuse(t, &b, 2*time.Second)
		time.Sleep(2 * time.Second)
		allow(t, &b, 1).Succeeded()
		open(t, &b)
	})
}

// Calls that began before the breaker opened end later.
func TestStragglers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b breaker.Breaker
		var calls []breaker.Call
		for n := range 64 {
			calls = append(calls, allow(t, &b, n))
		}
		for _, call := range calls[:60] { // 55 of them when it is open
			call.Failed()
		}
		refuse(t, &b, time.Second) // no longer than after the fifth
		time.Sleep(time.Second)
		probe := allow(t, &b, 1)
		calls[60].Failed()
		refuse(t, &b, time.Second) // the probe still runs
		calls[61].Succeeded()      // an answer is an answer
		allow(t, &b, 2)
		probe.Failed() // it began before that answer
		allow(t, &b, 3)
		for n := range 4 {
			allow(t, &b, 10+n).Failed()
		}
		allow(t, &b, 20).Failed()
		refuse(t, &b, time.Second)
	})
}

// Calls of an outage that hang time out long after the server has come back:
// they do not begin a new one.
func TestLateFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b breaker.Breaker
		var calls []breaker.Call
		for n := range 64 {
			calls = append(calls, allow(t, &b, n))
		}
		for _, c := range calls[:5] {
			c.Failed()
		}
		time.Sleep(time.Second)
		allow(t, &b, 1).Succeeded()
		time.Sleep(4 * time.Second)
		for _, c := range calls[5:] {
			c.Failed()
		}
		allow(t, &b, 1)
	})
}

// An outage that hangs fails late. An answer now and then, to something that the
// server could refuse at once, does not hide it.
func TestQuickAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b breaker.Breaker
		var calls []breaker.Call
		for n := range 5 {
			calls = append(calls, allow(t, &b, n))
		}
		time.Sleep(time.Second)
		allow(t, &b, 9).Succeeded()
		for _, c := range calls {
			c.Failed()
		}
		refuse(t, &b, time.Second)
	})
}

// A call that tells nothing of the server leaves things as they are, and the
// place of the call after a pause to another one.
func TestVoid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b breaker.Breaker
		for n := range 5 {
			allow(t, &b, n).Void()
			allow(t, &b, n).Failed()
		}
		refuse(t, &b, time.Second)
		time.Sleep(time.Second)
		probe := allow(t, &b, 1)
		refuse(t, &b, time.Second)
		probe.Void()
		allow(t, &b, 2).Failed()
		refuse(t, &b, 2*time.Second)
	})
}
