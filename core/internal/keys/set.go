// Package keys holds a project's public signing keys. It finds them by discovery and
// refreshes them when a request needs it, never by a ticker. It does not read tokens.
package keys

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
	"github.com/authgear/authgear-sdk-go/core/internal/flight"
	"github.com/authgear/authgear-sdk-go/core/internal/project"
)

// These constants say what happens to a set of keys at which age.
const (
	refreshAfter = 5 * time.Minute  // refreshed in the background
	idleAfter    = 10 * time.Minute // since the last attempt: requests wait for the refresh
	maxAge       = 24 * time.Hour   // then the keys are not used any longer

	idleWait = 2 * time.Second  // how long a request with an old key waits
	maxWait  = 10 * time.Second // how long any other request waits, for discovery and JWKS

	cooldown = 10 * time.Second // after a refresh for an unknown kid
	maxPause = 10 * time.Second // after failures in a row

	// lag is how long after the issue of a token its key may still be missing here:
	// each node of Authgear learns of a new key by itself, and clocks differ.
	lag = 60 * time.Second
	// maxWaiting is how many requests with an unknown kid wait at the same time.
	maxWaiting = 256
)

var (
	// ErrUnknownKey means that the project does not publish the key.
	ErrUnknownKey = errors.New("the project does not publish this key")

	errTooNew = errors.New("this key is not among those that Authgear answers with; it may come yet, as the token is new, or does not say when it was issued; or the token is of another project, or of a development Authgear that has started again")
	errBusy   = errors.New("too many requests wait for a key that is not among them")
)

// UnavailableError means that the keys are not available now.
type UnavailableError struct {
	Err        error
	RetryAfter time.Duration // until the next attempt may be made; 0: at once
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
	Status   int // 0 when there was no answer
	Header   http.Header
	Keys     []Key // the keys of the JWKS, usable or not
	Duration time.Duration
	Err      error
}

// Config configures New.
type Config struct {
	Endpoint string
	Client   *project.Client
	// Start and Observe are called before and after each request. Either may be
	// nil; the request has the context that Start returns.
	Start   func(ctx context.Context, kind, url string) context.Context
	Observe func(context.Context, Fetch)
}

// Set holds the keys of one project.
type Set struct {
	config   Config
	snapshot atomic.Pointer[Snapshot]
	flights  flight.Group[*Snapshot]
	waiting  atomic.Int32 // requests with an unknown kid

	mu          sync.Mutex
	refreshing  *flight.Flight[*Snapshot] // nil when none runs
	lastAttempt time.Time                 // when the last attempt ended
	failures    int                       // in a row
	lastErr     error
	cooldown    time.Time // when the last refresh for an unknown kid succeeded
	jwksPath    string    // what discovery found; only the running refresh uses it
}

// Snapshot holds the keys that the project published at one time. It does not change.
type Snapshot struct {
	keys           keyMap
	began, fetched time.Time // when its refresh began and ended
}

// Keys returns the keys with that kid: usually one, at most four. A key that is still
// published after a refresh keeps its pointer.
func (s *Snapshot) Keys(kid string) []*rsa.PublicKey { return s.keys[kid] }

// New returns an empty set.
func New(config Config) *Set { return &Set{config: config} }

// Lookup returns a snapshot that has the kid. For a known kid in a set younger than five
// minutes it takes no lock and does not wait. For an unknown kid it returns
// [ErrUnknownKey] only if the token was issued well before the keys were fetched: the key
// of a newer token may not have been published in time. issuedAt is zero when the token
// does not state it. It is not verified yet, but a forged one harms only the forger.
func (s *Set) Lookup(ctx context.Context, kid string, issuedAt time.Time) (*Snapshot, error) {
	held := s.snapshot.Load()
	var err error
	switch old := s.ageOf(held); {
	case old >= maxAge:
		held, err = s.refresh(ctx, held, false)
	case held.keys[kid] == nil:
		held, err = s.refresh(ctx, held, true)
	case old < refreshAfter:
		return held, nil
	default:
		held, err = s.refreshOld(ctx, held)
	}
	switch {
	case err != nil:
		return nil, err
	case held.keys[kid] != nil:
		return held, nil
	case !issuedAt.IsZero() && held.began.Sub(issuedAt) > lag:
		return nil, ErrUnknownKey
	default:
		return nil, s.unavailable(errTooNew)
	}
}

// ageOf returns maxAge when there is no set.
func (s *Set) ageOf(held *Snapshot) time.Duration {
	if held == nil {
		return maxAge
	}
	return age.Of(held.fetched)
}

// Ready returns nil when keys are held. Otherwise it joins or begins a fetch. In the
// pause after a failure it returns the last error instead.
func (s *Set) Ready(ctx context.Context) error {
	held := s.snapshot.Load()
	if s.ageOf(held) < maxAge {
		return nil
	}
	_, err := s.refresh(ctx, held, false)
	return err
}
