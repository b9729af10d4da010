package doctor

import (
	"errors"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// limit is how long a run takes at most. A request gives up sooner; there are several.
const limit = 30 * time.Second

var errLimit = errors.New("the half minute is over that a run takes at most")

// skipCut skips steps that fail for this reason because the run had to end: neither
// Authgear nor the token is to blame. It reports whether that is so.
func (e *examination) skipCut(reason authgear.Reason, names ...string) bool {
	if reason != authgear.ReasonKeysUnavailable && reason != authgear.ReasonResolverUnavailable {
		return false
	}
	ended := e.ended()
	if ended == nil {
		return false
	}
	e.cut = true
	e.skip(ended.Error(), names...)
	return true
}

// fail is [Report.fail], unless the end of the run has caused the failure.
func (e *examination) fail(name string, reason authgear.Reason, cause error, fix string) {
	if !e.skipCut(reason, name) {
		e.Report.fail(name, reason, cause, fix)
	}
}

// lookAtTime fails when not all was looked at: then nobody knows that all is well.
func (e *examination) lookAtTime() {
	if e.cut {
		e.add("time", StatusFailed, "not all was looked at: "+e.ended().Error(),
			"Authgear, or the way to it, is slow: look at its load and at what stands between. A context for Run should last half a minute.")
	}
}
