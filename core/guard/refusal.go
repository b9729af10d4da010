package guard

import (
	"context"
	"net/http"
	"strconv"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// ContentType is the media type of a refusal's body.
const ContentType = "application/json"

// Refusal is the answer to a request that does not go on.
type Refusal struct {
	// Err is what a custom error handler gets, and what the framework records.
	Err *authgear.Error
	// Status and Body are the default answer, with ContentType and an explicit
	// Content-Length.
	Status int
	Body   []byte

	guard *Guard
}

// The public code of an outcome; that of a denied request is its reason.
var codes = map[authgear.Outcome]string{
	authgear.OutcomeNoCredentials: "authentication_required",
	authgear.OutcomeInvalid:       "invalid_token",   // RFC 6750 §3.1
	authgear.OutcomeMalformed:     "invalid_request", // RFC 6750 §3.1
	authgear.OutcomeUnavailable:   "temporarily_unavailable",
}

var statuses = map[authgear.Outcome]int{
	authgear.OutcomeNoCredentials: http.StatusUnauthorized,
	authgear.OutcomeInvalid:       http.StatusUnauthorized,
	authgear.OutcomeMalformed:     http.StatusBadRequest,
	authgear.OutcomeUnavailable:   http.StatusServiceUnavailable,
	authgear.OutcomeDenied:        http.StatusForbidden,
}

// newRefusal sets the fields that stand whatever answer a custom error handler
// writes. Names are in canonical spelling, since fiber can be told to write
// them as they are.
func newRefusal(g *Guard, err *authgear.Error, fields Fields) *Refusal {
	outcome, description := err.Outcome(), err.Reason.Description()
	code := codes[outcome]
	if outcome == authgear.OutcomeDenied {
		code = string(err.Reason)
	}

	fields.Set("Cache-Control", "no-store")
	switch outcome {
	case authgear.OutcomeNoCredentials:
		fields.Set("Www-Authenticate", "Bearer") // RFC 6750 §3.1: no error code
	case authgear.OutcomeInvalid, authgear.OutcomeMalformed:
		fields.Set("Www-Authenticate", `Bearer error="`+code+`", error_description="`+description+`"`)
	case authgear.OutcomeUnavailable:
		fields.Set("Retry-After", retryAfter(err.RetryAfter))
	}
	return &Refusal{
		Err:    err,
		Status: statuses[outcome],
		Body:   []byte(`{"error":"` + code + `","error_description":"` + description + "\"}\n"),
		guard:  g,
	}
}

// retryAfter returns delay-seconds (RFC 9110 §10.2.3): rounded up, so that the
// next attempt does not come too early, and between 1 and 30.
func retryAfter(d time.Duration) string {
	d = min(max(d, time.Second), 30*time.Second)
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// Write writes the default answer. The body is written for HEAD too: the server
// drops it.
func (r *Refusal) Write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", ContentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(r.Body)))
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // the client is gone; nobody is left to tell
}

// ReportHandlerError tells the observer of an error that a custom error handler
// returned and that is not the one it was given.
func (r *Refusal) ReportHandlerError(ctx context.Context, err error) {
	if err != nil && err != error(r.Err) {
		r.guard.notice(ctx, authgear.NoticeErrorHandler, err)
	}
}
