package authgear

import (
	"context"
	"time"
)

// Observer is told what the SDK does, for logs, metrics and traces. Its functions are
// called in the goroutine of a request, or of a call that several requests wait for. So
// they have to return at once. Any of them may be nil, and a panic in one harms nothing.
// They never get a token, a cookie or a user id.
//
// When an *Observer is nil, LogObserver(nil) takes its place.
type Observer struct {
	// Decision is called for each request that a guard decides, and for each
	// call of [JWT.Verify], [Resolver.Verify] and [Hybrid.Verify].
	Decision func(context.Context, Decision)
	// FetchStart is called before each request to Authgear. The request, and
	// Fetch after it, have the context that it returns, so a span may begin here.
	FetchStart func(ctx context.Context, kind FetchKind, url string) context.Context
	// Fetch is called after each request to Authgear.
	Fetch func(context.Context, Fetch)
	// Notice is called for what an operator should mend although no request
	// was decided wrongly.
	Notice func(context.Context, Notice)
}

// Decision is one decision about a request.
type Decision struct {
	Outcome Outcome
	// Reason is "" for OutcomeAuthenticated. For a request that an optional route serves
	// without an identity, it is the reason why there is none.
	Reason Reason
	// WithoutIdentity is true for a request that an optional route serves without
	// an identity: it has no credentials, or a cookie that is not good. (The
	// requests of anonymous users have an identity.)
	WithoutIdentity bool
	// Repeated is true when the same guard has decided about the same request before: one of
	// its checks, inside another check, refuses the request or asks again.
	Repeated bool
	// Cached is true when the answer was found for an earlier request.
	Cached bool
	// Source is "" without an identity.
	Source Source
	// Duration is how long the decision took.
	Duration time.Duration
	// Method and Path are the request's, the path without its query. Both are "" for a call
	// of Verify.
	Method, Path string
	// Err is nil or an [*Error]; its cause is for the operator only.
	Err error
}

// FetchKind says what a [Fetch] asks for.
type FetchKind string

const (
	// FetchDiscovery: the project's discovery document.
	FetchDiscovery FetchKind = "discovery"
	// FetchJWKS: the project's keys.
	FetchJWKS FetchKind = "jwks"
	// FetchResolver: who credentials belong to.
	FetchResolver FetchKind = "resolver"
)

// Fetch is one request to Authgear.
type Fetch struct {
	Kind FetchKind
	// URL is the address that was asked.
	URL string
	// Status is that of the answer, 0 when there was none.
	Status   int
	Duration time.Duration
	// Err says why the answer cannot be used; nil when it can.
	Err error
	// Reason is the reason of requests that are refused because of Err; "" without Err.
	Reason Reason
}

// NoticeKind says what a [Notice] is about.
type NoticeKind string

const (
	// NoticePreflight: a guard refused a CORS preflight, so the CORS middleware
	// does not stand in front of it.
	NoticePreflight NoticeKind = "preflight"
	// NoticeErrorHandler: a custom error handler returned an error of its own.
	NoticeErrorHandler NoticeKind = "error_handler"
	// NoticeUntrustedProxy: X-Authgear-* headers were ignored, since nothing
	// proves that the reverse proxy has set them.
	NoticeUntrustedProxy NoticeKind = "unproven_hop"
	// NoticeMissingBearer: an Authorization header has a token and no scheme.
	NoticeMissingBearer NoticeKind = "missing_bearer"
	// NoticeRepeatedCookie: a browser sends two session cookies of one name.
	NoticeRepeatedCookie NoticeKind = "repeated_cookie"
	// NoticeCanary: no cookie of the project has the name of the canary, the cookie by which
	// Authgear's refusals are told from its failures.
	NoticeCanary NoticeKind = "canary"
	// NoticeHeaderBuffer: fiber's ReadBufferSize is small. The server answers 431, before
	// any middleware runs, even to headers that a usual request may have.
	NoticeHeaderBuffer NoticeKind = "header_buffer"
	// NoticeRevocations: revocations cannot be told to other processes, or heard from
	// them.
	NoticeRevocations NoticeKind = "revocations"
	// NoticeRevocationsRecovered: revocations can be told and heard again. It is a kind of
	// its own, so that a log that limits each kind does not leave it out.
	NoticeRevocationsRecovered NoticeKind = "revocations_recovered"
	// NoticeEvent: a webhook event was not taken, since its signature or form is wrong, or
	// since acting upon it failed.
	NoticeEvent NoticeKind = "event"
	// NoticeBlockingEvent: Authgear waits for the webhook receiver's permission, for example
	// to sign a user in. The receiver gives it, and does not look at the event.
	NoticeBlockingEvent NoticeKind = "blocking_event"
)

// Notice is something that an operator should mend.
type Notice struct {
	Kind NoticeKind
	Err  error
}

func orDefault(observer *Observer) *Observer {
	if observer == nil {
		return LogObserver(nil)
	}
	return observer
}

// ignorePanic is for an observer's panic, which would end the process, or a call
// that several requests wait for.
func ignorePanic() { _ = recover() }

func (o *Observer) fetchStart(ctx context.Context, kind FetchKind, url string) (started context.Context) {
	started = ctx
	if o.FetchStart != nil {
		defer ignorePanic()
		if c := o.FetchStart(ctx, kind, url); c != nil {
			started = c
		}
	}
	return started
}

func (o *Observer) fetch(ctx context.Context, f Fetch) {
	if o.Fetch != nil {
		defer ignorePanic()
		o.Fetch(ctx, f)
	}
}

// ReportDecision calls Decision, if there is one. It is for guards.
func (o *Observer) ReportDecision(ctx context.Context, d Decision) {
	if o.Decision != nil {
		defer ignorePanic()
		o.Decision(ctx, d)
	}
}

// ReportNotice calls Notice, if there is one. It is for guards, the webhook receiver and
// stores.
func (o *Observer) ReportNotice(ctx context.Context, kind NoticeKind, err error) {
	if o.Notice != nil {
		defer ignorePanic()
		o.Notice(ctx, Notice{Kind: kind, Err: err})
	}
}

// verified reports a call of Verify.
func (o *Observer) verified(ctx context.Context, start time.Time, identity *Identity, err *Error) {
	d := Decision{Outcome: OutcomeAuthenticated, Duration: time.Since(start)}
	if err != nil {
		d.Outcome, d.Reason, d.Cached, d.Err = err.Outcome(), err.Reason, err.Evidence.Cached, err
	} else {
		d.Source, d.Cached = identity.Source, identity.Evidence.Cached
	}
	o.ReportDecision(ctx, d)
}
