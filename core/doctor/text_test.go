package doctor_test

import (
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// What a peer says cannot move the cursor, or turn the text around.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	text := doctor.Report{Steps: []doctor.Step{{Name: "discovery", Detail: "status 502 \x1b[2J\u009b\u202eok", Fix: "try\x07 again"}}}.String()
	if strings.ContainsAny(text, "\x1b\u009b\u202e\x07") || !strings.Contains(text, "status 502 \ufffd[2J\ufffd\ufffdok") || !strings.Contains(text, "try\ufffd again") {
		t.Errorf("%q", text)
	}
}
