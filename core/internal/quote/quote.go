// Package quote makes text that a stranger chose fit for a log line.
package quote

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// limit is enough to recognize a value and too little to fill a log with.
const limit = 64

// Quote returns s as a quoted Go string in ASCII: a control character, a line
// break or a direction mark cannot forge a second log line or hide a part of
// this one. Of a longer text it quotes the first 64 bytes, or a little less so
// that no character is cut in two, and marks the cut by "…" after the quote.
func Quote(s string) string {
	if len(s) <= limit {
		return strconv.QuoteToASCII(s)
	}
	return strconv.QuoteToASCII(s[:cut(s)]) + "…"
}

// Printable returns s with U+FFFD in place of what a terminal may obey instead of showing
// it: control characters other than the line feed, direction marks.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// cut returns where to cut s, which is longer than limit. Text that is not
// UTF-8 is cut at the limit itself.
func cut(s string) int {
	for n := limit; n > limit-utf8.UTFMax; n-- {
		if utf8.RuneStart(s[n]) {
			return n
		}
	}
	return limit
}
