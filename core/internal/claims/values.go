package claims

import (
	"strings"
	"unicode"

	"github.com/authgear/authgear-sdk-go/core/internal/strictjson"
)

// text reads a string that is fit to be handed out: with no control character,
// it can go into a header, a log line or a query without becoming two.
func text(r *strictjson.Reader) string {
	s := r.String()
	checkText(r, s)
	return s
}

// texts reads an array of such strings.
func texts(r *strictjson.Reader) []string {
	list := r.Strings()
	for _, s := range list {
		checkText(r, s)
	}
	return list
}

func checkText(r *strictjson.Reader, s string) {
	for _, c := range s {
		if unicode.IsControl(c) { // C0, DEL and C1
			r.Fail("has a control character")
			return
		}
	}
}

// audience reads a string or an array of strings (RFC 7519 §4.1.3).
func audience(r *strictjson.Reader) []string {
	if r.IsArray() {
		return texts(r)
	}
	return []string{text(r)}
}

// scopes reads strings separated by spaces (RFC 8693 §4.2, RFC 6749 §3.3).
func scopes(r *strictjson.Reader) []string {
	s := text(r)
	if s == "" {
		return nil
	}
	list := make([]string, 0, 1+strings.Count(s, " "))
	for scope := range strings.SplitSeq(s, " ") {
		if scope != "" {
			list = append(list, scope)
		}
	}
	return list
}
