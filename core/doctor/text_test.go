package doctor_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// saying is what a proxy may say, such as in the reason phrase of its refusal.
type saying string

func (s saying) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New(string(s)) }

// What a peer says cannot move the cursor, or turn the text around: neither in the text,
// nor in the steps, which an administrator's page or JSON shows.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	r := doctor.Run(t.Context(), doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: &http.Client{Transport: saying("No \x1b[2J\u009b\u202e\x07way")}})
	wantStep(t, r, "discovery", doctor.StatusFailed, "No \ufffd[2J\ufffd\ufffd\ufffdway")
	if text := r.String(); strings.ContainsAny(text, "\x1b\u009b\u202e\x07") {
		t.Errorf("%q", text)
	}
}
