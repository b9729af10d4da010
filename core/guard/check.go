package guard

import (
	"context"
	"errors"
	"slices"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/decision"
)

// ContextKey is the key under which the context returned by [Check.Run] holds
// the guard's finding. A framework whose own context is passed around as a
// context.Context keeps that context under this key as well.
const ContextKey = decision.Key

// Fields is a response's header. http.Header and *fasthttp.ResponseHeader are
// such.
type Fields interface {
	Set(name, value string)
	Add(name, value string)
}

// Check is what one route asks of its requests.
type Check struct {
	guard        *Guard
	authenticate func(context.Context, authgear.Request) (*authgear.Identity, error)
	policies     []authgear.Policy
	optional     bool
	live         bool // earlier decisions do not count
}

// Run decides about a request. When it goes on, the handler gets the returned
// context, and the refusal is nil. Else the refusal is to be written; its
// fields are set already, except those that go with the body.
func (c *Check) Run(ctx context.Context, r authgear.Request, fields Fields) (context.Context, *Refusal) {
	start := time.Now()
	found := c.find(ctx, r, fields)
	identity, _ := found.Identity.(*authgear.Identity)
	err := c.judge(found, identity, r)

	wentOn := err != nil && c.optional && isAnonymous(err)
	if observe := c.guard.observer.Decision; observe != nil {
		d := authgear.Decision{Outcome: authgear.OutcomeAuthenticated, WithoutIdentity: wentOn, Duration: time.Since(start)}
		if identity != nil {
			d.Source, d.Cached = identity.Source, identity.Evidence.Cached
		}
		if err != nil {
			d.Outcome, d.Reason, d.Err = err.Outcome(), err.Reason, err
			d.Cached = d.Cached || err.Evidence.Cached
		}
		observe(ctx, d)
	}
	if err == nil || wentOn {
		return found, nil
	}
	if isPreflight(r) {
		c.guard.notice(ctx, authgear.NoticePreflight, errors.New("a CORS preflight was refused; mount the CORS middleware before the guard"))
	}
	return ctx, newRefusal(c.guard, err, fields)
}

// judge returns why the request does not go on, nil when it does.
func (c *Check) judge(found *decision.Context, identity *authgear.Identity, r authgear.Request) *authgear.Error {
	if found.Failure != nil {
		return asError(found.Failure, authgear.ReasonInternal)
	}
	if identity.Evidence.Ambient {
		if err := c.guard.crossOrigin.check(r); err != nil {
			return err
		}
	}
	for _, policy := range c.policies {
		if err := policy(found, identity); err != nil {
			return asError(err, authgear.ReasonPolicyDenied)
		}
	}
	return nil
}

// isAnonymous reports whether an optional route serves a request that failed like
// this. Browsers send stale cookies unasked; a client that sends a token wants to
// know.
func isAnonymous(err *authgear.Error) bool {
	switch err.Outcome() {
	case authgear.OutcomeNoCredentials:
		return true
	case authgear.OutcomeInvalid:
		return err.Evidence.Ambient
	default:
		return false
	}
}

// find returns what is found out about the request: an identity or an error.
func (c *Check) find(ctx context.Context, r authgear.Request, fields Fields) *decision.Context {
	authorization, cookie := r.Values("Authorization"), r.Values("Cookie")
	earlier := c.guard.earlier(decision.From(ctx), authorization, cookie)
	if earlier != nil && !c.live {
		if ctx == context.Context(earlier) {
			return earlier
		}
		// Something else has come into the context since, and stays in it.
		found := c.guard.newFinding(ctx, authorization, cookie)
		found.Identity, found.Failure = earlier.Identity, earlier.Failure
		return found
	}
	found := c.guard.newFinding(ctx, authorization, cookie)
	identity, err := c.authenticated(ctx, r)
	switch {
	case err != nil: // also when there is an identity beside it
		found.Failure = err
		clearCookies(err, earlier, fields)
	case identity == nil:
		found.Failure = &authgear.Error{Reason: authgear.ReasonInternal, Err: errors.New("the authenticator returned neither an identity nor an error")}
	default:
		found.Identity = identity
	}
	return found
}

func (c *Check) authenticated(ctx context.Context, r authgear.Request) (*authgear.Identity, error) {
	if err := checkLines(r); err != nil {
		return nil, err
	}
	return c.authenticate(ctx, r)
}

// clearCookies lets a browser forget a dead session. The handler may set the
// same cookie later, which then counts (RFC 6265 §5.3). What an earlier check of
// the request has added is there already.
func clearCookies(err error, earlier *decision.Context, fields Fields) {
	e, ok := errors.AsType[*authgear.Error](err)
	if !ok || e == nil {
		return
	}
	var added []string
	if earlier != nil {
		if before, ok := errors.AsType[*authgear.Error](earlier.Failure); ok && before != nil {
			added = before.Evidence.ClearCookies
		}
	}
	for _, cookie := range e.Evidence.ClearCookies {
		if !slices.Contains(added, cookie) {
			fields.Add("Set-Cookie", cookie)
		}
	}
}

// newFinding keeps copies of the lines, since a field can be changed in place.
// They have room beside the context, so that one line costs no allocation.
func (g *Guard) newFinding(ctx context.Context, authorization, cookie []string) *decision.Context {
	f := &struct {
		decision.Context
		authorization, cookie [1]string
	}{Context: decision.Context{Context: ctx, Outer: decision.From(ctx), Guard: g}}
	f.Authorization = append(f.authorization[:0], authorization...)
	f.Cookie = append(f.cookie[:0], cookie...)
	return &f.Context
}

// earlier returns what this very guard has found out about this request before.
// Equal credentials make it the same request: a context can be handed to
// another one, within the process.
func (g *Guard) earlier(d *decision.Context, authorization, cookie []string) *decision.Context {
	for ; d != nil; d = d.Outer {
		if d.Guard == g && slices.Equal(d.Authorization, authorization) && slices.Equal(d.Cookie, cookie) {
			return d
		}
	}
	return nil
}

func (g *Guard) notice(ctx context.Context, kind authgear.NoticeKind, err error) {
	if g.observer.Notice != nil {
		g.observer.Notice(ctx, authgear.Notice{Kind: kind, Err: err})
	}
}

// asError makes an error of ours, for the given reason, of an error that is not.
func asError(err error, reason authgear.Reason) *authgear.Error {
	e, ok := errors.AsType[*authgear.Error](err)
	switch {
	case !ok:
		return &authgear.Error{Reason: reason, Err: err}
	case e == nil: // a nil pointer in an interface, which is not nil
		return &authgear.Error{Reason: reason, Err: errors.New("a nil *authgear.Error was returned as an error")}
	default:
		return e
	}
}

// isPreflight reports a CORS preflight (Fetch Standard, CORS-preflight fetch).
func isPreflight(r authgear.Request) bool {
	return r.Method() == "OPTIONS" && len(r.Values("Access-Control-Request-Method")) > 0
}
