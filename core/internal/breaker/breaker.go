// Package breaker stops asking a server that fails, and finds out when it does
// so no longer.
package breaker

import (
	"slices"
	"sync"
	"time"
)

const (
	// A server whose answers about one or two credentials fail is not down: it
	// may be what somebody does with these.
	minFailures    = 5
	minCredentials = 3

	firstPause = time.Second
	maxPause   = 10 * time.Second
)

// Breaker lets calls pass while a server answers. It opens after failures in a
// row, and then lets one call pass after each pause. The zero value is closed.
type Breaker struct {
	mu          sync.Mutex
	failures    int           // in a row
	credentials [][32]byte    // hashes
	pause       time.Duration // 0: closed
	until       time.Time
	probing     bool   // the call after a pause runs
	closed      uint64 // how often it was closed again
}

// Call is a call that may be made. Its end has to be told.
type Call struct {
	breaker *Breaker
	key     [32]byte
	probe   bool
	closed  uint64 // when it began
}

// Allow returns a call, or how long to wait for one.
func (b *Breaker) Allow(key [32]byte) (call Call, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause == 0 {
		return Call{b, key, false, b.closed}, 0
	}
	if wait := time.Until(b.until); wait > 0 {
		return Call{}, wait
	}
	if b.probing {
		return Call{}, firstPause
	}
	b.probing = true
	return Call{b, key, true, b.closed}, 0
}

// Succeeded closes the breaker: the server answers.
func (c Call) Succeeded() {
	b := c.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause > 0 {
		b.closed++
	}
	b.failures, b.credentials, b.pause, b.probing = 0, nil, 0, false
}

// Void takes the call back: it tells nothing of the server.
func (c Call) Void() {
	b := c.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.probe && c.closed == b.closed {
		b.probing = false
	}
}

// Failed counts a failure, but not of a call that began before the breaker was
// closed again: an outage that has ended would begin anew. While the breaker is
// open only that of the call after the pause counts.
func (c Call) Failed() {
	b := c.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case c.closed != b.closed:
	case c.probe && b.pause > 0:
		b.open(min(2*b.pause, maxPause))
	case b.pause > 0:
	default:
		b.failures++
		if len(b.credentials) < minCredentials && !slices.Contains(b.credentials, c.key) {
			b.credentials = append(b.credentials, c.key)
		}
		if b.failures >= minFailures && len(b.credentials) >= minCredentials {
			b.open(firstPause)
		}
	}
}

func (b *Breaker) open(pause time.Duration) {
	b.pause, b.until, b.probing = pause, time.Now().Add(pause), false
}
