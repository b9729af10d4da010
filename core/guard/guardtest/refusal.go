package guardtest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// answer is a response as it came.
type answer struct {
	status int
	header http.Header
	body   string
}

// refusal is the answer that a reason must have, from the rules and not from
// the code under test. The parameters are those that the challenge has beside.
func refusal(reason authgear.Reason, retryAfter string, parameters ...string) answer {
	var status int
	var code, challenge string
	switch reason.Outcome() {
	case authgear.OutcomeNoCredentials:
		status, code, challenge = 401, "authentication_required", "Bearer"
	case authgear.OutcomeInvalid:
		status, code = 401, "invalid_token"
	case authgear.OutcomeMalformed:
		status, code = 400, "invalid_request"
	case authgear.OutcomeDenied:
		status, code = 403, string(reason)
	case authgear.OutcomeStepUp:
		status, code = 401, string(reason)
	default:
		status, code = 503, "temporarily_unavailable"
	}
	switch {
	case reason == authgear.ReasonInsufficientScope:
		challenge = `Bearer error="insufficient_scope"`
	case status == 400 || status == 401 && challenge == "":
		challenge = fmt.Sprintf(`Bearer error=%q, error_description=%q`, code, reason.Description())
	}
	challenge = strings.Join(slices.Concat([]string{challenge}, parameters), ", ")
	body := fmt.Sprintf("{%q:%q,%q:%q}\n", "error", code, "error_description", reason.Description())
	header := http.Header{
		"Cache-Control":  {"no-store"},
		"Content-Type":   {"application/json"},
		"Content-Length": {fmt.Sprint(len(body))},
	}
	if challenge != "" {
		header["Www-Authenticate"] = []string{challenge}
	}
	if status == 503 {
		header["Retry-After"] = []string{retryAfter}
	}
	return answer{status, header, body}
}

// same compares an answer with the one that it must be, each header included but
// those of the connection.
func same(t *testing.T, what string, got, want answer) {
	t.Helper()
	if got.status != want.status || got.body != want.body {
		t.Errorf("%s: %d %q, want %d %q", what, got.status, got.body, want.status, want.body)
	}
	header := maps.Clone(got.header)
	delete(header, "Date")
	delete(header, "Connection")
	if !maps.EqualFunc(header, want.header, slices.Equal) {
		t.Errorf("%s: headers %v, want %v", what, header, want.header)
	}
}

// sameBesideBody compares the headers that stand whatever a custom error handler answers.
func sameBesideBody(t *testing.T, what string, got, want answer) {
	t.Helper()
	for _, name := range []string{"Www-Authenticate", "Cache-Control", "Retry-After"} {
		if !slices.Equal(got.header[name], want.header[name]) {
			t.Errorf("%s: %s = %q, want %q", what, name, got.header[name], want.header[name])
		}
	}
}

// wantBody compares the status and body of an answer that is the handler's.
func wantBody(t *testing.T, what string, got answer, status int, body string) {
	t.Helper()
	if got.status != status || got.body != body {
		t.Errorf("%s: %d %q, want %d %q", what, got.status, got.body, status, body)
	}
}
