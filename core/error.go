package authgear

import (
	"log/slog"
	"time"
)

// Error is why a request does not go on. Authenticators return no other error.
type Error struct {
	// Reason decides the outcome and the answer.
	Reason Reason
	// Err is the cause, for the operator: it may name addresses, and quotes
	// what an attacker chose, but no token, cookie or user id. May be nil.
	Err error
	// RetryAfter is how long it takes until another attempt can succeed. It
	// counts for OutcomeUnavailable only; the answer says at least one second
	// and at most 30.
	RetryAfter time.Duration
	// Evidence says how this was found.
	Evidence Evidence
}

// Error returns the reason's code and its public sentence, and nothing else.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Reason.Description() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Outcome returns the outcome of the reason.
func (e *Error) Outcome() Outcome { return e.Reason.Outcome() }

// LogValue implements [slog.LogValuer]: the reason, the outcome and the cause.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("reason", string(e.Reason)),
		slog.String("outcome", e.Outcome().String()),
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("cause", e.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}
