package claims

import (
	"strings"
	"unicode"

	"github.com/authgear/authgear-sdk-go/core/internal/strictjson"
)

// text reads a string that has no control characters. In a header, a log line or a
// query such a string cannot become two.
func text(r *strictjson.Reader) string {
	s := r.String()
	checkText(r, s)
	return s
}

func checkText(r *strictjson.Reader, s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			if strings.ContainsFunc(s[i:], unicode.IsControl) { // C0, DEL and C1
				r.Fail("has a control character")
			}
			return
		}
	}
}

// texts reads an array of strings without control characters.
func (c *parsing) texts(r *strictjson.Reader) []string {
	start := len(c.lists)
	c.lists = r.AppendStrings(c.lists)
	for _, s := range c.lists[start:] {
		checkText(r, s)
	}
	return from(c.lists, start)
}

// audience reads a string or an array of strings (RFC 7519 §4.1.3).
func (c *parsing) audience(r *strictjson.Reader) []string {
	if r.IsArray() {
		return c.texts(r)
	}
	start := len(c.lists)
	c.lists = append(c.lists, text(r))
	return from(c.lists, start)
}

// scopes reads strings separated by spaces (RFC 8693 §4.2, RFC 6749 §3.3).
func (c *parsing) scopes(r *strictjson.Reader) []string {
	start := len(c.lists)
	c.lists = appendScopes(c.lists, text(r))
	return from(c.lists, start)
}
