package authgear

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/fetch"
	"github.com/authgear/authgear-sdk-go/core/internal/oldflight"
	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

// retryAfterFailure is what a refusal says where nothing knows a better time.
const retryAfterFailure = time.Second

var errBreakerOpen = errors.New("the resolver has failed repeatedly and is left alone for a while")

func unavailable(err error, retryAfter time.Duration) answer {
	return answer{err: &Error{Reason: ReasonResolverUnavailable, Err: err, RetryAfter: retryAfter}}
}

// call asks the resolver. Requests with the same credentials share a call, since
// Authgear answers 500 to some of those that it gets at the same time.
func (r *Resolver) call(ctx context.Context, c credentials, keys credentialKeys, live bool) answer {
	a, err := r.flights.Do(ctx, keys.sent, live, func(ctx context.Context) answer {
		if !live { // an earlier call may have ended between the look into the cache and this one
			if known, ok := r.answers.fresh(keys); ok {
				return known
			}
		}
		return r.ask(ctx, c, keys)
	})
	if err != nil {
		a = unavailable(fmt.Errorf("asking %s: %w", r.asker.URL(), err), retryAfterFailure)
		a.unasked = errors.Is(err, oldflight.ErrBusy) || ctx.Err() != nil
	}
	return a
}

// ask asks once, and once more when that fails: Authgear's sessions are locked
// for a moment, connections end between two requests.
func (r *Resolver) ask(ctx context.Context, c credentials, keys credentialKeys) answer {
	call, wait := r.breaker.Allow(keys.parts[0])
	if wait > 0 {
		return unavailable(errBreakerOpen, wait)
	}
	r.answers.begin(keys)
	defer r.answers.end(keys)
	tell := call.Failed
	defer func() { tell() }() // even when the HTTP client panics
	deadline, _ := ctx.Deadline()
	inTime := time.Until(deadline) > r.timeout*9/10 // it has not waited for its turn
	a, told, err := r.attempt(ctx, c)
	fetches := []Fetch{told}
	if err != nil && !isTimeout(err) && ctx.Err() == nil {
		a, told, err = r.attempt(ctx, c)
		fetches = append(fetches, told)
	}
	switch {
	case err == nil:
		tell = call.Succeeded
	case isTimeout(err) && !inTime:
		a, tell = unavailable(err, retryAfterFailure), call.Void
		a.unasked = true
	default:
		a = unavailable(err, retryAfterFailure)
	}
	if a.decided() {
		r.ready.Store(true)
		expires, cacheable := r.expiry(c)
		r.answers.store(keys, a, expires, cacheable)
	}
	for _, f := range fetches { // last, since an observer may panic
		r.observer.fetch(ctx, f)
	}
	return a
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout()
}

// attempt asks once. The error is a failure of the server or of the way there.
func (r *Resolver) attempt(ctx context.Context, c credentials) (answer, Fetch, error) {
	start := time.Now()
	told := Fetch{Kind: FetchResolver, URL: r.asker.URL()}
	name, value := c.field()
	response, err := r.asker.Ask(ctx, name, value)
	if err != nil {
		told.Duration, told.Err = time.Since(start), err
		return answer{}, told, err
	}
	defer response.Close()
	a, err := understand(response, c, start)
	a.at = start
	told.Status, told.Duration, told.Err = response.Status, time.Since(start), err
	if err == nil && !a.decided() {
		told.Err = a.err.Err
	}
	return a, told, err
}

// understand reads an answer. Only a 200 decides; the error is a failure.
func understand(response *fetch.Answer, c credentials, asked time.Time) (answer, error) {
	if err := response.StatusError(); err != nil {
		switch {
		case response.Status >= 500:
			return answer{}, err
		case response.Status == http.StatusNotFound:
			err = errors.New("status 404: there is no Authgear project of this host, or no resolver at this address; is Endpoint the project's public origin?")
		}
		return unavailable(err, retryAfterFailure), nil
	}
	malformed := func(err error) (answer, error) {
		return answer{err: &Error{Reason: ReasonAnswerMalformed, Err: err, RetryAfter: retryAfterFailure}}, nil
	}
	s, err := session.Parse(response.Header.Values)
	if err != nil {
		return malformed(err)
	}
	if c == (credentials{}) && s.State != session.None {
		return malformed(errors.New("it tells of a session although nothing was sent; is a cache in front of Authgear?"))
	}
	switch s.State {
	case session.Valid:
		return answer{identity: newSessionIdentity(s, SourceResolver, Evidence{Ambient: c.byBrowser, CheckedAt: asked})}, nil
	case session.None:
		for name := range response.Header {
			if session.IsHeader(name) {
				return malformed(errors.New("there are unknown X-Authgear-* fields only"))
			}
		}
		empty, err := response.Empty()
		if err != nil {
			return answer{}, err
		}
		if !empty {
			return malformed(errors.New("there is a body but no X-Authgear-* field; is something else answering for Authgear?"))
		}
	}
	refusal := refusalOf(s, c)
	refusal.Evidence.ClearCookies = clearing(response.Header.Values("Set-Cookie"), c.cookie)
	return answer{err: refusal}, nil
}
