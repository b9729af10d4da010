package webhook_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
	"github.com/authgear/authgear-sdk-go/core/webhook"
)

// Each signed body is answered with 200 or 400. The store is told only of user ids that a
// token may have.
func FuzzEvent(f *testing.F) {
	for _, recording := range recordings.All(f, "webhook-") {
		f.Add(*recording.Request.Body)
	}
	f.Add(event("user.anonymous.promoted", "alice", 1))
	f.Fuzz(func(t *testing.T, body string) {
		r := newReceiver(t, webhook.Config{})
		w := r.post(body, sign(secret, body))
		told, notices := r.took()
		if w.Code != 200 && (w.Code != 400 || told != "" || len(notices) != 1) {
			t.Errorf("%d, told %q, notices %v", w.Code, told, notices)
		}
		for line := range strings.SplitSeq(told, "\n") {
			if strings.ContainsFunc(line, unicode.IsControl) || strings.HasPrefix(line, "revoke  ") {
				t.Errorf("told %q", line)
			}
		}
		if len(told) > 2*300 || !utf8.ValidString(told) {
			t.Errorf("told %q", told)
		}
	})
}
