package guard

import (
	"context"
	"errors"
	"slices"
	"time"
	"unsafe"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
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
// finding. The refusal is nil when the request is allowed. Otherwise the
// adapter has to write it; its headers are set already, except those of its
// body. framework is the framework's own context, for policies that [Policy]
// and [Self] make.
func Run[T any](ctx context.Context, c *Check, r Request[T], response ResponseHeader, framework any) (T, *Refusal) {
	start := time.Now()
	decided, earlier := c.find(ctx, r, c.fresh)
	stripped := r.Without(IsIdentityHeader)
	request := judged[T]{stripped, framework}
	outer, err := judge(ctx, c, decided, request)
	if mayBeNewer(decided, err, start) {
		decided, _ = c.find(contextkey.WithFresh(ctx), r, true)
		outer, err = judge(ctx, c, decided, request)
	}
	err = c.tell(ctx, decided, earlier, err, r, response, start)
	found := decided.handOn(outer, stripped.Store(), err)
	note(ctx, earlier, found)
	if err == nil {
		return stripped.HandOn(found), nil
	}
	return stripped.HandOn(found), newRefusal(c.guard, err, response)
}

// mayBeNewer reports whether a user who seems to have signed in too long ago
// may have signed in again since the finding. That can be when the finding is
// an answer to an earlier request, or to a call that began before this request.
// It can also be when a key cannot be had: the user is known, so the key is
// that of the ID token that tells of the new login.
func mayBeNewer(found *finding, err *authgear.Error, start time.Time) bool {
	if err == nil || found.identity == nil {
		return false
	}
	switch evidence := found.identity.Evidence; {
	case err.Reason == authgear.ReasonKeysUnavailable:
		return true
	case err.Outcome() != authgear.OutcomeStepUp && err.Reason != authgear.ReasonCannotReauthenticate:
		return false
	default:
		return evidence.Cached || !found.handedOn && !evidence.CheckedAt.IsZero() && evidence.CheckedAt.Before(start)
	}
}

// Refuse refuses a request in a handler's place: by an *authgear.Error, or, for
// any other error, as unavailable. It returns what [Run] does.
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

// tell tells the response and the observer what was found out, and returns why the
// request is refused, nil when it is allowed.
func (c *Check) tell(ctx context.Context, found, earlier *finding, err *authgear.Error, r view, response ResponseHeader, start time.Time) *authgear.Error {
	if found.failure != nil {
		clearCookies(found.failure, earlier, response)
	}
	withoutIdentity := err != nil && c.optional && isAnonymous(err)
	if found != earlier || err != nil && !withoutIdentity { // each authentication and each refusal once
		c.guard.report(ctx, r, found.identity, err, authgear.Decision{
			WithoutIdentity: withoutIdentity, Repeated: earlier != nil, Duration: time.Since(start),
		})
	}
	if withoutIdentity {
		return nil
	}
	if err != nil && isPreflight(r) {
		c.guard.observer.ReportNotice(ctx, authgear.NoticePreflight, errors.New("a CORS preflight was refused; mount the CORS middleware before the guard"))
	}
	return err
}

// find returns what is found out about the request, an identity or an error,
// and what this guard has found out about it earlier. The two may be the same,
// unless the answer has to be fresh.
func (c *Check) find(ctx context.Context, r view, fresh bool) (found, earlier *finding) {
	outer := findingIn(ctx)
	found = &finding{Context: ctx, outer: outer}
	if err := checkLines(r.Lines()); err != nil {
		found.failure = err
		return found, nil
	}
	earlier = c.guard.earlier(outer, r)
	if earlier != nil && !fresh {
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

// handOn returns the finding for the request that is handed on with ctx. What was
// found out earlier stays as it is, since others may read it.
func (f *finding) handOn(ctx context.Context, store unsafe.Pointer, refused *authgear.Error) *finding {
	if !f.handedOn {
		f.handedOn, f.Context, f.store, f.refused = true, ctx, store, refused
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
