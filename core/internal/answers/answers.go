// Package answers keeps what was found out about credentials, for later requests.
package answers

import (
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
)

// Key is a hash of a credential, so that no credential is kept here.
type Key = [32]byte

// Table keeps answers of type V. Requests share them, so nobody may change them.
type Table[V any] struct{ entries *otter.Cache[Key, entry[V]] }

type entry[V any] struct {
	value   V
	at      time.Time
	expires time.Time // zero: never
}

// New returns a table of at most size entries.
func New[V any](size int) *Table[V] {
	return &Table[V]{otter.Must(&otter.Options[Key, entry[V]]{MaximumSize: size})}
}

// Set keeps an answer that was given at the time at. It replaces the earlier answer of
// the key. From expires on the answer does not count; zero means that it never expires.
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
