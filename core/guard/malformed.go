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
		if strings.IndexByte(line.Name, ' ') >= 0 || strings.IndexByte(line.Name, '\t') >= 0 {
			return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("a header has a space in its name, or before the colon")}
		}
		if hasControl(line.Name) || hasControl(line.Value) {
			return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("a header has a control byte in its name or value")}
		}
		if len(line.Name) == len("Host") && strings.EqualFold(line.Name, "Host") {
			hosts++
		}
	}
	if hosts > 1 {
		return &authgear.Error{Reason: authgear.ReasonRequestMalformed, Err: errors.New("there is more than one Host header")}
	}
	return nil
}

// hasControl looks at eight bytes at a time, since it goes through the whole header.
func hasControl(s string) bool {
	const ones = 0x0101010101010101
	for len(s) >= 8 {
		b := s[:8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		// Where no byte has its highest bit, one above '~' sets it by the addition, and
		// one below ' ' by the subtraction.
		if (x|(x+ones)|(x-ones*' '))&(ones*0x80) != 0 && hasControlByte(b) {
			return true
		}
		s = s[8:]
	}
	return hasControlByte(s)
}

func hasControlByte(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}
