// Package health tells an outage of a server from what one client can cause. It
// judges by checks of its own, never by what a client's call got.
package health

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	pause    = time.Second            // after a round that failed, ± a fifth; it never grows
	gap      = 250 * time.Millisecond // after a round that passed
	patience = 250 * time.Millisecond // of a request that finds a round in an outage

	// After a restart of its database each of the server's pooled connections
	// costs one failure. More checks than these would be all that it can do.
	between      = 10 * time.Millisecond
	firstRepeats = 32
	laterRepeats = 3 // after a pause
)

// Verdict is what one check has found.
type Verdict struct {
	Err error // nil: the server is well
	// Repeat: it may be well for whoever asks next.
	Repeat bool
	// TimedOut: it has not answered in time, which is no outage if it has answered
	// a client meanwhile. Slow is not down.
	TimedOut bool
	// Pause is how long the server wants to be left alone, 0 when it did not say.
	Pause time.Duration
}

// Outage is the error of a server that is not well.
type Outage struct {
	Err        error
	RetryAfter time.Duration // until it is asked again
}

func (o *Outage) Error() string { return "a health check has failed: " + o.Err.Error() }

// Unwrap returns what the last check has found.
func (o *Outage) Unwrap() error { return o.Err }

// Health knows how a server is. Its rounds of checks run in a goroutine of their
// own, which ends by itself.
type Health struct {
	check func(ctx context.Context, nth int) Verdict
	limit time.Duration

	mu       sync.Mutex
	down     error     // what the last round has found; nil: there is no outage
	until    time.Time // the outage's pause ends
	passed   time.Time // the last round that passed
	answered time.Time // the last client
	active   bool      // the goroutine is there
	running  *round
	next     *round
}

// round is one round of checks, shared by all that wait for it.
type round struct {
	done chan struct{}
	err  error // nil: it passed
}

// New returns the health of a server that is well until a check says something
// else. check must not panic; nth is how many checks of the same round came
// before. limit is the time-out of a check, and no check of a round begins later.
func New(limit time.Duration, check func(ctx context.Context, nth int) Verdict) *Health {
	return &Health{check: check, limit: limit}
}

// Answered notes that a client's call was answered.
func (h *Health) Answered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answered = time.Now()
}

// Outage returns the outage, nil when there is none.
func (h *Health) Outage() *Outage {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.outage()
}

// outage is for who holds the lock.
func (h *Health) outage() *Outage {
	if h.down == nil {
		return nil
	}
	wait := time.Until(h.until)
	if wait <= 0 { // a round runs, or begins with the next request
		wait = pause
	}
	return &Outage{h.down, wait}
}

// Enter is for a call that is about to be made. It returns an *Outage when there
// is one. The first call after a pause begins a round; one that finds it running
// waits a moment for it.
func (h *Health) Enter(ctx context.Context) error {
	h.mu.Lock()
	outage, r := h.outage(), h.running
	if outage == nil {
		h.mu.Unlock()
		return nil
	}
	if r == nil {
		if time.Now().Before(h.until) {
			h.mu.Unlock()
			return outage
		}
		r = h.begin()
	}
	h.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-r.done:
		return r.err
	case <-timer.C:
		return outage
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Failed is for a call that has failed. It returns nil when a check that began
// after that finds the server well, an *Outage when it does not, and the error of
// ctx when that ended before.
func (h *Health) Failed(ctx context.Context) error {
	h.mu.Lock()
	if h.down != nil {
		h.mu.Unlock()
		return h.Enter(ctx)
	}
	r := h.begin()
	h.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin returns the round that begins next. The caller holds the lock.
func (h *Health) begin() *round {
	if h.next == nil {
		h.next = &round{done: make(chan struct{})}
	}
	if !h.active {
		h.active = true
		go h.run()
	}
	return h.next
}

// run makes rounds as long as somebody has asked for one.
func (h *Health) run() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.next != nil {
		if wait := time.Until(h.passed.Add(gap)); wait > 0 {
			h.mu.Unlock()
			time.Sleep(wait)
			h.mu.Lock()
		}
		repeats := firstRepeats
		if h.down != nil {
			repeats = laterRepeats
		}
		h.running, h.next = h.next, nil
		h.mu.Unlock()
		verdict := h.round(repeats)
		h.mu.Lock()
		h.end(verdict)
	}
	h.active = false
}

// end notes what the running round has found. The caller holds the lock.
func (h *Health) end(verdict Verdict) {
	r := h.running
	h.running, h.down = nil, verdict.Err
	if verdict.Err == nil {
		h.passed = time.Now()
	} else {
		wait := verdict.Pause
		if wait == 0 {
			wait = pause*4/5 + rand.N(pause*2/5) //nolint:gosec // spreads many processes, and is no secret
		}
		h.until = time.Now().Add(wait)
		r.err = h.outage()
		if h.next != nil { // nothing is asked now, and they have an answer
			h.next.err = r.err
			close(h.next.done)
			h.next = nil
		}
	}
	close(r.done)
}

// round checks until there is a verdict.
func (h *Health) round(repeats int) Verdict {
	began := time.Now()
	for nth := 0; ; nth++ {
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), h.limit)
		verdict := h.check(ctx, nth)
		cancel()
		if verdict.TimedOut && h.answeredSince(start) {
			return Verdict{}
		}
		if verdict.Err == nil || !verdict.Repeat || nth >= repeats || time.Since(began) > 2*h.limit {
			return verdict
		}
		time.Sleep(between)
	}
}

func (h *Health) answeredSince(start time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.answered.After(start)
}
