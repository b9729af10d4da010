// Package flight shares calls. For each key one call runs at a time, detached from the
// requests that wait for it.
package flight

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Key names what a call is about. It is a hash, so that no credential is kept here.
type Key = [32]byte

var (
	// ErrAbandoned is the error of a call that gave up because its context ended.
	ErrAbandoned = errors.New("nobody waits for the call any longer")
	// ErrEnded means that the call ended without a result: something in it
	// panicked or ended its goroutine.
	ErrEnded = errors.New("the call ended without a result")
)

// Group shares calls with a result of type R. The zero value is ready. It sets
// no bounds and no time-outs: the caller does.
type Group[R any] struct {
	mu      sync.Mutex
	flights map[Key]*Flight[R] // the running flight of each key
}

// Flight is one call.
type Flight[R any] struct {
	call   func(context.Context) (R, error)
	done   chan struct{} // closed when result and err are set
	result R
	err    error

	// The fields below are protected by the group's lock.
	waiters int
	cancel  context.CancelFunc // nil until the call begins
	next    *Flight[R]         // the queued flight: it begins when this one has ended
}

// Do returns the result of the call that runs for this key. If none runs, it makes one.
// With fresh it never joins a call that has begun: all fresh callers share the next
// call, which begins when the running one has ended.
//
// The context of the call has no values of any caller's context. It ends when nobody
// waits any longer. A call that must not stop in the middle of its work detaches
// itself by context.WithoutCancel. A call that gives up because its context has ended
// returns [ErrAbandoned]. It is made again if a new caller has come meanwhile.
func (g *Group[R]) Do(ctx context.Context, key Key, fresh bool, call func(context.Context) (R, error)) (R, error) {
	f := g.join(key, fresh, call)
	defer g.leave(f)
	return f.Wait(ctx)
}

// DoLate is Do, but when there is no result after the time given, it goes on waiting with
// the context that late returns. Until then that context costs nothing.
func (g *Group[R]) DoLate(ctx context.Context, key Key, fresh bool, after time.Duration, late func(context.Context) (context.Context, context.CancelFunc), call func(context.Context) (R, error)) (R, error) {
	f := g.join(key, fresh, call)
	defer g.leave(f)
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-f.done:
	case <-ctx.Done():
	case <-timer.C:
		var cancel context.CancelFunc
		ctx, cancel = late(ctx)
		defer cancel()
	}
	result, err := f.Wait(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return result, err
}

// Start returns the flight whose result Do would return, without waiting. The
// context of the call does not end before the call does.
func (g *Group[R]) Start(key Key, fresh bool, call func(context.Context) (R, error)) *Flight[R] {
	return g.join(key, fresh, call) // it never leaves, so the context does not end
}

// Wait returns the flight's result, or the error of ctx if that ends first.
func (f *Flight[R]) Wait(ctx context.Context) (R, error) {
	select {
	case <-f.done:
		return f.result, f.err
	case <-ctx.Done():
		var none R
		return none, ctx.Err()
	}
}

func (g *Group[R]) join(key Key, fresh bool, call func(context.Context) (R, error)) *Flight[R] {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.flights[key]
	switch {
	case f == nil:
		f = newFlight(call)
		g.begin(key, f)
	case fresh:
		if f.next == nil {
			f.next = newFlight(call)
		}
		f = f.next
	}
	f.waiters++
	return f
}

func newFlight[R any](call func(context.Context) (R, error)) *Flight[R] {
	return &Flight[R]{call: call, done: make(chan struct{})}
}

func (g *Group[R]) leave(f *Flight[R]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.waiters--
	if f.waiters == 0 && f.cancel != nil {
		f.cancel()
	}
}

// begin makes the call in a goroutine of its own. The caller holds the lock.
func (g *Group[R]) begin(key Key, f *Flight[R]) {
	if g.flights == nil {
		g.flights = make(map[Key]*Flight[R])
	}
	ctx, cancel := context.WithCancel(context.Background())
	g.flights[key], f.cancel, f.err = f, cancel, ErrEnded
	go func() {
		defer g.land(key, f) // even when the call ends the goroutine
		defer func() {
			if p := recover(); p != nil { // in the user's HTTP client; in this goroutine it would end the process
				f.err = fmt.Errorf("%w: a panic with a %T", ErrEnded, p) // not the panic's text, which may hold a token
			}
		}()
		growStack()
		f.result, f.err = f.call(ctx)
	}()
}

// growStack gives a new goroutine the stack that an HTTP request needs, in one step.
// Otherwise the stack grows, and is copied, several times: a twentieth of a call's cost.
//
//go:noinline
func growStack() (zero byte) {
	var room [4 << 10]byte
	return room[end]
}

var end int // a variable: with a constant the compiler would reserve no stack

// land hands the result over and lets the next flight begin.
func (g *Group[R]) land(key Key, f *Flight[R]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.cancel()
	if f.waiters > 0 && errors.Is(f.err, ErrAbandoned) { // a new caller came after the last one had left
		g.begin(key, f)
		return
	}
	delete(g.flights, key)
	close(f.done)
	if f.next != nil && f.next.waiters > 0 {
		g.begin(key, f.next)
	}
}
