package authgear_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// record is what happened in a history: all that the model judges by.
type record struct {
	requests []asked
	calls    []call
	heard    []heard
	faults   []fault
	rotated  time.Duration // the old key was removed; 0: it was not
	lines    []line
}

// asked is a request and its answer.
type asked struct {
	process      *process
	session      *session
	fresh        bool
	began, ended time.Duration
	identity     *authgear.Identity
	err          *authgear.Error
	left         bool // whoever asked had gone
}

func (r *asked) String() string {
	how := ""
	if r.fresh {
		how = ", asked freshly"
	}
	answer := ""
	if r.err != nil {
		answer = string(r.err.Reason)
	} else {
		answer = fmt.Sprintf("admitted by %s, roles %v", r.identity.Source, r.identity.Roles)
	}
	return fmt.Sprintf("%s, %s%s since %v: %s", r.process.name, r.session.name, how, r.began, answer)
}

// call is a question that has reached Authgear.
type call struct {
	process *process
	session *session
	sent    time.Duration
	good    bool
}

type heard struct {
	process *process
	event   event
	at      time.Duration
}

type line struct {
	at   time.Duration
	text string
}

// trouble is a kind of fault.
type trouble string

const (
	down         trouble = "no connection to the resolver"
	fails        trouble = "the resolver answers 500"
	slow         trouble = "the resolver is slow"
	full         trouble = "Authgear's Redis is full"
	failsForOne  trouble = "the resolver answers 500 about"
	silentForOne trouble = "the resolver says nothing about"
	keysDown     trouble = "no connection for keys"
)

type fault struct {
	trouble  trouble
	session  *session // nil: it is everybody's
	from, to time.Duration
}

// fault reports whether there is that one now.
func (r *record) fault(kind trouble, s *session, now time.Duration) bool {
	return slices.ContainsFunc(r.faults, func(f fault) bool {
		return f.trouble == kind && f.session == s && f.from <= now && now < f.to
	})
}

// What faults leave behind: calls that wait, a check that was begun, a pause.
const (
	recovery     = 8 * time.Second
	keysRecovery = 25 * time.Second
)

// ill reports whether a fault could be felt at some time, of the resolver or of keys.
func (r *record) ill(s *session, from, to time.Duration, keys bool) bool {
	return slices.ContainsFunc(r.faults, func(f fault) bool {
		after := recovery
		if keys {
			after = keysRecovery
		}
		return (f.trouble == keysDown) == keys && (f.session == nil || f.session == s) && f.from <= to && from < f.to+after
	})
}

// model judges a record by the rules.
type model struct {
	plan
	record
}

// violation is the first thing that breaks a rule.
type violation struct {
	at   time.Duration
	text string
}

// check returns nil when each request had an answer that the rules allow.
func (m *model) check() *violation {
	slices.SortStableFunc(m.requests, func(a, b asked) int { return cmp.Compare(a.ended, b.ended) })
	for i := range m.requests {
		r := &m.requests[i]
		if fault := m.judge(r, m.requests[:i]); fault != "" {
			return &violation{r.ended, fault + "; " + r.String()}
		}
	}
	return m.tooManyCalls()
}

func (m *model) judge(r *asked, earlier []asked) string {
	if limit := m.patience(r); r.ended-r.began > limit {
		return fmt.Sprintf("it took %v", r.ended-r.began)
	}
	switch {
	case r.err == nil && r.session.isJWT() && r.began >= r.session.expires+leeway:
		return "the token has expired"
	case r.err == nil && r.identity.ID != r.session.user.id:
		return "another user"
	case r.err == nil && r.identity.Source == authgear.SourceJWT:
		return m.judgeFallback(r, earlier)
	case r.err == nil:
		return m.judgeAdmitted(r, earlier)
	case r.err.Outcome() == authgear.OutcomeInvalid:
		if since := max(r.began-time.Second, m.since(r)); m.turnedBad(r.session, since) > r.ended {
			return "the session was good all the time"
		}
	case r.err.Outcome() == authgear.OutcomeUnavailable:
		return m.judgeUnavailable(r, earlier)
	default:
		return "nothing that a good or ended session gets"
	}
	return ""
}

// judgeAdmitted: there was a time at which Authgear could have said this, and it is not
// too long ago.
func (m *model) judgeAdmitted(r *asked, earlier []asked) string {
	var version int
	if _, err := fmt.Sscanf(strings.Join(r.identity.Roles, ","), "v%d", &version); err != nil || r.identity.AuthenticatedAt.Unix() != authenticatedAt(version) {
		return "not what Authgear says"
	}
	since, why := m.earliest(r, earlier)
	versions := r.session.user.versions
	from, to := versions[version], r.ended
	if version+1 < len(versions) {
		to = min(to, versions[version+1])
	}
	if !m.good(r.session, max(since, from), to) {
		return fmt.Sprintf("it was not so after %v, which is %s", since, why)
	}
	return ""
}

// earliest returns when a question must have been sent, at the earliest, for its answer
// to count.
func (m *model) earliest(r *asked, earlier []asked) (since time.Duration, why string) {
	if r.fresh {
		return r.began, "when it was asked freshly"
	}
	later := func(at time.Duration, reason string) {
		if at > since {
			since, why = at, reason
		}
	}
	later(r.began-m.config.MaxStale, "MaxStale ago")
	later(r.process.born, "when the process began")
	for _, h := range m.heard {
		if h.process == r.process && h.event.user == r.session.user && h.at < r.began {
			later(h.event.at, "the time of an event of which the process had heard")
		}
	}
	later(m.refused(r, earlier), "the time of a refusal")
	for i := range earlier {
		q := &earlier[i]
		if q.process == r.process && q.session == r.session && q.began+oneCall <= r.began && !m.ill(r.session, q.began-recovery, r.began, false) {
			later(q.began-max(m.config.Freshness, oneCall), "Freshness before a request that has made the process ask")
		}
	}
	return since, why
}

// refused returns since when the session was bad when the process refused it last.
func (m *model) refused(r *asked, earlier []asked) (since time.Duration) {
	for i := range earlier {
		q := &earlier[i]
		if q.process == r.process && q.session == r.session && q.ended < r.began && q.err != nil && q.err.Outcome() == authgear.OutcomeInvalid && m.since(q) > 0 {
			since = max(since, m.turnedBad(q.session, m.since(q)))
		}
	}
	return since
}

// since is when Authgear was asked, for an answer of Authgear's; 0 for any other.
func (m *model) since(r *asked) time.Duration {
	if at := r.err.Evidence.CheckedAt; !at.IsZero() {
		return at.Sub(r.process.start)
	}
	return 0
}

// judgeFallback: a JWT by itself counts only when Authgear cannot be asked, and neither
// an answer nor an event has ended it here.
func (m *model) judgeFallback(r *asked, earlier []asked) string {
	switch {
	case !m.config.InsecureJWTFallback || r.fresh || !r.session.isJWT():
		return "a token counts by itself"
	case !m.ill(r.session, r.began, r.ended, false) || !m.outage(r):
		return "a token counts by itself although Authgear is well"
	}
	if slices.ContainsFunc(earlier, func(q asked) bool {
		return q.process == r.process && q.ended < r.began && q.session.endsFallback(r.session) && q.err != nil && q.err.Outcome() == authgear.OutcomeInvalid && m.since(&q) > 0
	}) {
		return "it was refused before"
	}
	for _, h := range m.heard {
		if h.process == r.process && h.event.user == r.session.user && h.event.revokes && h.at < r.began && !r.session.issued.After(m.issuedUntil(h.event, r.process.start)) {
			return "an event of which the process has heard has revoked it"
		}
	}
	if m.rotated > 0 && r.session.key == historyKeys()[0] && m.keyIsGone(r, earlier) {
		return "its key was removed"
	}
	return ""
}

// endsFallback reports whether a refusal of this session's token counts for the other's
// too: both are of the same user, and the other is not newer.
func (s *session) endsFallback(other *session) bool {
	return s.isJWT() && s.user == other.user && !other.issued.After(s.issued)
}

func (m *model) issuedUntil(e event, start time.Time) time.Time {
	return start.Add(e.at + m.skew).Truncate(time.Second)
}

// needsKeys: the key comes after the times, so that an expired token never causes a fetch.
func (q *asked) needsKeys() bool {
	return q.session.isJWT() && (q.err == nil || q.err.Reason != authgear.ReasonTokenExpired && q.err.Reason != authgear.ReasonTokenNotYetValid)
}

// keyIsGone reports whether the process must know that a key was removed: a request
// five minutes later or more has made it ask, or none came in ten minutes.
func (m *model) keyIsGone(r *asked, earlier []asked) bool {
	const old, idle = 5 * time.Minute, 10 * time.Minute
	if m.ill(r.session, m.rotated, r.began, true) {
		return r.began >= m.rotated+24*time.Hour
	}
	quiet := r.began >= m.rotated+idle
	for i := range earlier {
		if q := &earlier[i]; q.process == r.process && q.needsKeys() {
			if q.began >= m.rotated+old && q.ended+oneCall < r.began {
				return true
			}
			quiet = quiet && q.ended < r.began-idle
		}
	}
	return quiet
}

// good reports whether the session was good at some time.
func (m *model) good(s *session, from, to time.Duration) bool {
	for i := 0; i < len(s.turns); i += 2 {
		on, off := s.turns[i], to+1
		if i+1 < len(s.turns) {
			off = s.turns[i+1]
		}
		if s.isJWT() {
			off = min(off, s.expires-m.skew)
		}
		if max(from, on) < min(off, to) {
			return true
		}
	}
	return false
}

// turnedBad returns when the session was first bad, from that time on.
func (m *model) turnedBad(s *session, from time.Duration) time.Duration {
	bad := time.Duration(1<<63 - 1)
	if s.isJWT() {
		bad = max(from, s.expires-m.skew)
	}
	for i := 0; i <= len(s.turns); i += 2 {
		on, off := bad, time.Duration(0)
		if i < len(s.turns) {
			on = s.turns[i]
		}
		if i > 0 {
			off = s.turns[i-1]
		}
		if at := max(off, from); at < on {
			bad = min(bad, at)
		}
	}
	return bad
}
