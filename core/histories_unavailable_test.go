package authgear_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// judgeUnavailable: a request is told to come back only if it could not be answered.
func (m *model) judgeUnavailable(r *asked, earlier []asked) string {
	at, known := m.lastAnswer(r, earlier)
	unchanged := m.turnedBad(r.session, at) > r.ended
	switch {
	case r.left:
	case !m.mayBeUnavailable(r):
		return fmt.Sprintf("Authgear was well (%v)", r.err.Err)
	case r.fresh || r.err.Reason == authgear.ReasonKeysUnavailable || !unchanged:
	case known && m.config.CacheSize <= 0 && r.ended-at < m.config.MaxStale && !m.hasHeard(r, at):
		return fmt.Sprintf("the answer of %v counts in an outage", at)
	case m.isDown(r) && m.judgeFallback(r, earlier) == "" && !m.mayBeRefused(r):
		return "the token counts by itself in an outage"
	}
	return ""
}

// mayBeRefused: a call in the background may have ended with a refusal, of which no
// request was told.
func (m *model) mayBeRefused(r *asked) bool {
	return slices.ContainsFunc(m.calls, func(c call) bool {
		return c.process == r.process && !c.good && c.sent <= r.ended && c.session.endsFallback(r.session)
	})
}

// lastAnswer returns when Authgear was asked last with an answer that admitted somebody,
// or when the process began.
func (m *model) lastAnswer(r *asked, earlier []asked) (at time.Duration, known bool) {
	at = r.process.born
	for i := range earlier {
		q := &earlier[i]
		if q.process == r.process && q.session == r.session && q.ended < r.began && q.err == nil && q.identity.Source != authgear.SourceJWT {
			at, known = max(at, q.identity.Evidence.CheckedAt.Sub(q.process.start)), true
		}
	}
	return at, known
}

func (m *model) hasHeard(r *asked, since time.Duration) bool {
	return slices.ContainsFunc(m.heard, func(h heard) bool {
		return h.process == r.process && h.event.user == r.session.user && h.at >= since && h.at <= r.ended
	})
}

// isDown reports whether the resolver was down during the whole request.
func (m *model) isDown(r *asked) bool {
	return slices.ContainsFunc(m.faults, func(f fault) bool {
		return (f.trouble == down || f.trouble == fails) && f.from <= r.began && r.ended < f.to
	})
}

// outage reports whether calls about more than one user or two can have failed since
// somebody was authenticated last.
func (m *model) outage(r *asked) bool {
	since := r.process.born
	for _, c := range m.calls {
		if c.process == r.process && c.good && c.sent+oneCall <= r.began {
			since = max(since, c.sent)
		}
	}
	users := map[*person]bool{}
	for _, f := range m.faults {
		switch {
		case f.trouble == keysDown || f.from > r.ended || f.to+recovery < since:
		case f.session == nil:
			return true
		default:
			users[f.session.user] = true
		}
	}
	return len(users) > 2
}

// mayBeUnavailable: Authgear was not well, or two events came while it was asked, or the
// keys are those of before they were replaced, or of after.
func (m *model) mayBeUnavailable(r *asked) bool {
	if r.err.Reason == authgear.ReasonKeysUnavailable && m.rotated > 0 && (r.session.key == historyKeys()[0] || r.began < m.rotated+oneCall) {
		return true
	}
	events := 0
	for _, h := range m.heard {
		if h.process == r.process && h.event.user == r.session.user && h.at >= r.began-oneCall && h.at <= r.ended {
			events++
		}
	}
	return events > 1 || m.ill(r.session, r.began, r.ended, false) || r.session.isJWT() && m.ill(r.session, r.began, r.ended, true)
}

// patience is how long a request may take.
func (m *model) patience(r *asked) time.Duration {
	switch {
	case r.session.isJWT() && m.ill(r.session, r.began, r.ended, true):
		return 15 * time.Second
	case m.ill(r.session, r.began, r.ended, false):
		return 5*time.Second + 250*time.Millisecond // the keys' turn
	default:
		return oneCall
	}
}

// tooManyCalls: a session is asked about once in each window, for each process, unless
// something happens.
func (m *model) tooManyCalls() *violation {
	if m.config.CacheSize > 0 { // too small for all
		return nil
	}
	slices.SortStableFunc(m.calls, func(a, b call) int { return cmp.Compare(a.sent, b.sent) })
	type who struct {
		*process
		*session
	}
	last := map[who]call{}
	renewed := map[who]bool{}
	for _, c := range m.calls {
		key := who{c.process, c.session}
		before, again := last[key]
		last[key] = c
		gap := c.sent - before.sent
		if !again || m.excused(before, c) {
			renewed[key] = false
			continue
		}
		window := m.config.Freshness
		switch {
		case !before.good:
			window = min(window, time.Second)
		case !renewed[key]:
			window /= 2
		}
		if gap < window {
			return &violation{c.sent, fmt.Sprintf("%s has asked about %s at %v and at %v", c.process.name, c.session.name, before.sent, c.sent)}
		}
		renewed[key] = before.good && gap < m.config.MaxStale
	}
	return nil
}

// excused reports whether something makes a process ask sooner.
func (m *model) excused(before, c call) bool {
	fresh := slices.ContainsFunc(m.requests, func(r asked) bool {
		return r.fresh && r.process == c.process && r.session == c.session && r.began <= c.sent && r.ended >= before.sent
	})
	event := slices.ContainsFunc(m.heard, func(h heard) bool {
		return h.process == c.process && h.event.user == c.session.user && h.at >= before.sent-oneCall && h.at <= c.sent
	})
	return fresh || event || m.ill(c.session, before.sent, c.sent, false)
}
