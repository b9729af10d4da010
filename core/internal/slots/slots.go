// Package slots bounds the calls that run at once. Calls about made-up credentials, or
// about the many credentials of one user, cannot starve the others.
package slots

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	calls        = 64 // calls that run at once
	unknownCalls = 32 // at most, of these 64, about credentials that were never seen to be good
	userCalls    = 4  // at most, of these 64, about the credentials of one user

	// These are how many calls of each kind may wait. 3,000 new sessions at once
	// find room, and get their answers in time if the resolver answers within 5 ms.
	waitingKnown   = 4096
	waitingUnknown = 12288
	waitingUser    = 1024 // for other calls of the same user
)

// ErrBusy means that too many calls wait already.
var ErrBusy = errors.New("too many calls wait for their turn")

// Slots are the places for the calls that run.
type Slots struct {
	all, unknown                 *semaphore.Weighted
	knownWaiters, unknownWaiters atomic.Int32

	mu    sync.Mutex
	users map[string]*user // users that have calls which run or wait
}

type user struct {
	places *semaphore.Weighted
	calls  int
}

// New returns slots that are all free.
func New() *Slots {
	return &Slots{
		all:     semaphore.NewWeighted(calls),
		unknown: semaphore.NewWeighted(unknownCalls),
		users:   map[string]*user{},
	}
}

// Acquire waits for a slot until the time until, or until ctx ends. user is the user of
// the credential when it was last seen to be good; it is "" for an unknown credential.
// A call first needs one of the 32 places for unknown credentials, or one of its user's 4.
// So half of the slots are always there for known users. And users who make Authgear slow
// about their own session, by holding its lock, slow nobody else down.
func (s *Slots) Acquire(ctx context.Context, until time.Time, user string) (release func(), err error) {
	if user != "" {
		return s.acquireKnown(ctx, until, user)
	}
	if s.unknownWaiters.Add(1) > waitingUnknown {
		s.unknownWaiters.Add(-1)
		return nil, ErrBusy
	}
	defer s.unknownWaiters.Add(-1)
	if err := acquire(ctx, until, s.unknown); err != nil {
		return nil, err
	}
	if err := acquire(ctx, until, s.all); err != nil {
		s.unknown.Release(1)
		return nil, err
	}
	return func() { s.all.Release(1); s.unknown.Release(1) }, nil
}

func (s *Slots) acquireKnown(ctx context.Context, until time.Time, id string) (release func(), err error) {
	u, err := s.enter(id)
	if err != nil {
		return nil, err
	}
	if err := acquire(ctx, until, u.places); err != nil {
		s.leave(id, u)
		return nil, err
	}
	free := func() { u.places.Release(1); s.leave(id, u) }
	if s.knownWaiters.Add(1) > waitingKnown {
		s.knownWaiters.Add(-1)
		free()
		return nil, ErrBusy
	}
	defer s.knownWaiters.Add(-1)
	if err := acquire(ctx, until, s.all); err != nil {
		free()
		return nil, err
	}
	return func() { s.all.Release(1); free() }, nil
}

// acquire makes a context only when it has to wait.
func acquire(ctx context.Context, until time.Time, places *semaphore.Weighted) error {
	if places.TryAcquire(1) {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return places.Acquire(ctx, 1)
}

// enter counts a call of the user, or returns ErrBusy.
func (s *Slots) enter(id string) (*user, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[id]
	if u == nil {
		u = &user{places: semaphore.NewWeighted(userCalls)}
		s.users[id] = u
	}
	if u.calls == userCalls+waitingUser {
		return nil, ErrBusy
	}
	u.calls++
	return u, nil
}

func (s *Slots) leave(id string, u *user) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.calls--; u.calls == 0 {
		delete(s.users, id)
	}
}
