// Package quote makes text that a stranger chose safe for a log line.
package quote

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// limit, in bytes, is enough to recognize a value and too little to fill a log.
const limit = 64

// Quote returns s as a quoted Go string in ASCII, so that a control character, a line
// break or a direction mark cannot forge a second log line or hide a part of this one.
// It quotes the first 64 bytes of a longer text, or a little less so that no character is
// cut in two, and adds "…" after the closing quote.
func Quote(s string) string {
	if len(s) <= limit {
		return strconv.QuoteToASCII(s)
	}
	return strconv.QuoteToASCII(s[:cut(s)]) + "…"
}

// Printable replaces by U+FFFD the characters of s that a terminal may obey instead of
// showing them: direction marks, and control characters other than the line feed.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// cut returns the position to cut s at, which is longer than limit. It cuts text that is
// not UTF-8 at the limit.
func cut(s string) int {
	for n := limit; n > limit-utf8.UTFMax; n-- {
		if utf8.RuneStart(s[n]) {
			return n
		}
	}
	return limit
}
