package authgear

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/health"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
)

const (
	// Good answers are kept even when CacheTTL is 0: calls for their users have slots of
	// their own.
	maxAccepted = 10_000
	// Refusals have a table of their own: a flood of bad credentials evicts no good
	// answers.
	maxRejected    = 1_000
	maxRejectedAge = time.Second
)

// answer is what is known of a credential: an identity or an error. It is shared,
// so it never changes.
type answer struct {
	identity *Identity
	err      *Error
	at       time.Time // of a decision, when the question was sent
	cached   bool      // it was given to an earlier request
	// Of an identity: the age, in nanoseconds, at which Hybrid asks again. 0: nobody has
	// set it yet.
	renewAt *atomic.Int64

	// Of an error.
	status int           // of a response that is not an answer of Authgear's resolver, else 0
	wait   time.Duration // until the next call, when the response says so
	silent bool          // the response says nothing, as if no credential had been sent
	again  bool          // another call may have an answer
}

// decided reports whether the resolver has told who it is, or that it is nobody.
func (a answer) decided() bool {
	return a.identity != nil || a.err.Outcome() != OutcomeUnavailable
}

// outage reports whether the resolver could not be asked.
func (a answer) outage() bool {
	_, ok := errors.AsType[*health.Outage](a.err)
	return ok
}

// give returns what belongs to the caller. The same token may have come in a
// cookie or not.
func (a answer) give(c credential) (*Identity, *Error) {
	evidence := Evidence{Ambient: c.ambient, Cached: a.cached, CheckedAt: a.at}
	if a.err == nil {
		identity := a.identity.clone()
		identity.Evidence = evidence
		return identity, nil
	}
	err := *a.err
	if c.ambient && err.Reason == ReasonTokenTooLarge {
		err.Reason = ReasonTokenMalformed // a browser cannot mend a 400
	}
	if !c.repeated { // else the browser could drop the good one
		evidence.ClearCookies = slices.Clone(err.Evidence.ClearCookies)
	}
	err.Evidence = evidence
	return nil, &err
}

// keeps reports whether an answer may be given to a later request.
func (r *Resolver) keeps() bool { return r.cacheTTL > 0 || r.staleIfError > 0 }

// lookUp returns an answer that is young enough to count.
func (r *Resolver) lookUp(key [32]byte) (answer, bool) {
	if r.cacheTTL == 0 {
		return answer{}, false
	}
	a, ok := r.rejected.Get(key, min(r.cacheTTL, maxRejectedAge))
	if !ok {
		a, ok = r.accepted.Get(key, r.cacheTTL)
	}
	a.cached = true
	return a, ok
}

// learn keeps a decision in place of everything that was known of the credential. It is
// called inside the flight, so no other call for this credential can overtake it.
func (r *Resolver) learn(c credential, key [32]byte, a answer) {
	if !a.decided() {
		return
	}
	if r.provesStores(c, a) {
		r.ready.Store(true)
		r.health.Answered()
	}
	if a.err != nil {
		r.accepted.Delete(key)
		r.rejected.Set(key, a, a.at, time.Time{})
		if r.refusedUsers != nil && c.user != "" {
			r.refuse(c, a.at)
		}
		return
	}
	r.failing.reset()
	if !r.keeps() && r.owner(c, key) == a.identity.ID { // which is all that is needed of it
		return
	}
	r.rejected.Delete(key)
	r.accepted.Set(key, a, a.at, r.expiry(c, a.at))
}

// refuse notes that in an outage neither this token nor an earlier token of its user
// counts by itself.
func (r *Resolver) refuse(c credential, at time.Time) {
	until := c.issuedAt
	if until.IsZero() {
		until = at
	}
	_ = r.refusedUsers.Revoke(context.Background(), c.user, until) // never an error
}

// provesStores reports whether Authgear needed its stores for the answer. Authgear
// refuses a malformed JWT or cookie without its stores, and a server in front of it
// refuses a credential that is too large. With such credentials one client could hide an
// outage.
func (r *Resolver) provesStores(c credential, a answer) bool {
	switch {
	case a.identity != nil:
		return true
	case a.status != 0, a.silent:
		return false
	case c.token != "":
		_, err := r.parser.Parse(c.token)
		return errors.Is(err, jws.ErrOpaque)
	default:
		return isSessionValue(c.value)
	}
}

// expiry returns when the token ends, zero for never. No answer about the token outlives
// it. Authgear has just accepted it, so its claims can be believed. An answer about a JWT
// that cannot be read ends at once.
func (r *Resolver) expiry(c credential, at time.Time) time.Time {
	if c.token == "" || c.user != "" || !r.keeps() { // a user's JWT is judged at each request
		return time.Time{}
	}
	token, err := r.parser.Parse(c.token)
	if errors.Is(err, jws.ErrOpaque) {
		return time.Time{}
	}
	if err != nil {
		return at
	}
	claims, err := claims.Parse(token.Payload)
	if err != nil {
		return at
	}
	return claims.ExpiresAt
}

// minFailing is for how many users calls have to fail before StaleIfError counts although
// Authgear's health check passes. One or two users could cause failures by what they
// send.
const minFailing = 3

// failing are the users whose calls have failed since somebody was last authenticated. A
// refusal does not end that: with a full Redis, Authgear still refuses bad credentials as
// usual.
type failing struct {
	mu    sync.Mutex
	users []string
}

// add reports whether more users fail than somebody with one or two accounts could cause.
func (f *failing) add(user string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.users) < minFailing && !slices.Contains(f.users, user) {
		f.users = append(f.users, user)
	}
	return len(f.users) == minFailing
}

func (f *failing) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users = f.users[:0]
}
