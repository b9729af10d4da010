// Package slots bounds the calls that run at once, so that those about made-up
// credentials cannot starve the others.
package slots

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

const (
	calls        = 64 // at once
	unknownCalls = 32 // of these at most, about credentials that nobody has seen to be good

	// How many wait, of each kind for itself. 3,000 new sessions at once find
	// room, with a resolver that answers within 5 ms in time.
	waitingKnown   = 4096
	waitingUnknown = 12288
)

// ErrBusy means that too many wait already.
var ErrBusy = errors.New("too many calls wait for their turn")

// Slots are the places of calls that run.
type Slots struct {
	all, unknown                 *semaphore.Weighted
	knownWaiters, unknownWaiters atomic.Int32
}

// New returns free slots.
func New() *Slots {
	return &Slots{all: semaphore.NewWeighted(calls), unknown: semaphore.NewWeighted(unknownCalls)}
}

// Acquire waits for a slot until ctx ends. An unknown credential first needs one
// of the places for such, so that half of the slots are always there for others.
func (s *Slots) Acquire(ctx context.Context, known bool) (release func(), err error) {
	waiters, most := &s.unknownWaiters, int32(waitingUnknown)
	if known {
		waiters, most = &s.knownWaiters, waitingKnown
	}
	if waiters.Add(1) > most {
		waiters.Add(-1)
		return nil, ErrBusy
	}
	defer waiters.Add(-1)
	if known {
		if err := s.all.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		return func() { s.all.Release(1) }, nil
	}
	if err := s.unknown.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	if err := s.all.Acquire(ctx, 1); err != nil {
		s.unknown.Release(1)
		return nil, err
	}
	return func() { s.all.Release(1); s.unknown.Release(1) }, nil
}
