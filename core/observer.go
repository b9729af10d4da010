package authgear

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Observer is told what the SDK does, for logs, metrics and traces. Its
// functions are called in the goroutine of the work itself, a request or a call
// that several requests wait for, so they return at once; any of them may be
// nil. They never get a token, a cookie or a user id.
//
// Where an *Observer is nil, LogObserver(nil) takes its place.
type Observer struct {
	// Decision is called for each request that a guard decides, and for each
	// call of [JWT.Verify].
	Decision func(context.Context, Decision)
	// Fetch is called for each request to Authgear.
	Fetch func(context.Context, Fetch)
	// Notice is called for what an operator should mend although no request
	// was decided wrongly.
	Notice func(context.Context, Notice)
}

// Decision is one decision about a request.
type Decision struct {
	Outcome Outcome
	// Reason is "" for OutcomeAuthenticated, and for a request that went on
	// without an identity on an optional route the reason that it has none.
	Reason Reason
	// WithoutIdentity is true for a request that an optional route serves without
	// an identity: it has no credentials, or a cookie that is not good. (The
	// requests of anonymous users have an identity.)
	WithoutIdentity bool
	// Repeated is true for a further decision of the same guard about the same
	// request: one inside another guard's check refuses it, or asks again.
	Repeated bool
	// Cached is true when the answer was given to an earlier request.
	Cached bool
	// Source is "" without an identity.
	Source Source
	// Duration is how long the decision took.
	Duration time.Duration
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
	// URL is what was asked.
	URL string
	// Status is the answer's, 0 when there was none.
	Status   int
	Duration time.Duration
	// Err says why the answer is of no use; nil when it is.
	Err error
}

// NoticeKind says what a [Notice] is about.
type NoticeKind string

const (
	// NoticePreflight: a guard refused a CORS preflight, so the CORS middleware
	// does not stand in front of it.
	NoticePreflight NoticeKind = "preflight"
	// NoticeErrorHandler: a custom error handler returned an error of its own.
	NoticeErrorHandler NoticeKind = "error_handler"
	// NoticeUntrustedProxy: X-Authgear-* fields were ignored, since nothing proves
	// that the reverse proxy has set them.
	NoticeUntrustedProxy NoticeKind = "unproven_hop"
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

func (o *Observer) fetch(ctx context.Context, f Fetch) {
	if o.Fetch != nil {
		o.Fetch(ctx, f)
	}
}

func (o *Observer) notice(ctx context.Context, kind NoticeKind, err error) {
	if o.Notice != nil {
		o.Notice(ctx, Notice{Kind: kind, Err: err})
	}
}

// LogObserver returns an observer that logs warnings and errors, each kind of
// them at most once a minute, with the number of times that it occurred since
// it was last logged. nil stands for [slog.Default] at the time of logging.
//
// Authgear being out of reach is an error; a request that is refused is a
// warning. Requests without credentials are not logged, nor are those that go on
// without an identity or whose client went away.
func LogObserver(logger *slog.Logger) *Observer {
	l := &limitedLog{logger: logger, kinds: map[string]*logged{}}
	return &Observer{
		Decision: func(ctx context.Context, d Decision) {
			if d.WithoutIdentity || ctx.Err() != nil && errors.Is(d.Err, context.Canceled) {
				return // a stale cookie, or a client that went away: nothing is wrong
			}
			switch d.Outcome {
			case OutcomeAuthenticated, OutcomeNoCredentials:
			case OutcomeUnavailable:
				l.log(ctx, slog.LevelError, "authgear: cannot tell who sent the request", string(d.Reason), slog.Any("error", d.Err))
			default:
				l.log(ctx, slog.LevelWarn, "authgear: request refused", string(d.Reason), slog.Any("error", d.Err))
			}
		},
		Fetch: func(ctx context.Context, f Fetch) {
			if f.Err != nil {
				l.log(ctx, slog.LevelError, "authgear: fetch failed", string(f.Kind),
					slog.String("url", f.URL), slog.Int("status", f.Status), slog.String("error", f.Err.Error()))
			}
		},
		Notice: func(ctx context.Context, n Notice) {
			l.log(ctx, slog.LevelWarn, "authgear: notice", string(n.Kind), slog.String("error", n.Err.Error()))
		},
	}
}

// logInterval is how long one kind of message stays silent after it was logged.
const logInterval = time.Minute

// limitedLog keeps a flood of bad requests from becoming a flood of log lines.
type limitedLog struct {
	logger *slog.Logger
	mu     sync.Mutex
	kinds  map[string]*logged // kinds come from closed lists, not from requests
}

type logged struct {
	at    time.Time
	count int // since then
}

func (l *limitedLog) log(ctx context.Context, level slog.Level, message, kind string, attrs ...slog.Attr) {
	count := l.count(kind)
	if count == 0 {
		return
	}
	logger := l.logger
	if logger == nil {
		logger = slog.Default()
	}
	attrs = append(attrs, slog.String("kind", kind), slog.Int("count", count))
	logger.LogAttrs(ctx, level, message, attrs...)
}

// count returns for how many occurrences of the kind to log now, 0 for not now.
func (l *limitedLog) count(kind string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	k := l.kinds[kind]
	if k == nil {
		l.kinds[kind] = &logged{at: now}
		return 1
	}
	k.count++
	if now.Sub(k.at) < logInterval {
		return 0
	}
	count := k.count
	*k = logged{at: now}
	return count
}
