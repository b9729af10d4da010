package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

const (
	defaultPrefix        = "authgear:"
	defaultTokenLifetime = 24 * time.Hour
	catchUpInterval      = 30 * time.Second
	callerWaits          = time.Second // the longest wait for Redis, whatever the client's own time-outs are
)

// Config configures [New]. The zero value is right for most services.
type Config struct {
	// Prefix begins the name of the key in Redis; the channel has the same name. Projects
	// that share a Redis but not their users each need their own prefix. "": "authgear:", so
	// the name is "authgear:revocations". In a cluster a hash tag in it chooses the slot.
	Prefix string
	// TokenLifetime is the longest life of an access token. After it a user is forgotten. It
	// has to be the same in all processes. 0: 24 hours. Authgear's default is 30 minutes.
	TokenLifetime time.Duration
	// Observer is told by NoticeRevocations when Redis fails, and by
	// NoticeRevocationsRecovered when it is well again.
	// nil: LogObserver(nil).
	Observer *authgear.Observer
}

// Store is an [authgear.Revocations] that all processes with the same Redis share.
type Store struct {
	rdb      redis.UniversalClient
	name     string // the name of the key and the channel
	sender   string // marks the messages of this store, so that it knows its own
	lifetime time.Duration
	observer *authgear.Observer
	interval time.Duration
	silence  time.Duration

	memory    authgear.MemoryRevocations
	wake      chan struct{} // a change is pending
	connected chan struct{} // a connection is new: messages may have been missed before
	closed    chan struct{} // the client was closed

	mu      sync.Mutex
	pending map[string]change // the changes to tell, by user
	waiting []chan<- error    // callers that wait for the pending changes
	failing fault
}

// change is a change to tell of a user.
type change struct {
	until int64 // in ms; 0: forget
	again bool  // it was published before, but perhaps did not reach all
}

// New returns a store that uses the client: a *redis.Client, a failover or a cluster
// client. (Do not use a *redis.Ring: it publishes at random.) New panics when the client
// is nil. Three goroutines and a connection of the client serve the store until the
// client is closed. Redis need not be there yet.
func New(rdb redis.UniversalClient, config ...Config) *Store {
	return newStore(rdb, catchUpInterval, deadAfter, config...)
}

func newStore(rdb redis.UniversalClient, interval, silence time.Duration, config ...Config) *Store {
	if rdb == nil {
		panic("redisstore: New needs a client of Redis")
	}
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	if c.TokenLifetime <= 0 {
		c.TokenLifetime = defaultTokenLifetime
	}
	if c.Observer == nil {
		c.Observer = authgear.LogObserver(nil)
	}
	s := &Store{
		rdb: rdb, name: c.Prefix + "revocations", sender: rand.Text()[:10],
		lifetime: c.TokenLifetime, observer: c.Observer, interval: interval, silence: silence,
		memory: authgear.MemoryRevocations{TokenLifetime: c.TokenLifetime},
		wake:   make(chan struct{}, 1), connected: make(chan struct{}, 1), closed: make(chan struct{}),
		pending: map[string]change{},
	}
	go s.listen()
	go s.exchange()
	return s
}

// Revoke implements [authgear.Revocations]. It returns when Redis has stored it, and
// after a second at the latest. After an error the store goes on trying.
func (s *Store) Revoke(ctx context.Context, userID string, issuedUntil time.Time) error {
	// Rounded up, since Redis keeps milliseconds.
	return s.tell(ctx, userID, max(0, issuedUntil.Add(time.Millisecond-1).UnixMilli()))
}

// Forget implements [authgear.Revocations]. It waits for Redis as [Store.Revoke] does, but
// after an error the store does not try again.
func (s *Store) Forget(ctx context.Context, userID string) error {
	return s.tell(ctx, userID, 0)
}

// Cutoff implements [authgear.Revocations]. It never asks Redis.
func (s *Store) Cutoff(userID string) authgear.Cutoff { return s.memory.Cutoff(userID) }

// tell notes the change in memory, hands it to the goroutine that speaks to Redis, and
// waits for that goroutine.
func (s *Store) tell(ctx context.Context, userID string, until int64) error {
	s.note(userID, until)
	select {
	case <-s.closed: // the goroutine has ended
		return notTold(redis.ErrClosed)
	default:
	}
	told := make(chan error, 1)
	s.mu.Lock()
	s.pending[userID] = change{until: max(s.pending[userID].until, until)}
	s.waiting = append(s.waiting, told)
	s.mu.Unlock()
	signal(s.wake)

	ctx, cancel := context.WithTimeout(ctx, callerWaits)
	defer cancel()
	var err error
	select {
	case err = <-told:
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.closed:
		err = redis.ErrClosed
	}
	if err != nil {
		return notTold(err)
	}
	return nil
}

func notTold(err error) error {
	return fmt.Errorf("redisstore: other processes may not have heard of it: %w", err)
}

// note keeps the change in memory. If until is 0, no token is revoked.
func (s *Store) note(userID string, until int64) {
	if until == 0 {
		_ = s.memory.Forget(context.Background(), userID)
		return
	}
	_ = s.memory.Revoke(context.Background(), userID, time.UnixMilli(until))
}

// noted returns the time in ms until which tokens of the user do not count, 0 for none.
func noted(c authgear.Cutoff) int64 {
	if c.Tokens.IsZero() {
		return 0
	}
	return c.Tokens.UnixMilli()
}

// isTime reports whether Redis's number can be a time in ms that a store has written. A
// greater number would not be exact in a score.
func isTime(score float64) bool { return score > 0 && score < 1<<53 && score == math.Trunc(score) }

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
