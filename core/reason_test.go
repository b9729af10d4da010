package authgear

import (
	"os"
	"regexp"
	"testing"
)

// Every constant has its definition, and every sentence can stand in a quoted
// string of WWW-Authenticate (RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E).
func TestReasonsAreDefined(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := regexp.MustCompile(`Reason = "(\w+)"`).FindAllSubmatch(source, -1)
	if len(constants) != len(reasons) {
		t.Errorf("%d constants, %d definitions", len(constants), len(reasons))
	}
	sentence := regexp.MustCompile(`^[A-Z][\x20-\x21\x23-\x5B\x5D-\x7E]+\.$`)
	seen := map[string]bool{}
	for _, constant := range constants {
		r := Reason(constant[1])
		d, ok := reasons[r]
		if !ok || !sentence.MatchString(d.sentence) || seen[d.sentence] {
			t.Errorf("%s: %q", r, d.sentence)
		}
		seen[d.sentence] = true
	}
}

// A reason from elsewhere never lets anybody in, nor blames the client.
func TestUnknownReason(t *testing.T) {
	t.Parallel()
	if r := Reason("made_up"); r.Outcome() != OutcomeUnavailable || r.Description() != ReasonInternal.Description() {
		t.Errorf("%v, %q", r.Outcome(), r.Description())
	}
}
