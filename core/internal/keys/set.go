// Package keys holds a project's public signing keys: found by discovery,
// refreshed when requests need it, never by a ticker. It knows no tokens.
package keys

import (
	"context"
	"crypto/rsa"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
)

// What the age of a set of keys means.
const (
	freshFor = 5 * time.Minute  // then a refresh is begun in the background
	idleFor  = 10 * time.Minute // without an attempt: requests wait for the refresh
	usable   = 24 * time.Hour   // then the keys do not count any longer

	idleWait = 2 * time.Second  // how long a request waits that has an old key
	maxWait  = 10 * time.Second // how long any other waits: discovery and JWKS

	cooldown = 10 * time.Second // after a refresh for an unknown kid
	maxPause = 10 * time.Second // after failures in a row
)

// ErrUnknownKey means that the project does not publish the key.
var ErrUnknownKey = errors.New("the project does not publish this key")

// UnavailableError means that the keys could not be had.
type UnavailableError struct {
	Err        error
	RetryAfter time.Duration // until the next attempt
}

func (e *UnavailableError) Error() string {
	return "the project's keys are not available: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Fetch describes one request to the project.
type Fetch struct {
	Kind     string // "discovery" or "jwks"
	URL      string
	Status   int // 0 without an answer
	Duration time.Duration
	Err      error
}

// Client asks the project; *fetch.Client does.
type Client interface {
	Get(ctx context.Context, path string) (body []byte, status int, err error)
	URL(path string) string
}

// Config configures New.
type Config struct {
	Endpoint string
	Client   Client
	Observe  func(context.Context, Fetch) // may be nil
}

// Set holds the keys of one project.
type Set struct {
	config   Config
	snapshot atomic.Pointer[snapshot]

	mu          sync.Mutex
	flight      *flight   // the refresh that runs, if any
	lastAttempt time.Time // its end
	failures    int       // in a row
	lastErr     error
	cooldown    time.Time // when the last refresh for an unknown kid succeeded
	jwksPath    string    // what discovery found; only the running refresh uses it
}

// snapshot is immutable.
type snapshot struct {
	keys    map[string][]*rsa.PublicKey
	fetched time.Time
}

// flight is one refresh, shared by all that wait for it.
type flight struct {
	done       chan struct{}
	unknownKey bool // it was begun for an unknown kid
	err        error
}

// New returns an empty set.
func New(config Config) *Set { return &Set{config: config} }

// Lookup returns the keys with that kid: one, or as many as four that share it.
// For a known kid in a fresh set it takes no lock and waits for nobody.
func (s *Set) Lookup(ctx context.Context, kid string) ([]*rsa.PublicKey, error) {
	held := s.snapshot.Load()
	if held == nil {
		return s.lookupAfterRefresh(ctx, held, kid)
	}
	old := age.Of(held.fetched)
	if old >= usable {
		return s.lookupAfterRefresh(ctx, held, kid)
	}
	keys := held.keys[kid]
	switch {
	case keys == nil:
		return s.lookupUnknown(ctx, held, kid)
	case old < freshFor:
		return keys, nil
	default:
		return s.lookupOld(ctx, held, kid)
	}
}

// Ready returns nil when keys are held. Else it joins or begins a fetch, or
// returns the last error while the next attempt has to wait.
func (s *Set) Ready(ctx context.Context) error {
	held := s.snapshot.Load()
	if held != nil && age.Of(held.fetched) < usable {
		return nil
	}
	return s.refresh(ctx, held, false)
}

// lookupAfterRefresh is for a set without usable keys. The fetch that this
// request waits for is its refresh: an unknown kid causes no other.
func (s *Set) lookupAfterRefresh(ctx context.Context, held *snapshot, kid string) ([]*rsa.PublicKey, error) {
	if err := s.refresh(ctx, held, false); err != nil {
		return nil, err
	}
	return s.known(kid)
}

func (s *Set) lookupUnknown(ctx context.Context, held *snapshot, kid string) ([]*rsa.PublicKey, error) {
	if err := s.refresh(ctx, held, true); err != nil {
		return nil, err
	}
	return s.known(kid)
}

// lookupOld goes on with the key that is held, but begins a refresh, and waits
// for it a little when nobody has tried for long: the key may have been removed
// while the service was idle.
func (s *Set) lookupOld(ctx context.Context, held *snapshot, kid string) ([]*rsa.PublicKey, error) {
	s.mu.Lock()
	if s.snapshot.Load() != held { // a refresh has just ended
		s.mu.Unlock()
		return s.known(kid)
	}
	if s.flight == nil && s.pause() > 0 {
		s.mu.Unlock()
		return held.keys[kid], nil
	}
	idle := age.Of(s.lastAttempt) >= idleFor
	f := s.begin(false)
	s.mu.Unlock()
	if !idle {
		return held.keys[kid], nil
	}
	if err := f.wait(ctx, idleWait); err != nil {
		if age.Of(held.fetched) >= usable { // while it waited
			s.mu.Lock()
			wait := s.pause()
			s.mu.Unlock()
			return nil, &UnavailableError{Err: err, RetryAfter: wait}
		}
		return held.keys[kid], nil //nolint:nilerr // an old key is good for 24 hours
	}
	return s.known(kid)
}

// known looks a kid up in what is held now.
func (s *Set) known(kid string) ([]*rsa.PublicKey, error) {
	if held := s.snapshot.Load(); held != nil {
		if keys := held.keys[kid]; keys != nil {
			return keys, nil
		}
	}
	return nil, ErrUnknownKey
}
