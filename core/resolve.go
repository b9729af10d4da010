package authgear

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
	"github.com/authgear/authgear-sdk-go/core/internal/flight"
	"github.com/authgear/authgear-sdk-go/core/internal/health"
	"github.com/authgear/authgear-sdk-go/core/internal/project"
	"github.com/authgear/authgear-sdk-go/core/internal/session"
	"github.com/authgear/authgear-sdk-go/core/internal/slots"
)

const (
	// retryAfterFailure is what a refusal says when no better time is known.
	retryAfterFailure = time.Second
	maxRetryAfter     = 30 * time.Second
)

// unavailable is the answer that there is none.
func unavailable(cause error) answer {
	e := &Error{Reason: ReasonResolverUnavailable, Err: cause, RetryAfter: retryAfterFailure}
	if outage, ok := errors.AsType[*health.Outage](cause); ok {
		e.RetryAfter = outage.RetryAfter
		if check, ok := errors.AsType[checkError](outage); ok {
			e.Reason = check.found.Reason
		}
	}
	return answer{err: e}
}

// resolve returns what is known of the credential, and asks when that is not
// enough.
func (r *Resolver) resolve(ctx context.Context, c credential, fresh bool) answer {
	key := c.key()
	fresh = fresh || contextkey.IsFresh(ctx)
	if !fresh {
		if a, ok := r.lookUp(key); ok {
			return a
		}
	}
	a := r.call(ctx, c, key, fresh)
	if a.decided() || ctx.Err() != nil { // who has gone away learns nothing
		return a
	}
	outage := a.outage()
	if user := r.owner(c, key); user != "" && !outage {
		outage = r.failing.add(user) // for this credential, whose own call has failed
	}
	if outage && !fresh {
		if last, ok := r.accepted.Get(key, r.staleIfError); ok {
			last.cached = true
			return last
		}
	}
	return a
}

// owner returns whose credential it is, "" when it was never found good.
func (r *Resolver) owner(c credential, key [32]byte) string {
	if c.user != "" {
		return c.user
	}
	if last, known := r.accepted.Last(key); known {
		return last.identity.ID
	}
	return ""
}

// call asks the resolver, within the time that a request has.
func (r *Resolver) call(ctx context.Context, c credential, key [32]byte, fresh bool) answer {
	until := time.Now().Add(r.timeout)
	if err := r.enter(ctx, until); err != nil {
		return unavailable(err)
	}
	a := r.fly(ctx, until, c, key, fresh, false)
	if a.decided() {
		return a
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if ctx.Err() != nil {
		return a
	}
	err := r.health.Failed(ctx)
	switch {
	case err == nil:
		return r.fly(ctx, until, c, key, fresh, true)
	case ctx.Err() != nil: // no time is left
		return a
	default:
		return unavailable(err)
	}
}

// enter returns an error when Authgear is not asked now.
func (r *Resolver) enter(ctx context.Context, until time.Time) error {
	if r.health.Outage() == nil { // no timer is needed
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return r.health.Enter(ctx)
}

// fly shares one call between requests: when Authgear gets several calls about
// one session at the same time, it answers 500 to some of them. well says that
// a check has just passed.
func (r *Resolver) fly(ctx context.Context, until time.Time, c credential, key [32]byte, fresh, well bool) answer {
	// Whoever has waited for so long need not wait longer if Authgear is not well.
	late := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, stop := context.WithDeadline(ctx, until)
		ctx, cancel := context.WithCancelCause(ctx)
		go func() {
			if err := r.health.Failed(ctx); err != nil {
				cancel(err)
			}
		}()
		return ctx, func() { cancel(nil); stop() }
	}
	a, err := r.flights.DoLate(ctx, key, fresh, min(r.timeout*2/5, time.Until(until)), late, func(ctx context.Context) (answer, error) {
		return r.inTurn(ctx, c, key, fresh, well)
	})
	if err != nil {
		return unavailable(r.unanswered(err))
	}
	return a
}

// inTurn waits for a slot, and asks unless that has become needless meanwhile.
func (r *Resolver) inTurn(ctx context.Context, c credential, key [32]byte, fresh, well bool) (answer, error) {
	began := time.Now()
	release, err := r.slots.Acquire(ctx, began.Add(r.timeout/2), r.owner(c, key))
	if err != nil {
		if ctx.Err() != nil {
			return answer{}, flight.ErrAbandoned
		}
		return unavailable(r.unanswered(slots.ErrBusy)), nil
	}
	defer release()
	if !fresh { // an earlier call may have ended between the look into the table and this one
		if a, ok := r.lookUp(key); ok {
			return a, nil
		}
	}
	if outage := r.health.Outage(); outage != nil {
		return unavailable(outage), nil
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), began.Add(r.timeout))
	defer cancel()
	return r.exchange(ctx, c, key, well), nil
}

// exchange asks once, and once more when that fails: a session can be locked at
// Authgear for a moment, and a connection can end between two requests.
func (r *Resolver) exchange(ctx context.Context, c credential, key [32]byte, well bool) answer {
	a := r.send(ctx, c, well)
	if a.again && !well && ctx.Err() == nil {
		a = r.send(ctx, c, well)
	}
	r.learn(c, key, a)
	return a
}

// send asks once.
func (r *Resolver) send(ctx context.Context, c credential, well bool) answer {
	start := time.Now()
	fetch := Fetch{Kind: FetchResolver, URL: r.project.URL(r.path)}
	ctx = r.observer.fetchStart(ctx, fetch.Kind, fetch.URL)
	var a answer
	if response, err := r.project.Get(ctx, r.path, r.canary.header(c)); err != nil {
		a = failed(err)
	} else {
		a = r.parseAnswer(response, c, well)
		response.Close()
		fetch.Status = response.Status
	}
	if a.decided() {
		a.at, a.renewAt = start, new(atomic.Int64)
	} else {
		fetch.Err, fetch.Reason = a.err.Err, a.err.Reason
	}
	fetch.Duration = time.Since(start)
	r.observer.fetch(ctx, fetch)
	return a
}

// failed is for a call that was not answered.
func failed(err error) answer {
	if project.IsTimeout(err) {
		return unavailable(fmt.Errorf("no answer in time: %w", err))
	}
	a := unavailable(err)
	a.again = true
	return a
}

// unanswered adds what was asked to an error that does not say it.
func (r *Resolver) unanswered(err error) error {
	if _, ok := errors.AsType[*health.Outage](err); ok {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer in time: %w", err)
	}
	return fmt.Errorf("asking %s: %w", r.project.URL(r.path), err)
}

// parseAnswer reads a response. Only a 200 decides, except when a server in
// front of Authgear refuses the credential itself.
func (r *Resolver) parseAnswer(response *project.Answer, c credential, well bool) answer {
	if err := response.StatusError(); err != nil {
		return r.parseStatus(response, c, well, err)
	}
	s, err := session.Parse(func(name string) []string { return response.Header[name] })
	if err != nil {
		return malformed(err)
	}
	switch s.State {
	case session.Valid:
		return answer{identity: newSessionIdentity(s, SourceResolver, Evidence{})}
	case session.Refused:
		return r.refused(c, clearing(response.Header.Values("Set-Cookie"), c.name))
	}
	for name := range response.Header {
		if session.IsHeader(name) {
			return malformed(errors.New("there are unknown X-Authgear-* headers only"))
		}
	}
	empty, err := response.Empty()
	switch {
	case err != nil:
		return failed(err)
	case !empty:
		return malformed(errors.New("there is a body but no X-Authgear-* header; is something else answering for Authgear?"))
	case r.canary.useless.Load():
		r.doubtCanary()
		a := r.refused(c, nil)
		a.silent = true
		return a
	}
	return answer{silent: true, again: true, status: response.Status, err: &Error{
		Reason: ReasonResolverSilent, RetryAfter: retryAfterFailure,
		Err: errors.New("the answer says nothing, as when Authgear's database fails in the middle of a call"),
	}}
}

func malformed(err error) answer {
	return answer{err: &Error{Reason: ReasonAnswerMalformed, Err: err, RetryAfter: retryAfterFailure}}
}

func (r *Resolver) parseStatus(response *project.Answer, c credential, well bool, err error) answer {
	switch status := response.Status; {
	case status == http.StatusRequestHeaderFieldsTooLarge, status == http.StatusRequestEntityTooLarge,
		status == http.StatusRequestURITooLong, status == http.StatusBadRequest && well:
		if c.token == "" {
			return answer{status: status, err: &Error{Reason: ReasonSessionInvalid, Err: fmt.Errorf("the session cookie is not taken by what is in front of Authgear: %w", err)}}
		}
		return answer{status: status, err: &Error{Reason: ReasonTokenTooLarge, Err: fmt.Errorf("the token has %d bytes, which is not taken by what is in front of Authgear: %w", len(c.token), err)}}
	case status == http.StatusNotFound:
		err = errors.New("status 404: there is no Authgear project of this host, or no resolver at this address; is Endpoint the project's public origin, and ResolverURL, if it is set, the whole address?")
	}
	a := unavailable(fmt.Errorf("asking %s: %w", r.project.URL(r.path), err))
	a.status, a.again = response.Status, response.Status >= 500
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		if a.wait = parseRetryAfter(response.Header.Get("Retry-After")); a.wait > 0 {
			a.err.RetryAfter = a.wait
		}
	}
	return a
}

// parseRetryAfter reads the header of RFC 9110 §10.2.3, 0 when there is none.
func parseRetryAfter(value string) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = time.Until(date)
	} else {
		return 0
	}
	return min(max(wait, time.Second), maxRetryAfter)
}
