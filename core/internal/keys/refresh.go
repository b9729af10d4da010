package keys

import (
	"context"
	"errors"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
	"github.com/authgear/authgear-sdk-go/core/internal/flight"
)

var errTooLong = errors.New("the project takes too long to answer")

// refresh returns the result of the running refresh, or of a new one when none runs. When
// no refresh may begin, it returns the current keys. held are the keys that the caller
// cannot use.
func (s *Set) refresh(ctx context.Context, held *Snapshot, unknownKey bool) (*Snapshot, error) {
	f, err := s.begin(held, unknownKey)
	if f == nil {
		return s.snapshot.Load(), err
	}
	if unknownKey {
		defer s.waiting.Add(-1)
		if s.waiting.Add(1) > maxWaiting {
			return nil, s.unavailable(errBusy)
		}
	}
	return s.wait(ctx, f, maxWait)
}

// refreshOld begins a refresh and goes on with the keys that are held. When nobody has
// tried for long, it waits a little for the refresh first: a key may have been removed
// while the service was idle.
func (s *Set) refreshOld(ctx context.Context, held *Snapshot) (*Snapshot, error) {
	s.mu.Lock()
	idle := age.Of(s.lastAttempt) >= idleAfter
	s.mu.Unlock()
	f, err := s.begin(held, false)
	switch {
	case err != nil:
		return held, nil //nolint:nilerr // old keys are good for 24 hours
	case f == nil:
		return s.snapshot.Load(), nil
	case !idle:
		return held, nil
	}
	next, err := s.wait(ctx, f, idleWait)
	if err != nil && s.ageOf(held) < maxAge { // held may have become too old meanwhile
		return held, nil //nolint:nilerr // as above
	}
	return next, err
}

// begin returns the refresh that runs, or a new one. It returns nil
//   - when held was replaced meanwhile, since the new keys are good for the caller too,
//   - within the pause after a failure, together with that failure,
//   - for an unknown kid within the cooldown.
func (s *Set) begin(held *Snapshot, unknownKey bool) (*flight.Flight[*Snapshot], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.snapshot.Load() != held:
		return nil, nil
	case s.refreshing != nil:
		return s.refreshing, nil
	case s.pause() > 0:
		return nil, &UnavailableError{Err: s.lastErr, RetryAfter: s.pause()}
	case s.cooling() > 0: // this soon only an unknown kid asks again
		return nil, nil
	}
	// Fresh, so that it never joins a flight that has its result already.
	s.refreshing = s.flights.Start(flight.Key{}, true, func(ctx context.Context) (*Snapshot, error) {
		return s.run(ctx, unknownKey)
	})
	return s.refreshing, nil
}

// pause returns how long the next attempt has to wait: 1, 2, 4, 8, 10 seconds after 1, 2,
// 3, 4, 5 failures in a row, less the time that has passed. The caller holds the lock.
func (s *Set) pause() time.Duration {
	if s.failures == 0 {
		return 0
	}
	return rest(min(time.Second<<min(s.failures-1, 4), maxPause), s.lastAttempt)
}

// cooling returns how long an unknown kid has to wait. The caller holds the lock.
func (s *Set) cooling() time.Duration { return rest(cooldown, s.cooldown) }

// rest returns what is left of a duration that began at since. Nothing is left when
// since is zero.
func rest(of time.Duration, since time.Time) time.Duration {
	return max(of-age.Of(since), 0)
}

func (s *Set) unavailable(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &UnavailableError{Err: err, RetryAfter: max(s.pause(), s.cooling())}
}

// run does a refresh.
func (s *Set) run(ctx context.Context, unknownKey bool) (*Snapshot, error) {
	next, err := &Snapshot{began: time.Now()}, flight.ErrEnded
	defer func() { s.land(next, err, unknownKey) }() // even when the user's HTTP client panics
	next.keys, err = s.fetch(ctx)
	if err != nil {
		return nil, err
	}
	if held := s.snapshot.Load(); held != nil {
		next.keys.reuse(held.keys)
	}
	return next, nil
}

// land stores the result of a refresh.
func (s *Set) land(next *Snapshot, err error, unknownKey bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshing, s.lastAttempt, s.lastErr = nil, time.Now(), err
	if err != nil {
		s.failures++
		return
	}
	s.failures = 0
	next.fetched = s.lastAttempt
	s.snapshot.Store(next)
	if unknownKey {
		s.cooldown = s.lastAttempt
	}
}

// wait returns the result of the refresh, or an error when ctx or the limit ends first.
func (s *Set) wait(ctx context.Context, f *flight.Flight[*Snapshot], limit time.Duration) (*Snapshot, error) {
	limited, cancel := context.WithTimeoutCause(ctx, limit, errTooLong)
	defer cancel()
	next, err := f.Wait(limited)
	if err != nil {
		if limited.Err() != nil {
			err = context.Cause(limited)
		}
		return nil, s.unavailable(err)
	}
	return next, nil
}
