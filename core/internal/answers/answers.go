// Package answers keeps what was found out about credentials, for requests to
// come.
package answers

import (
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
)

// Key names a credential by a hash, so that none is kept here.
type Key = [32]byte

// Table keeps answers of type V, which are shared and so never change.
type Table[V any] struct {
	entries *otter.Cache[Key, entry[V]]
	evicted atomic.Int64 // Unix nanoseconds
}

type entry[V any] struct {
	value   V
	at      time.Time
	expires time.Time // zero: never
}

// New returns a table of at most that many entries.
func New[V any](size int) *Table[V] {
	t := &Table[V]{}
	t.entries = otter.Must(&otter.Options[Key, entry[V]]{
		MaximumSize: size,
		OnAtomicDeletion: func(e otter.DeletionEvent[Key, entry[V]]) {
			if e.WasEvicted() {
				t.evicted.Store(time.Now().UnixNano())
			}
		},
	})
	return t
}

// Evicted returns when an answer last made room for others. ok is false when none did.
func (t *Table[V]) Evicted() (at time.Time, ok bool) {
	n := t.evicted.Load()
	return time.Unix(0, n), n != 0
}

// Set keeps an answer that was given at a time, in place of what is known of the
// key. It does not count from expires on, unless that is zero.
func (t *Table[V]) Set(key Key, value V, at, expires time.Time) {
	t.entries.Set(key, entry[V]{value, at, expires})
}

// Get returns an answer that is younger than maxAge and has not expired.
func (t *Table[V]) Get(key Key, maxAge time.Duration) (value V, ok bool) {
	e, ok := t.entries.GetIfPresent(key)
	if !ok || age.Of(e.at) >= maxAge || !e.expires.IsZero() && !time.Now().Before(e.expires) {
		return value, false
	}
	return e.value, true
}

// Last returns the last answer, whatever its age.
func (t *Table[V]) Last(key Key) (value V, ok bool) {
	e, ok := t.entries.GetIfPresent(key)
	return e.value, ok
}

// Delete forgets the key.
func (t *Table[V]) Delete(key Key) { t.entries.Invalidate(key) }
