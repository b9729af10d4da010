package authgear

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/flight"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
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
	identity := *a.identity
	identity.Roles, identity.AMR = slices.Clone(identity.Roles), slices.Clone(identity.AMR)
	identity.Cookie, identity.Cached = c.byBrowser, a.cached
	return &identity
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

	// Both are found by session; an answer counts only for what was sent.
	good, bad *otter.Cache[flight.Key, kept]

	storing sync.Mutex
}

type kept struct {
	answer
	sent    flight.Key // what it is about
	expires time.Time  // of a JWT, else zero
	heard   time.Time  // when it was stored
}

func newAnswers(ttl, stale time.Duration) *answers {
	a := &answers{ttl: ttl, stale: stale}
	if ttl > 0 || stale > 0 {
		a.good = otter.Must(&otter.Options[flight.Key, kept]{MaximumSize: maxGood})
		a.bad = otter.Must(&otter.Options[flight.Key, kept]{MaximumSize: maxBad})
	}
	return a
}

// fresh returns an answer that is young enough to count.
func (a *answers) fresh(keys credentialKeys) (answer, bool) {
	if a.ttl == 0 {
		return answer{}, false
	}
	if k, ok := a.bad.GetIfPresent(keys.session); ok && k.sent == keys.sent && age.Of(k.at) < min(a.ttl, maxBadTTL) {
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
	k, ok := a.good.GetIfPresent(keys.session)
	if !ok || k.sent != keys.sent || age.Of(k.at) >= limit || !k.expires.IsZero() && !time.Now().Before(k.expires) {
		return answer{}, false
	}
	k.cached = true
	return k.answer, true
}

// store keeps an answer. expires is when its token does, zero for never. Calls
// about one session run at the same time when other cookies differ, so a good
// answer that was on its way while a refusal came is not kept.
func (a *answers) store(keys credentialKeys, answer answer, expires time.Time, cacheable bool) {
	if a.good == nil {
		return
	}
	a.storing.Lock()
	defer a.storing.Unlock()
	if answer.err != nil {
		a.good.Invalidate(keys.session)
		a.bad.Set(keys.session, kept{answer: answer, sent: keys.sent, heard: time.Now()})
		return
	}
	if k, ok := a.bad.GetIfPresent(keys.session); ok && k.sent != keys.sent && !k.heard.Before(answer.at) {
		return // nobody knows which of them is newer
	}
	a.bad.Invalidate(keys.session)
	if cacheable {
		a.good.Set(keys.session, kept{answer: answer, sent: keys.sent, expires: expires})
	} else {
		a.good.Invalidate(keys.session)
	}
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
