package authgear

import (
	"container/list"
	"context"
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
)

// Revocations keeps, for each user, the time from which on answers and tokens count.
// Whoever learns that a user was disabled, such as the webhook receiver, tells it.
// [Hybrid] asks it about each request.
//
// An implementation that joins several processes tells all of them.
type Revocations interface {
	// Revoke notes that the user's sessions have ended. What was found out about the user
	// until now no longer counts. A token that was issued until issuedUntil, by Authgear's
	// clock, no longer counts by itself. If Revoke is called with two times, the later one
	// stays, whatever their order. An error means that other processes may not have heard of
	// it; this one has.
	Revoke(ctx context.Context, userID string, issuedUntil time.Time) error
	// Forget notes that something about the user has changed. What was found out until now
	// no longer counts; tokens still do. Forget is a help, not a promise: a process that
	// does not hear of it learns of the change when it asks Authgear next.
	Forget(ctx context.Context, userID string) error
	// Cutoff returns what was noted about the user, zero for nothing. It is called for
	// each request, so it answers from memory at once.
	Cutoff(userID string) Cutoff
}

// Cutoff says from when on answers and tokens of a user count. The zero value means
// always.
type Cutoff struct {
	// Answers: an answer does not count if its question was sent until this time, by this
	// process's clock.
	Answers time.Time
	// Tokens: a token that was issued until this time, by Authgear's clock, counts only when
	// Authgear, asked after Answers, accepts it.
	Tokens time.Time
}

// join returns the later times of both.
func (c Cutoff) join(other Cutoff) Cutoff {
	if other.Answers.After(c.Answers) {
		c.Answers = other.Answers
	}
	if other.Tokens.After(c.Tokens) {
		c.Tokens = other.Tokens
	}
	return c
}

const (
	defaultTokenLifetime = 24 * time.Hour
	tokenGrace           = 2 * time.Minute // for JWTConfig.Leeway, and clocks that differ
	maxCutoffs           = 100_000
	cutoffChains         = 16_384 // of six users when full
)

// MemoryRevocations is the [Revocations] of one process. The zero value is ready.
//
// It keeps the last 100,000 users. When there are more, it forgets the oldest
// ones, and the latest of their times counts for everybody, so that no revoked user is
// let in again.
type MemoryRevocations struct {
	// TokenLifetime is the longest life of an access token; a user is forgotten two
	// minutes after it has passed. 0: 24 hours. Authgear's default is 30 minutes.
	TokenLifetime time.Duration

	// Readers take no lock: a chain does not change, it is replaced.
	chains [cutoffChains]atomic.Pointer[cutoffChain]
	rest   atomic.Pointer[Cutoff] // of users who were left out; nil: nothing was noted yet

	mu    sync.Mutex
	seed  maphash.Seed
	order list.List // of user ids, the one who was noted last at the end
	users map[string]*list.Element
}

type cutoffChain struct {
	user   string
	cutoff Cutoff
	next   *cutoffChain
}

// Revoke implements [Revocations]. The error is nil.
func (m *MemoryRevocations) Revoke(_ context.Context, userID string, issuedUntil time.Time) error {
	m.note(userID, issuedUntil)
	return nil
}

// Forget implements [Revocations]. The error is nil.
func (m *MemoryRevocations) Forget(_ context.Context, userID string) error {
	m.note(userID, time.Time{})
	return nil
}

// Cutoff implements [Revocations].
func (m *MemoryRevocations) Cutoff(userID string) Cutoff {
	if m.rest.Load() == nil {
		return Cutoff{}
	}
	noted := m.find(userID)
	return noted.join(*m.rest.Load()) // after find, which misses a user who was left out meanwhile
}

// All returns what was noted about each user who is kept, in no order, for a store that
// joins processes. What is noted meanwhile may be missing.
func (m *MemoryRevocations) All() iter.Seq2[string, Cutoff] {
	return func(yield func(string, Cutoff) bool) {
		for i := range m.chains {
			for chain := m.chains[i].Load(); chain != nil; chain = chain.next {
				if !yield(chain.user, chain.cutoff) {
					return
				}
			}
		}
	}
}

// chain may be called only when rest was seen to be set: then the seed is set too.
func (m *MemoryRevocations) chain(userID string) *atomic.Pointer[cutoffChain] {
	return &m.chains[maphash.String(m.seed, userID)%cutoffChains]
}

// note takes the zero issuedUntil to revoke no token.
func (m *MemoryRevocations) note(userID string, issuedUntil time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users == nil {
		m.seed, m.users = maphash.MakeSeed(), map[string]*list.Element{}
		m.rest.Store(&Cutoff{})
	}
	noted := m.find(userID)
	m.dropOld()
	if element := m.users[userID]; element != nil {
		m.order.MoveToBack(element)
	} else {
		m.users[userID] = m.order.PushBack(userID)
	}
	m.set(userID, &cutoffChain{user: userID, cutoff: noted.join(Cutoff{Answers: time.Now(), Tokens: issuedUntil})})
	if m.order.Len() > maxCutoffs {
		rest := m.rest.Load().join(m.find(m.order.Front().Value.(string)))
		m.rest.Store(&rest) // before the user is gone
		m.drop()
	}
}

// find returns what was noted about this very user.
func (m *MemoryRevocations) find(userID string) Cutoff {
	for chain := m.chain(userID).Load(); chain != nil; chain = chain.next {
		if chain.user == userID {
			return chain.cutoff
		}
	}
	return Cutoff{}
}

// dropOld forgets users whose tokens have all expired. The caller holds the lock.
func (m *MemoryRevocations) dropOld() {
	lifetime := m.TokenLifetime
	if lifetime <= 0 {
		lifetime = defaultTokenLifetime
	}
	for first := m.order.Front(); first != nil; first = m.order.Front() {
		if age.Of(m.find(first.Value.(string)).Answers) <= lifetime+tokenGrace {
			return
		}
		m.drop()
	}
}

// drop takes the first user out. The caller holds the lock.
func (m *MemoryRevocations) drop() {
	userID := m.order.Remove(m.order.Front()).(string)
	delete(m.users, userID)
	m.set(userID, nil)
}

// set replaces what is noted about the user; nil takes it away. The caller holds the
// lock.
func (m *MemoryRevocations) set(userID string, first *cutoffChain) {
	place := m.chain(userID)
	chain := first
	for old := place.Load(); old != nil; old = old.next {
		if old.user != userID {
			chain = &cutoffChain{old.user, old.cutoff, chain}
		}
	}
	place.Store(chain)
}
