package guard

import (
	"strings"
	"testing"
)

// A control byte is found wherever it stands, and no other byte is one.
func TestHasControl(t *testing.T) {
	t.Parallel()
	for _, filler := range []string{" ", "\t", "~", "\x80", "\xff"} {
		for length := range 18 {
			for at := range length {
				for c := range 256 {
					s := strings.Repeat(filler, at) + string([]byte{byte(c)}) + strings.Repeat(filler, length-at-1)
					if got, want := hasControl(s), c < ' ' && c != '\t' || c == 0x7f; got != want {
						t.Fatalf("%q: %v", s, got)
					}
				}
			}
		}
	}
}
