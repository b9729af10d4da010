// Package health tells an outage of a server from failures that one client can cause. It
// judges by its own checks, never by the result of a client's call.
package health

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	pause    = time.Second            // after a failed round, ± a fifth; it never grows
	gap      = 250 * time.Millisecond // after a round that passed
	patience = 250 * time.Millisecond // how long a request waits for a round during an outage

	// After its database restarts, the server fails once for each of its pooled
	// connections. More checks than these would take all that the server can do.
	between      = 10 * time.Millisecond
	firstRepeats = 32
	laterRepeats = 3 // in a round after a pause
)

// Verdict is what one check has found.
type Verdict struct {
	Err error // nil: the server is well
	// Repeat: check again at once, since the next request may succeed.
	Repeat bool
	// TimedOut: the server has not answered in time. If it has answered a client
	// meanwhile, this is no outage: slow is not down.
	TimedOut bool
	// Pause is how long the server wants to be left alone. It is 0 when it did not say.
	Pause time.Duration
}

// Outage is the error of a server that is not well.
type Outage struct {
	Err        error
	RetryAfter time.Duration // until the server is asked again
}

func (o *Outage) Error() string { return "a health check has failed: " + o.Err.Error() }

// Unwrap returns what the last check has found.
func (o *Outage) Unwrap() error { return o.Err }

// Health knows whether a server is well. Its rounds of checks run in a goroutine of
// their own. The goroutine ends by itself.
type Health struct {
	check func(ctx context.Context, nth int) Verdict
	limit time.Duration

	mu       sync.Mutex
	down     error     // the failure of the last round; nil: there is no outage
	until    time.Time // when the outage's pause ends
	passed   time.Time // when the last passed round ended
	answered time.Time // when a client was last answered
	active   bool      // the goroutine runs
	running  *round
	next     *round
}

// round is one round of checks, shared by all that wait for it.
type round struct {
	done chan struct{}
	err  error // nil: it passed
}

// New returns the health of a server. The server counts as well until a check fails.
// check must not panic; nth is how many checks of the same round came before. limit is
// the time-out of a check. After twice the limit a round repeats no check.
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

// outage is Outage for a caller that holds the lock.
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

// Enter is called before a call to the server. It returns an *Outage when there is one.
// The first call after a pause begins a round. This call, and each that comes while the
// round runs, waits a moment for its result.
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

// Failed is called after a call to the server failed. It waits for a check that begins
// after the failure. It returns nil when the check finds the server well, an *Outage when
// it does not, and the error of ctx when ctx ends first.
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

// run makes rounds until nobody asks for another.
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
			wait = pause*4/5 + rand.N(pause*2/5) //nolint:gosec // no secret: it spreads the requests of many processes
		}
		h.until = time.Now().Add(wait)
		r.err = h.outage()
		if h.next != nil { // no round begins in the pause, so its waiters get this answer
			h.next.err = r.err
			close(h.next.done)
			h.next = nil
		}
	}
	close(r.done)
}

// round repeats the check until the verdict is final.
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
