package authgear

import (
	"errors"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/oldflight"
)

// answer is what the resolver says of credentials: an identity or an error. It
// is shared, so it never changes.
type answer struct {
	identity *Identity
	err      *Error
	at       time.Time // when the call began, so not later than the answer
	// unasked is true for an error that says nothing of Authgear: it was not
	// asked, since we were too busy or the client went away.
	unasked bool
	cached  bool // it was given to an earlier request
}

// decided reports whether the resolver has told who it is, or that it is nobody.
func (a answer) decided() bool {
	return a.identity != nil || a.err.Outcome() != OutcomeUnavailable
}

// identityFor returns an identity that belongs to the caller. The same token may
// have come in a cookie or not.
func (a answer) identityFor(c credentials) *Identity {
	identity := a.identity.clone()
	identity.Evidence.Ambient, identity.Evidence.Cached = c.byBrowser, a.cached
	return identity
}

const (
	maxGood = 10_000
	// Refusals have a table of their own: a flood of bad credentials evicts no
	// good ones.
	maxBad    = 1_000
	maxBadTTL = time.Second
)

// answers keeps what the resolver has said, for requests to come. An answer
// replaces everything that was known of the same credentials; a session that was
// refused is not revived by an outage.
type answers struct {
	ttl, stale time.Duration

	// Both are found by what was sent.
	good, bad *otter.Cache[oldflight.Key, kept]
	// alive has a mark for each part of the credentials of good answers. One that
	// is gone, since the part was refused or for want of room, takes all answers
	// with it that have it.
	alive *otter.Cache[oldflight.Key, *mark]

	storing sync.Mutex
	asking  map[oldflight.Key]*asked // parts that calls which run are about
}

type kept struct {
	answer
	expires time.Time // of a JWT, else zero
	marks   []*mark   // of each part
}

type mark struct{ _ byte } // not empty, so that each has an address of its own

type asked struct {
	calls   int
	refused bool // by one of them, so the others may be late
}

func newAnswers(ttl, stale time.Duration) *answers {
	a := &answers{ttl: ttl, stale: stale}
	if ttl > 0 || stale > 0 {
		a.good = otter.Must(&otter.Options[oldflight.Key, kept]{MaximumSize: maxGood})
		a.bad = otter.Must(&otter.Options[oldflight.Key, kept]{MaximumSize: maxBad})
		a.alive = otter.Must(&otter.Options[oldflight.Key, *mark]{MaximumSize: 2 * maxGood})
		a.asking = make(map[oldflight.Key]*asked)
	}
	return a
}

// fresh returns an answer that is young enough to count.
func (a *answers) fresh(keys credentialKeys) (answer, bool) {
	if a.ttl == 0 {
		return answer{}, false
	}
	if k, ok := a.bad.GetIfPresent(keys.sent); ok && age.Of(k.at) < min(a.ttl, maxBadTTL) {
		k.cached = true
		return k.answer, true
	}
	return a.younger(keys, a.ttl)
}

// lastGood returns a good answer for the time of an outage.
func (a *answers) lastGood(keys credentialKeys) (answer, bool) {
	if a.stale == 0 {
		return answer{}, false
	}
	return a.younger(keys, a.stale)
}

func (a *answers) younger(keys credentialKeys, limit time.Duration) (answer, bool) {
	k, ok := a.good.GetIfPresent(keys.sent)
	if !ok || age.Of(k.at) >= limit || !k.expires.IsZero() && !time.Now().Before(k.expires) {
		return answer{}, false
	}
	for i, part := range keys.parts {
		if m, ok := a.alive.GetIfPresent(part); !ok || m != k.marks[i] {
			return answer{}, false
		}
	}
	k.cached = true
	return k.answer, true
}

// begin notes that a call runs, end that it has ended.
func (a *answers) begin(keys credentialKeys) {
	if a.good == nil {
		return
	}
	a.storing.Lock()
	defer a.storing.Unlock()
	for _, part := range keys.parts {
		if a.asking[part] == nil {
			a.asking[part] = &asked{}
		}
		a.asking[part].calls++
	}
}

func (a *answers) end(keys credentialKeys) {
	if a.good == nil {
		return
	}
	a.storing.Lock()
	defer a.storing.Unlock()
	for _, part := range keys.parts {
		if a.asking[part].calls--; a.asking[part].calls == 0 {
			delete(a.asking, part)
		}
	}
}

// store keeps the answer of a call that has begun and not ended. expires is when
// its token does, zero for never.
func (a *answers) store(keys credentialKeys, answer answer, expires time.Time, cacheable bool) {
	if a.good == nil {
		return
	}
	a.storing.Lock()
	defer a.storing.Unlock()
	if answer.err != nil {
		a.good.Invalidate(keys.sent)
		for _, part := range keys.parts {
			a.alive.Invalidate(part)
			a.asking[part].refused = true
		}
		a.bad.Set(keys.sent, kept{answer: answer})
		return
	}
	a.bad.Invalidate(keys.sent)
	k := kept{answer: answer, expires: expires, marks: make([]*mark, len(keys.parts))}
	for i, part := range keys.parts {
		if a.asking[part].refused {
			cacheable = false // nobody knows which of the two is newer
		}
		if m, ok := a.alive.GetIfPresent(part); ok {
			k.marks[i] = m
		} else {
			k.marks[i] = &mark{}
		}
	}
	if !cacheable {
		a.good.Invalidate(keys.sent)
		return
	}
	for i, part := range keys.parts {
		a.alive.Set(part, k.marks[i])
	}
	a.good.Set(keys.sent, k)
}

// expiry returns when the token ends, which no answer about it outlives. Authgear
// has just accepted it, so its claims can be believed; an opaque token has none.
// A JWT that cannot be read is not kept.
func (r *Resolver) expiry(c credentials) (expires time.Time, cacheable bool) {
	if c.token == "" {
		return time.Time{}, true
	}
	token, err := r.parser.Parse(c.token)
	if errors.Is(err, jws.ErrOpaque) {
		return time.Time{}, true
	}
	if err != nil {
		return time.Time{}, false
	}
	claims, err := claims.Parse(token.Payload)
	return claims.ExpiresAt, err == nil
}
