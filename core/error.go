package authgear

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/isnil"
)

// Error is why a request is not allowed. Authenticators return no other error.
type Error struct {
	// Reason decides the outcome and the answer.
	Reason Reason
	// Err is the cause, for the operator. It may name addresses, and may quote
	// what an attacker chose, but it has no token, cookie or user id. May be nil.
	Err error
	// RetryAfter is how long it takes until another attempt can succeed. It counts
	// for OutcomeUnavailable only. The answer says at least one second and at most
	// 30.
	RetryAfter time.Duration
	// Scopes are what the challenge tells the client to ask for (RFC 6750 §3), for
	// ReasonInsufficientScope and OutcomeStepUp. A string that is not a valid
	// scope is left out.
	Scopes []string
	// MaxAge is how old the login may be. The challenge tells it in whole seconds
	// (RFC 9470 §3). It counts for OutcomeStepUp only.
	MaxAge time.Duration
	// Evidence says how this was found.
	Evidence Evidence
}

// Error returns the reason's code and its public sentence, and nothing else.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Reason.Description() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Outcome returns the outcome of the reason.
func (e *Error) Outcome() Outcome { return e.Reason.Outcome() }

// AsError returns err as an [*Error]. If err is or wraps an *Error, the reason
// stays, and so does the text of what wraps it, for the operator. Any other
// error becomes [ReasonInternal]: nobody can tell whether the request is
// allowed.
func AsError(err error) *Error {
	if isnil.IsNil(err) { // a nil pointer in an interface that is not nil
		return &Error{Reason: ReasonInternal, Err: fmt.Errorf("a nil %T was returned as an error", err)}
	}
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return &Error{Reason: ReasonInternal, Err: err}
	case e == nil:
		return &Error{Reason: ReasonInternal, Err: errors.New("a nil *authgear.Error was wrapped as an error")}
	case err == error(e):
		return e
	}
	wrapped := *e
	wrapped.Err = err
	if e.Err != nil {
		wrapped.Err = fmt.Errorf("%w (%w)", err, e.Err)
	}
	return &wrapped
}

// reasonsDocument has a section for each reason.
const reasonsDocument = "https://github.com/authgear/authgear-sdk-go/blob/main/docs/reasons.md#"

// LogValue implements [slog.LogValuer]: the reason, the outcome, the cause, what
// to do, and the section of the documentation.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("reason", string(e.Reason)),
		slog.String("outcome", e.Outcome().String()),
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("cause", e.Err.Error()))
	}
	if _, ok := reasons[e.Reason]; ok {
		attrs = append(attrs, slog.String("advice", e.Reason.definition().advice), slog.String("docs", reasonsDocument+string(e.Reason)))
	}
	return slog.GroupValue(attrs...)
}
