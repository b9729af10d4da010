package authgear

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Refusal is the HTTP answer to a request that is not allowed. It is for code
// that answers in a guard's place, such as a generated server's error handler.
type Refusal struct {
	Status int
	// Code is the "error" of the body, such as "invalid_token". The
	// description is that of the reason.
	Code string
	// Header has the challenge (RFC 6750 §3) or Retry-After, Cache-Control, and
	// the type and length of the body.
	Header http.Header
	// Body is JSON, {"error":…,"error_description":…}, and a line feed.
	Body []byte
}

// Refusal returns the answer to a request that failed with this error. It
// depends on the error alone.
func (e *Error) Refusal() Refusal {
	outcome, description := outcomes[e.Outcome()], e.Reason.Description()
	code := outcome.code
	if code == "" {
		code = string(e.Reason)
	}
	body := []byte(`{"error":"` + code + `","error_description":"` + description + "\"}\n")
	header := http.Header{
		"Cache-Control":  {"no-store"},
		"Content-Type":   {"application/json"},
		"Content-Length": {strconv.Itoa(len(body))},
	}
	if parameters, ok := e.challenge(outcome.challenge, code, description); ok {
		header["Www-Authenticate"] = []string{bearerChallenge(parameters)}
	}
	if e.Outcome() == OutcomeUnavailable {
		header["Retry-After"] = []string{retryAfter(e.RetryAfter)}
	}
	return Refusal{Status: outcome.status, Code: code, Header: header, Body: body}
}

// Write writes the answer. The body is written for HEAD too: the server drops
// it.
func (r Refusal) Write(w http.ResponseWriter) {
	for name, values := range r.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // the client is gone; nobody is left to tell
}

// challenge returns the parameters of the answer's challenge, if it has one.
func (e *Error) challenge(kind challengeKind, code, description string) (parameters []string, ok bool) {
	switch {
	case e.Reason == ReasonInsufficientScope: // RFC 6750 §3.1
		return append([]string{"error", code}, e.scopeParameter()...), true
	case kind == challengePlain: // RFC 6750 §3.1: no error code
		return nil, true
	case kind == challengeError:
		return []string{"error", code, "error_description", description}, true
	case kind == challengeStepUp:
		parameters = []string{"error", code, "error_description", description}
		if seconds := int64(e.MaxAge / time.Second); seconds > 0 {
			parameters = append(parameters, "max_age", strconv.FormatInt(seconds, 10))
		}
		return append(parameters, e.scopeParameter()...), true
	}
	return nil, false
}

// scopeParameter returns the scopes as a parameter, none where there are none.
func (e *Error) scopeParameter() []string {
	scopes := slices.DeleteFunc(slices.Clone(e.Scopes), func(s string) bool { return !isScope(s) })
	if len(scopes) == 0 {
		return nil
	}
	return []string{"scope", strings.Join(scopes, " ")}
}

// bearerChallenge returns a challenge with parameters, given as name and value
// in turn. Values are ASCII without quotes and backslashes (RFC 6750 §3).
func bearerChallenge(parameters []string) string {
	var b strings.Builder
	b.WriteString("Bearer")
	separator := " "
	for i := 0; i < len(parameters); i += 2 {
		b.WriteString(separator + parameters[i] + `="` + parameters[i+1] + `"`)
		separator = ", "
	}
	return b.String()
}

// retryAfter returns delay-seconds (RFC 9110 §10.2.3): rounded up, so that the
// next attempt does not come too early, and between 1 and 30.
func retryAfter(d time.Duration) string {
	d = min(max(d, time.Second), 30*time.Second)
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
