package authgear

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// cookiesOf yields the names and values of all cookies, verbatim. HTTP/2 clients may send
// several headers (RFC 9113 §8.2.3). The standard library is no help: it takes quotes
// off.
func cookiesOf(headers []string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, header := range headers {
			for pair := range strings.SplitSeq(header, ";") {
				name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
				if ok && !yield(name, value) {
					return
				}
			}
		}
	}
}

// findCookie returns the value of the first cookie with that name, and how many there
// are.
func findCookie(headers []string, name string) (value string, count int) {
	for n, v := range cookiesOf(headers) {
		if n != name {
			continue
		}
		if count == 0 {
			value = v
		}
		count++
	}
	return value, count
}

// tokenFromCookie returns the access token in the cookie with that name, "" when there is
// none. Every mistake counts as invalid (401), not as malformed (400): a browser cannot
// mend a 400.
func tokenFromCookie(headers []string, name string) (string, *Error) {
	token, count := findCookie(headers, name)
	fail := func(err error) (string, *Error) {
		return "", &Error{Reason: ReasonTokenMalformed, Err: fmt.Errorf("the token cookie: %w", err), Evidence: Evidence{Ambient: true}}
	}
	switch {
	case count > 1:
		return fail(fmt.Errorf("there are %d of that name", count))
	case token == "":
		return "", nil
	case len(token) > maxToken:
		return fail(fmt.Errorf("it has %d bytes, at most %d are accepted", len(token), maxToken))
	case !isB64Token(token):
		return fail(otherByte(token))
	}
	if err := checkPlaceholder(token); err != nil {
		return fail(err)
	}
	return token, nil
}

// sessionCookie returns the cookie of the first of these names that is present, even if
// its value is empty. When several cookies have that name, the first counts, as at
// Authgear.
func sessionCookie(headers, names []string) (credential, *Error) {
	for _, name := range names {
		value, count := findCookie(headers, name)
		if count == 0 {
			continue
		}
		c := credential{name: name, value: value, ambient: true, repeated: count > 1}
		var err error
		switch {
		case len(value) > maxSessionCookie:
			err = fmt.Errorf("it has %d bytes, at most %d are accepted; a cookie that holds an access token belongs in TokenCookie", len(value), maxSessionCookie)
		case !isCookieValue(value):
			err = errors.New("it has other bytes than cookie-octets (RFC 6265 §4.1.1)")
		}
		if err != nil {
			return c, &Error{Reason: ReasonSessionInvalid, Err: fmt.Errorf("the session cookie %q: %w", name, err), Evidence: Evidence{Ambient: true}}
		}
		return c, nil
	}
	return credential{}, nil
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

// checkCookieName accepts a token, which the name of a cookie has to be (RFC 6265
// §4.1.1).
func checkCookieName(name string) error {
	if token, rest := cutToken(name); token == "" || rest != "" {
		return fmt.Errorf("%q is not the name of a cookie", name)
	}
	return nil
}
