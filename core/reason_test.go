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

// A reason that is not in the list lets nobody in, and does not blame the
// client.
func TestUnknownReason(t *testing.T) {
	t.Parallel()
	if r := Reason("made_up"); r.Outcome() != OutcomeUnavailable || r.Description() != ReasonInternal.Description() {
		t.Errorf("%v, %q", r.Outcome(), r.Description())
	}
}

// Each reason belongs to one outcome, which decides the answer.
func TestReasonOutcomes(t *testing.T) {
	t.Parallel()
	codes := map[Outcome][]Reason{
		OutcomeNoCredentials: {"no_credentials"},
		OutcomeMalformed:     {"request_malformed", "authorization_malformed", "token_too_large"},
		OutcomeInvalid: {
			"token_malformed", "token_opaque", "token_type", "token_algorithm", "claims_invalid", "issuer_mismatch", "audience_mismatch",
			"client_not_allowed", "token_expired", "token_not_yet_valid", "key_unknown", "signature_invalid", "token_rejected", "session_invalid",
		},
		OutcomeUnavailable: {"keys_unavailable", "resolver_unavailable", "resolver_silent", "answer_malformed", "proxy_secret_mismatch", "policy_unavailable", "internal"},
		OutcomeDenied:      {"role_missing", "not_verified", "anonymous_user", "kind_not_allowed", "insufficient_scope", "cannot_reauthenticate", "cross_origin", "policy_denied"},
		OutcomeStepUp:      {"insufficient_user_authentication"},
	}
	count := 0
	for outcome, list := range codes {
		for _, r := range list {
			count++
			if _, ok := reasons[r]; !ok || r.Outcome() != outcome || (&Error{Reason: r}).Outcome() != outcome {
				t.Errorf("%s is %v, want %v", r, r.Outcome(), outcome)
			}
		}
	}
	if count != len(reasons) {
		t.Errorf("%d reasons here, %d are defined", count, len(reasons))
	}
	// Nothing that is forgotten lets anybody in.
	if (&Error{}).Outcome() != OutcomeUnavailable || Outcome(0) != OutcomeUnavailable {
		t.Error("the zero values are not unavailable")
	}
}

func TestOutcomeNames(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[Outcome]string{
		OutcomeAuthenticated: "authenticated",
		OutcomeNoCredentials: "no_credentials",
		OutcomeInvalid:       "invalid",
		OutcomeMalformed:     "malformed",
		OutcomeUnavailable:   "unavailable",
		OutcomeDenied:        "denied",
		OutcomeStepUp:        "step_up",
		Outcome(200):         "unavailable",
	} {
		if got := outcome.String(); got != want {
			t.Errorf("%d is %q, want %q", outcome, got, want)
		}
	}
}
