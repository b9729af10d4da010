package webhook

import (
	"crypto/sha256"
	"sync"
)

const maxActed = 1024

// acted remembers the last events that were acted upon, so that none is acted upon twice.
// It keeps the hash of an event's body, not the event's id. A hash has a fixed size. And
// after a project's database was restored, a new event may get the id of an old one.
type acted struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]int   // the events, and their places in order
	order [maxActed][sha256.Size]byte // a ring
	next  int
}

// begin reports whether the event is new, and remembers it.
func (a *acted) begin(key [sha256.Size]byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.known[key]; known {
		return false
	}
	if a.known == nil {
		a.known = make(map[[sha256.Size]byte]int, maxActed)
	}
	if old := a.order[a.next]; a.known[old] == a.next { // otherwise that event failed and has come again
		delete(a.known, old)
	}
	a.known[key], a.order[a.next] = a.next, key
	a.next = (a.next + 1) % maxActed
	return true
}

// failed forgets the event, so that it can be repeated.
func (a *acted) failed(key [sha256.Size]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.known, key)
}
