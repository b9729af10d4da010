package authgear

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/health"
	"github.com/authgear/authgear-sdk-go/core/internal/project"
	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

// Authgear answers a token that it refuses as if no credentials had been sent. It answers
// a good credential in the same way when its database fails in the middle of the call.
// The canary tells the two apart: it is a dead session cookie that is sent beside the
// credential. With it, a refusal is explicit, and the answer to a good credential
// unchanged.
const canaryValue = session.Dead

// canary has the names under which the canary is sent, and what checks have learned about
// them.
type canary struct {
	names []string
	alone string // the canary's Cookie header beside a token
	// taken: a check was refused explicitly, so one of the names is the project's; this is
	// final. useless: none of the names is the project's, and a refusal is silent.
	taken, useless atomic.Bool
	silent         atomic.Int32 // checks in a row, of one round, that were not answered explicitly
	learned        atomic.Int64 // when useless was learned or doubted last, in Unix nanoseconds
}

// setNames is called once.
func (k *canary) setNames(names []string) {
	k.names, k.alone = names, strings.Join(names, "="+canaryValue+"; ")+"="+canaryValue
}

// canaryNames are the names in Cookies, and "session": under the name app_session or
// app_access_token alone the canary has no effect.
func canaryNames(cookies []string) []string {
	if slices.Contains(cookies, "session") {
		return cookies
	}
	return append(slices.Clone(cookies), "session")
}

// header returns what goes to Authgear: the credential and, under every other
// name than its own, the canary.
func (k *canary) header(c credential) http.Header {
	if c.token != "" {
		return http.Header{"Authorization": {"Bearer " + c.token}, "Cookie": {k.alone}}
	}
	cookies := c.name + "=" + c.value
	for _, name := range k.names {
		if name != c.name {
			cookies += "; " + name + "=" + canaryValue
		}
	}
	return http.Header{"Cookie": {cookies}}
}

// maxSilent is how many checks in a row are answered as if nothing had been sent, until
// it is certain that the canary has none of the project's cookie names.
const maxSilent = 3

// maxFast is how soon a dead connection to Authgear's database fails.
const maxFast = 250 * time.Millisecond

// checkError is what a health check has found.
type checkError struct{ found *Error }

func (e checkError) Error() string { return e.found.Err.Error() }
func (e checkError) Unwrap() error { return e.found }

// check is the health check, the nth of its round. It sends a made-up token: Authgear
// refuses that only when it has all that it needs for a good token.
func (r *Resolver) check(ctx context.Context, nth int) health.Verdict {
	if nth == 0 {
		r.canary.silent.Store(0)
	}
	// In a flight, since the user's transport may panic.
	start := time.Now()
	a, err := r.checks.Do(ctx, [32]byte{}, false, func(context.Context) (answer, error) {
		return r.send(ctx, credential{token: rand.Text() + rand.Text()[:6]}, false), nil // of the length of an opaque token
	})
	if err != nil {
		a = unavailable(r.unanswered(err))
	}
	well := false
	switch {
	case a.silent:
		well = r.isUseless(ctx)
	case a.identity != nil:
		a.err = &Error{Reason: ReasonAnswerMalformed, Err: errors.New("it knows a token that was made up; is a cache in front of Authgear?")}
	case a.err.Reason == ReasonTokenRejected:
		r.canary.taken.Store(true)
		r.canary.useless.Store(false)
		well = true
	case a.decided(): // refused as too large
		a.err = unavailable(a.err.Err).err
	}
	if !a.silent {
		r.canary.silent.Store(0)
	}
	if well {
		r.ready.Store(true)
		return health.Verdict{}
	}
	return health.Verdict{
		Err:      checkError{a.err},
		Repeat:   a.silent || a.status == http.StatusInternalServerError && time.Since(start) <= maxFast,
		TimedOut: project.IsTimeout(a.err),
		Pause:    a.wait,
	}
}

// isUseless is called after a check that was not answered explicitly. It reports whether
// the canary has none of the project's cookie names.
func (r *Resolver) isUseless(ctx context.Context) bool {
	k := &r.canary
	if !k.taken.Load() && k.silent.Add(1) == maxSilent {
		k.useless.Store(true)
		k.learned.Store(time.Now().UnixNano())
		r.observer.ReportNotice(ctx, NoticeCanary, fmt.Errorf("no cookie of the project is named %s: refused credentials cannot be told from a failure of Authgear; set Cookies to the name of its session cookie", strings.Join(k.names, " or ")))
	}
	return k.useless.Load()
}

// doubtAfter is how long the finding counts that the canary is useless. The finding is
// wrong if a server answered everybody with nothing right after the start.
const doubtAfter = time.Minute

// doubtCanary begins a round of checks now and then, as long as silence is taken for a
// refusal. A check that is refused explicitly ends that.
func (r *Resolver) doubtCanary() {
	last, now := r.canary.learned.Load(), time.Now().UnixNano()
	if time.Duration(now-last) < doubtAfter || !r.canary.learned.CompareAndSwap(last, now) {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
		defer cancel()
		_ = r.health.Failed(ctx) // it notes what it finds
	}()
}
