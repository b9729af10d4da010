// Package oldflight shares calls: one at a time for each key, at most so many at
// once in all, each detached from the requests that wait for it.
package oldflight

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Key names what a call is about: a hash, so that no credential is kept here.
type Key = [32]byte

var (
	// ErrBusy means that the call was not made, or not in time: too many others
	// run and wait.
	ErrBusy = errors.New("too many calls wait for their turn")
	// ErrTimeout means that the call took too long.
	ErrTimeout = errors.New("it took too long")
	// ErrEnded means that the call ended without a result: something in it
	// panicked or ended its goroutine.
	ErrEnded = errors.New("the call ended without a result")
)

// Group runs calls with a result of type R. The waiters share that result.
type Group[R any] struct {
	timeout    time.Duration
	maxWaiting int
	slots      chan struct{} // one element for each call that runs

	mu      sync.Mutex
	flights map[Key]*flight[R] // of each key the one that runs or waits for a slot
	waiting int                // flights that wait for a slot
}

// New returns a group. At most running calls run at once, and at most waiting
// others wait for a slot. A caller waits at most timeout, and a call ends after
// timeout, its wait for a slot included. It waits for the slot at most half of
// that. So a call that runs into the time-out has had at least half, and its
// time-out says something about the server.
func New[R any](running, waiting int, timeout time.Duration) *Group[R] {
	return &Group[R]{
		timeout:    timeout,
		maxWaiting: waiting,
		slots:      make(chan struct{}, running),
		flights:    make(map[Key]*flight[R]),
	}
}

// flight is one call.
type flight[R any] struct {
	call func(context.Context) R
	done chan struct{} // closed when result and err are set
	// left has an element when the last waiter has gone.
	left chan struct{}

	result R
	err    error

	// These are the group's, under its lock.
	waiters int
	waited  bool       // for a slot
	next    *flight[R] // begins when this one has ended
}

func newFlight[R any](call func(context.Context) R) *flight[R] {
	return &flight[R]{call: call, done: make(chan struct{}), left: make(chan struct{}, 1), err: ErrEnded}
}

// Do returns the result of the call that runs or waits for this key, else of a
// new one. With fresh it never joins a call that is there: all fresh callers
// share the one that comes next.
func (g *Group[R]) Do(ctx context.Context, key Key, fresh bool, call func(context.Context) R) (R, error) {
	g.mu.Lock()
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
	g.mu.Unlock()

	timer := time.NewTimer(g.timeout)
	defer timer.Stop()
	select {
	case <-f.done:
		return f.result, f.err
	case <-ctx.Done():
		g.leave(f)
		var none R
		return none, ctx.Err()
	case <-timer.C:
		var none R
		if g.leave(f) {
			return none, ErrBusy
		}
		return none, ErrTimeout
	}
}

// leave reports whether the call had to wait for its turn.
func (g *Group[R]) leave(f *flight[R]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.waiters--
	if f.waiters == 0 {
		select {
		case f.left <- struct{}{}:
		default:
		}
	}
	return f.waited
}

// begin gives a flight a slot or a place among those that wait, or ends it. The
// caller holds the lock.
func (g *Group[R]) begin(key Key, f *flight[R]) {
	slot := false
	if g.waiting == 0 { // who waits comes first
		select {
		case g.slots <- struct{}{}:
			slot = true
		default:
		}
	}
	if !slot {
		if g.waiting >= g.maxWaiting {
			f.err = ErrBusy
			close(f.done)
			return
		}
		g.waiting++
		f.waited = true
	}
	g.flights[key] = f
	go g.run(key, f, slot)
}

func (g *Group[R]) run(key Key, f *flight[R], slot bool) {
	ctx, cancel := context.WithTimeout(context.Background(), g.timeout)
	defer cancel()
	if !slot && !g.acquire(key, f) {
		return
	}
	defer g.land(key, f) // even when the call ends the goroutine
	defer func() { <-g.slots }()
	defer func() {
		if p := recover(); p != nil { // of the user's HTTP client: here it would end the process
			f.err = fmt.Errorf("%w: a panic with a %T", ErrEnded, p) // its text may hold a token
		}
	}()
	f.result = f.call(ctx)
	f.err = nil
}

// acquire waits for a slot. It ends the flight when there is none in time, or
// nobody waits for it any longer.
func (g *Group[R]) acquire(key Key, f *flight[R]) bool {
	timer := time.NewTimer(g.timeout / 2)
	defer timer.Stop()
	for {
		select {
		case g.slots <- struct{}{}:
			g.mu.Lock()
			if f.waiters > 0 {
				g.waiting--
				g.mu.Unlock()
				return true
			}
			<-g.slots
		case <-timer.C:
			f.err = ErrBusy
			g.mu.Lock()
		case <-f.left:
			g.mu.Lock()
			if f.waiters > 0 { // somebody came meanwhile
				g.mu.Unlock()
				continue
			}
		}
		g.waiting--
		g.landLocked(key, f)
		g.mu.Unlock()
		return false
	}
}

func (g *Group[R]) land(key Key, f *flight[R]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.landLocked(key, f)
}

// landLocked hands the result over and lets the next flight begin.
func (g *Group[R]) landLocked(key Key, f *flight[R]) {
	delete(g.flights, key)
	close(f.done)
	if f.next != nil && f.next.waiters > 0 {
		g.begin(key, f.next)
	}
}
