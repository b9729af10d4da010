package guard

import (
	"errors"
	"iter"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// RawRequest is implemented by the view of a request whose server, unlike
// net/http, lets control bytes and a second Host field through. They are
// refused here.
type RawRequest interface {
	authgear.Request
	// Lines yields all field lines as received, name and value.
	Lines() iter.Seq2[string, string]
}

// checkLines refuses what two servers in a row could read differently
// (RFC 9112 §3.2 for Host, RFC 9110 §5.5 for control bytes).
func checkLines(r authgear.Request) error {
	raw, ok := r.(RawRequest)
	if !ok {
		return nil
	}
	hosts := 0
	for name, value := range raw.Lines() {
		if strings.ContainsFunc(name, isControl) || strings.ContainsFunc(value, isControl) {
			return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("a field has a control byte in its name or value")}
		}
		if strings.EqualFold(name, "Host") {
			hosts++
		}
	}
	if hosts > 1 {
		return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("more than one Host field")}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
