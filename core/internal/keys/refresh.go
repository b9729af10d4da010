package keys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
)

var (
	errTooLong = errors.New("the project takes too long to answer")
	errEnded   = errors.New("the HTTP client ended the goroutine of the fetch")
)

// refresh waits for one refresh, which it begins when none runs. Within the
// pause after a failure it returns that failure; for an unknown kid within the
// cooldown it returns ErrUnknownKey. held is what the caller found wanting: a
// refresh that has replaced it meanwhile is the caller's, too.
func (s *Set) refresh(ctx context.Context, held *snapshot, unknownKey bool) error {
	s.mu.Lock()
	if s.snapshot.Load() != held {
		s.mu.Unlock()
		return nil
	}
	if s.flight == nil {
		if wait := s.pause(); wait > 0 {
			err := s.lastErr
			s.mu.Unlock()
			return &UnavailableError{Err: err, RetryAfter: wait}
		}
		if unknownKey && !s.cooldown.IsZero() && age.Of(s.cooldown) < cooldown {
			s.mu.Unlock()
			return ErrUnknownKey
		}
	}
	f := s.begin(unknownKey)
	s.mu.Unlock()

	if err := f.wait(ctx, maxWait); err != nil {
		s.mu.Lock()
		wait := s.pause()
		s.mu.Unlock()
		return &UnavailableError{Err: err, RetryAfter: wait}
	}
	return nil
}

// begin returns the refresh that runs, or begins one. The caller holds the lock.
func (s *Set) begin(unknownKey bool) *flight {
	if s.flight == nil {
		s.flight = &flight{done: make(chan struct{}), unknownKey: unknownKey}
		go s.run(s.flight)
	}
	return s.flight
}

// pause returns how long the next attempt has to wait: 1, 2, 4, 8, 10 seconds by
// failures in a row, less what has passed. The caller holds the lock.
func (s *Set) pause() time.Duration {
	if s.failures == 0 {
		return 0
	}
	pause := min(time.Second<<min(s.failures-1, 4), maxPause)
	return max(pause-age.Of(s.lastAttempt), 0)
}

// run is a refresh. It has a context of its own: it must not end with the
// request that began it, and must not keep that request's context, which some
// frameworks use again.
func (s *Set) run(f *flight) {
	keys, err := keyMap(nil), errEnded
	defer func() { s.land(f, keys, err) }() // even when the client ends the goroutine
	keys, err = s.fetchSafely(context.Background())
}

// land ends a flight with its result.
func (s *Set) land(f *flight, keys keyMap, err error) {
	s.mu.Lock()
	now := time.Now()
	s.lastAttempt, s.flight = now, nil
	if err != nil {
		s.failures++
		s.lastErr, f.err = err, err
	} else {
		s.failures, s.lastErr = 0, nil
		s.snapshot.Store(&snapshot{keys: keys, fetched: now})
		if f.unknownKey {
			s.cooldown = now
		}
	}
	s.mu.Unlock()
	close(f.done)
}

// fetchSafely turns a panic in the user's HTTP client into an error: in this
// goroutine it would end the process.
func (s *Set) fetchSafely(ctx context.Context) (keys keyMap, err error) {
	defer func() {
		if p := recover(); p != nil {
			keys, err = nil, fmt.Errorf("the HTTP client panicked: %v", p)
		}
	}()
	return s.fetch(ctx)
}

// wait returns the result of the flight, or that it takes too long: every
// request has its own end and a limit beside it.
func (f *flight) wait(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errTooLong
	}
}
