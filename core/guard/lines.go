package guard

import (
	"errors"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Line is one field line of a request.
type Line struct{ Name, Value string }

// RawRequest is implemented by the view of a request whose server, unlike
// net/http, lets control bytes and a second Host field through. They are
// refused here.
type RawRequest interface {
	authgear.Request
	// Lines returns all field lines as received.
	Lines() []Line
}

// checkLines refuses what two servers in a row could read differently
// (RFC 9112 §3.2 for Host, RFC 9110 §5.5 for control bytes).
func checkLines(r authgear.Request) error {
	raw, ok := r.(RawRequest)
	if !ok {
		return nil
	}
	hosts := 0
	for _, line := range raw.Lines() {
		if hasControl(line.Name) || hasControl(line.Value) {
			return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("a field has a control byte in its name or value")}
		}
		if strings.EqualFold(line.Name, "Host") {
			hosts++
		}
	}
	if hosts > 1 {
		return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("more than one Host field")}
	}
	return nil
}

func hasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}
