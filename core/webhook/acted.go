package webhook

import (
	"crypto/sha256"
	"sync"
)

const maxActed = 1024

// acted keeps the last events that were acted upon, so that none is acted upon twice.
// They are kept by the hash of their body, not by their id: a hash has one size, and a
// project whose database was restored may give the id of an old event to a new one.
type acted struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]int   // and their places in order
	order [maxActed][sha256.Size]byte // a ring
	next  int
}

// begin reports whether the event is new, and notes it.
func (a *acted) begin(key [sha256.Size]byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.known[key]; known {
		return false
	}
	if a.known == nil {
		a.known = make(map[[sha256.Size]byte]int, maxActed)
	}
	if old := a.order[a.next]; a.known[old] == a.next { // else it has failed and come again
		delete(a.known, old)
	}
	a.known[key], a.order[a.next] = a.next, key
	a.next = (a.next + 1) % maxActed
	return true
}

// failed takes the event out, so that it can be repeated.
func (a *acted) failed(key [sha256.Size]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.known, key)
}
