package guard

import (
	"context"
	"errors"
	"slices"
	"time"
	"unsafe"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Check is what one route asks of its requests.
type Check struct {
	guard        *Guard
	authenticate func(context.Context, authgear.Request) (*authgear.Identity, error)
	policy       authgear.Policy
	optional     bool
	fresh        bool // earlier findings do not count
}

// Run decides about a request, and returns it as the handler, or a custom error
// handler, gets it: without identity headers, and with a context that holds the
// finding. The refusal is nil when the request is allowed; else it is to be
// written, and its headers are set already, except those of its body.
func Run[T any](ctx context.Context, c *Check, r Request[T], response ResponseHeader) (T, *Refusal) {
	decided, earlier, err := c.decide(ctx, r, response)
	stripped := r.Without(IsIdentityHeader)
	found := decided.handOn(ctx, stripped.Store(), err)
	note(ctx, earlier, found)
	if err == nil {
		return stripped.HandOn(found), nil
	}
	return stripped.HandOn(found), newRefusal(c.guard, err, response)
}

// Refuse refuses a request in a handler's place: by an *authgear.Error, or by any
// other error as unavailable. It returns what [Run] does.
func Refuse[T any](ctx context.Context, g *Guard, r Request[T], response ResponseHeader, err error) (T, *Refusal) {
	refused := authgear.AsError(err)
	identity, _ := authgear.FromContext(ctx)
	g.report(ctx, r, identity, refused, authgear.Decision{Repeated: findingIn(ctx) != nil})
	stripped := r.Without(IsIdentityHeader)
	outer := findingIn(ctx)
	found := (&finding{Context: ctx, outer: outer, identity: identity}).handOn(ctx, stripped.Store(), refused)
	note(ctx, outer, found)
	return stripped.HandOn(found), newRefusal(g, refused, response)
}

// decide returns what [Check.find] does, and why the request is refused, nil when
// it is allowed.
func (c *Check) decide(ctx context.Context, r view, response ResponseHeader) (found, earlier *finding, err *authgear.Error) {
	start := time.Now()
	found, earlier = c.find(ctx, r)
	if found.failure != nil {
		clearCookies(found.failure, earlier, response)
	}
	err = c.judge(found, r)
	withoutIdentity := err != nil && c.optional && isAnonymous(err)
	if found != earlier || err != nil && !withoutIdentity { // each authentication and each refusal once
		c.guard.report(ctx, r, found.identity, err, authgear.Decision{
			WithoutIdentity: withoutIdentity, Repeated: earlier != nil, Duration: time.Since(start),
		})
	}
	if withoutIdentity {
		return found, earlier, nil
	}
	if err != nil && isPreflight(r) {
		c.guard.observer.ReportNotice(ctx, authgear.NoticePreflight, errors.New("a CORS preflight was refused; mount the CORS middleware before the guard"))
	}
	return found, earlier, err
}

// find returns what is found out about the request, an identity or an error, and
// what this guard has found out about it earlier, which may be the same.
func (c *Check) find(ctx context.Context, r view) (found, earlier *finding) {
	outer := findingIn(ctx)
	found = &finding{Context: ctx, outer: outer}
	if err := checkLines(r.Lines()); err != nil {
		found.failure = err
		return found, nil
	}
	earlier = c.guard.earlier(outer, r)
	if earlier != nil && !c.fresh {
		return earlier, earlier
	}
	found.guard = c.guard
	found.read.request = r
	identity, err := c.authenticate(ctx, &found.read)
	switch {
	case err != nil: // also when there is an identity beside it
		found.failure = authgear.AsError(err)
	case identity == nil:
		found.failure = &authgear.Error{Reason: authgear.ReasonInternal, Err: errors.New("the authenticator returned neither an identity nor an error")}
	default:
		found.identity = identity
	}
	return found, earlier
}

// judge returns why the request is refused, nil when it is allowed.
func (c *Check) judge(found *finding, r view) *authgear.Error {
	if found.failure != nil {
		return found.failure
	}
	if found.identity.Evidence.Ambient {
		if err := c.guard.crossOrigin.check(r); err != nil {
			return err
		}
	}
	if err := c.policy.Check(found, found.identity); err != nil {
		return authgear.AsError(err)
	}
	return nil
}

// handOn returns the finding for the request that is handed on with ctx. What was
// found out earlier stays as it is, since others may read it.
func (f *finding) handOn(ctx context.Context, store unsafe.Pointer, refused *authgear.Error) *finding {
	if !f.handedOn {
		f.handedOn, f.store, f.refused = true, store, refused
		return f
	}
	if f.store == store && refused == nil && f.refused == nil && ctx == context.Context(f) {
		return f
	}
	again := *f
	// Something else may have come into the context since, and stays in it.
	again.Context, again.outer, again.store, again.refused = ctx, findingIn(ctx), store, refused
	return &again
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

// clearCookies lets a browser forget a dead session. The handler may set the
// same cookie later, which then counts (RFC 6265 §5.3). What an earlier check of
// the request has added is there already.
func clearCookies(err *authgear.Error, earlier *finding, response ResponseHeader) {
	var added []string
	if earlier != nil && earlier.failure != nil {
		added = earlier.failure.Evidence.ClearCookies
	}
	for _, cookie := range err.Evidence.ClearCookies {
		if !slices.Contains(added, cookie) {
			response.Add("Set-Cookie", cookie)
		}
	}
}

// report tells the observer of a decision.
func (g *Guard) report(ctx context.Context, r view, identity *authgear.Identity, err *authgear.Error, d authgear.Decision) {
	d.Outcome, d.Method, d.Path = authgear.OutcomeAuthenticated, r.Method(), r.Path()
	if identity != nil {
		d.Source, d.Cached = identity.Source, identity.Evidence.Cached
	}
	if err != nil {
		d.Outcome, d.Reason, d.Err = err.Outcome(), err.Reason, err
		d.Cached = d.Cached || err.Evidence.Cached
	}
	g.observer.ReportDecision(ctx, d)
}

// isPreflight reports a CORS preflight (Fetch Standard, CORS-preflight fetch).
func isPreflight(r view) bool {
	return r.Method() == "OPTIONS" && len(r.Values("Access-Control-Request-Method")) > 0
}
