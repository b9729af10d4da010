package authgear

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// LogObserver returns an observer that logs warnings and errors. For each reason and each
// kind of notice it logs the first five in a minute. The next line of that reason or kind
// tells how many were left out. nil stands for [slog.Default] at the time of logging.
//
// A request that cannot be judged now is logged as an error, a refused request as a
// warning. Each line has the cause, what to do, and where the documentation says more.
// When Authgear answers again, a line says so, and how many requests had 503 meanwhile. A
// request without credentials is logged only if something in it says why. A request that
// is served without an identity, or whose client went away, is not logged.
func LogObserver(logger *slog.Logger) *Observer {
	l := &limitedLog{logger: logger, kinds: map[string]*window{}}
	return &Observer{Decision: l.decision, Fetch: l.fetch, Notice: l.notice}
}

// noticesDocument has a line for each notice.
const noticesDocument = "https://github.com/authgear/authgear-sdk-go/blob/main/docs/observability.md#notices"

const (
	logWindow = time.Minute
	logLines  = 5 // of one reason or kind in a window
)

// limitedLog keeps a flood of bad requests from becoming a flood of log lines.
type limitedLog struct {
	logger *slog.Logger

	mu          sync.Mutex
	kinds       map[string]*window // of closed lists, not of what requests hold
	unavailable int                // requests refused since Authgear answered last
}

// window counts one kind in the minute since it was first logged.
type window struct {
	since          time.Time
	lines, leftOut int
}

func (l *limitedLog) decision(ctx context.Context, d Decision) {
	if d.WithoutIdentity || ctx.Err() != nil && errors.Is(d.Err, context.Canceled) {
		return // a stale cookie, or a client that went away: nothing is wrong
	}
	switch d.Outcome {
	case OutcomeAuthenticated:
		if d.Source == SourceForwarded {
			l.recovered(ctx) // the proxy has asked Authgear about it
		}
	case OutcomeNoCredentials:
		if errors.Unwrap(d.Err) != nil {
			l.refused(ctx, d)
		}
	case OutcomeUnavailable:
		if d.Reason != ReasonInternal && d.Reason != ReasonPolicyUnavailable && d.Reason != ReasonProxySecretMismatch { // these are this service's own
			l.mu.Lock()
			l.unavailable++
			l.mu.Unlock()
		}
		l.log(ctx, slog.LevelError, "authgear: cannot decide about a request", string(d.Reason), slog.Any("error", d.Err))
	default:
		l.refused(ctx, d)
	}
}

func (l *limitedLog) refused(ctx context.Context, d Decision) {
	l.log(ctx, slog.LevelWarn, "authgear: request refused", string(d.Reason), slog.Any("error", d.Err))
}

func (l *limitedLog) fetch(ctx context.Context, f Fetch) {
	if f.Err == nil {
		l.recovered(ctx)
		return
	}
	l.log(ctx, slog.LevelError, "authgear: fetch failed", string(f.Kind),
		slog.String("url", f.URL), slog.Int("status", f.Status), slog.String("error", f.Err.Error()),
		slog.String("advice", f.Reason.definition().advice), slog.String("docs", reasonsDocument+string(f.Reason)))
}

func (l *limitedLog) notice(ctx context.Context, n Notice) {
	l.log(ctx, slog.LevelWarn, "authgear: notice", string(n.Kind), slog.String("error", n.Err.Error()), slog.String("docs", noticesDocument))
}

// recovered says that Authgear answers, if it did not before.
func (l *limitedLog) recovered(ctx context.Context) {
	l.mu.Lock()
	refused := l.unavailable
	l.unavailable = 0
	l.mu.Unlock()
	if refused > 0 && !l.log(ctx, slog.LevelWarn, "authgear: Authgear answers again", "recovered", slog.Int("refused", refused)) {
		l.mu.Lock()
		l.unavailable += refused // for the next line
		l.mu.Unlock()
	}
}

// log reports whether the line was logged.
func (l *limitedLog) log(ctx context.Context, level slog.Level, message, kind string, attrs ...slog.Attr) bool {
	count := l.count(kind)
	if count == 0 {
		return false
	}
	logger := l.logger
	if logger == nil {
		logger = slog.Default()
	}
	attrs = append(attrs, slog.String("kind", kind), slog.Int("count", count))
	logger.LogAttrs(ctx, level, message, attrs...)
	return true
}

// count returns for how many of the kind to log a line now, 0 for not now.
func (l *limitedLog) count(kind string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.kinds[kind]
	if w == nil {
		w = &window{}
		l.kinds[kind] = w
	}
	if now := time.Now(); now.Sub(w.since) >= logWindow {
		w.since, w.lines = now, 0
	}
	if w.lines == logLines {
		w.leftOut++
		return 0
	}
	w.lines++
	count := 1 + w.leftOut
	w.leftOut = 0
	return count
}
