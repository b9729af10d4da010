package guard

import (
	"errors"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// checkLines refuses what two servers in a row could read differently
// (RFC 9112 §3.2 for Host and §5.1 for spaces, RFC 9110 §5.5 for control bytes).
func checkLines(lines []Line) *authgear.Error {
	hosts := 0
	for _, line := range lines {
		if strings.ContainsAny(line.Name, " \t") {
			return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("a header has a space in its name, or before the colon")}
		}
		if hasControl(line.Name) || hasControl(line.Value) {
			return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("a header has a control byte in its name or value")}
		}
		if strings.EqualFold(line.Name, "Host") {
			hosts++
		}
	}
	if hosts > 1 {
		return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("there is more than one Host header")}
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
