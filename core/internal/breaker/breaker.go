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

// Key names a credential without being it.
type Key = [32]byte

// Breaker lets calls pass while a server answers. It opens after failures in a
// row, and then lets one call pass after each pause. The zero value is closed.
type Breaker struct {
	mu          sync.Mutex
	failures    int // in a row
	credentials []Key
	pause       time.Duration // 0: closed
	until       time.Time
	probing     bool // the call after a pause runs
}

// Call is a call that may be made. Its end has to be told.
type Call struct {
	breaker *Breaker
	key     Key
	probe   bool
}

// Allow returns a call, or how long to wait for one.
func (b *Breaker) Allow(key Key) (call Call, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause == 0 {
		return Call{b, key, false}, 0
	}
	if wait := time.Until(b.until); wait > 0 {
		return Call{}, wait
	}
	if b.probing {
		return Call{}, firstPause
	}
	b.probing = true
	return Call{b, key, true}, 0
}

// Succeeded closes the breaker: the server answers.
func (c Call) Succeeded() {
	b := c.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.credentials, b.pause, b.probing = 0, nil, 0, false
}

// Failed counts a failure. While the breaker is open only that of the call after
// the pause counts: others began before.
func (c Call) Failed() {
	b := c.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
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
