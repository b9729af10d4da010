package authgear

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// maxSameCookie is how many cookies of one name are sent on: more than one is
// usual only where a path or domain was changed.
const maxSameCookie = 4

// splitCookies yields the name and value of each cookie, the value verbatim.
// HTTP/2 clients may send several lines (RFC 9113 §8.2.3). The standard library
// is no help: it takes quotes off.
func splitCookies(lines []string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, line := range lines {
			for pair := range strings.SplitSeq(line, ";") {
				name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
				if ok && !yield(name, value) {
					return
				}
			}
		}
	}
}

// tokenFromCookie returns the access token in the cookie with that name, "" when
// there is none. All that is wrong is invalid, not malformed: a browser cannot
// mend a 400.
func tokenFromCookie(lines []string, name string) (string, *Error) {
	token, count := "", 0
	for n, value := range splitCookies(lines) {
		if n == name {
			count++
			token = max(token, value) // whichever is not empty
		}
	}
	fail := func(err error) (string, *Error) {
		return "", &Error{Reason: ReasonTokenMalformed, Err: fmt.Errorf("the token cookie: %w", err), Evidence: Evidence{Ambient: true}}
	}
	switch {
	case token == "":
		return "", nil
	case count > 1:
		return fail(fmt.Errorf("there are %d of that name", count))
	case len(token) > maxCredential:
		return fail(fmt.Errorf("it has %d bytes, at most %d are accepted", len(token), maxCredential))
	case !isB64Token(token):
		return fail(errors.New("it is not a b64token (RFC 6750 §2.1)"))
	}
	return token, nil
}

// sessionCookies returns the cookies with these names as a line of their own,
// "" when there is none; an empty value is a cookie too. Each name may come more
// than once: Authgear takes the first.
func sessionCookies(lines, names []string) (string, *Error) {
	fail := func(err error) (string, *Error) {
		return "", &Error{Reason: ReasonSessionInvalid, Err: fmt.Errorf("the session cookies: %w", err), Evidence: Evidence{Ambient: true}}
	}
	var cookies strings.Builder
	counts := make([]int, len(names))
	for name, value := range splitCookies(lines) {
		i := slices.Index(names, name)
		if i < 0 {
			continue
		}
		if counts[i]++; counts[i] > maxSameCookie {
			return fail(fmt.Errorf("more than %d of one name", maxSameCookie))
		}
		if !isCookieValue(value) {
			return fail(errors.New("a value has other bytes than cookie-octets (RFC 6265 §4.1.1)"))
		}
		separator := ""
		if cookies.Len() > 0 {
			separator = "; "
		}
		if cookies.Len()+len(separator)+len(name)+len("=")+len(value) > maxCredential {
			return fail(fmt.Errorf("more than %d bytes", maxCredential))
		}
		cookies.WriteString(separator + name + "=" + value)
	}
	return cookies.String(), nil
}

// isCookieValue reports whether s consists of cookie-octets (RFC 6265 §4.1.1).
func isCookieValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\' {
			return false
		}
	}
	return true
}

// checkCookieName accepts tokens, which names of cookies are (RFC 6265 §4.1.1).
func checkCookieName(name string) error {
	if token, rest := cutToken(name); token == "" || rest != "" {
		return fmt.Errorf("%q is not the name of a cookie", name)
	}
	return nil
}
