// Package endpoint brings a project's origin into one form, so that it can be compared
// as issuer, as audience and as the address of requests.
package endpoint

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// maxAdvice is the longest origin, in bytes, that an error text suggests. The text goes
// into a log, and the origin comes from the configuration.
const maxAdvice = 64

// Parse returns an origin in the form that Authgear uses for it in tokens: scheme
// and host in lower case, no default port, no trailing slash (RFC 6454 §6.2).
// Plain http is accepted for loopback addresses and localhost, or with insecureHTTP.
func Parse(raw string, insecureHTTP bool) (string, error) {
	if raw == "" {
		return "", errors.New("is empty; write the project's origin, such as https://myapp.authgear.cloud")
	}
	fail := func(what string) (string, error) { return "", fmt.Errorf("%s %s", Shown(raw), what) }

	if !strings.Contains(raw, "://") {
		return fail("has no scheme; write " + withScheme(raw))
	}
	u, err := url.Parse(raw)
	if err != nil {
		return fail("is not a URL; write scheme and host, such as https://myapp.authgear.cloud")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fail("is neither https nor http")
	case u.User != nil:
		return fail("has user information; write scheme and host only")
	case u.Path != "" && u.Path != "/" || strings.ContainsAny(raw, "?#"):
		what := "has a path, query or fragment; write scheme and host only"
		if origin := Of(u); origin != "" && len(origin) <= maxAdvice {
			what += ": " + origin
		}
		return fail(what)
	}
	origin, loopback, err := normal(u)
	if err != nil {
		return fail(err.Error())
	}
	if u.Scheme == "http" && !loopback && !insecureHTTP {
		return fail("is plain http to an address that is not loopback; use https, or set InsecureHTTP")
	}
	return origin, nil
}

// Shown quotes a URL that is refused, for an error text. It leaves out a password before
// the host, since that text goes into a log.
func Shown(raw string) string {
	if at := strings.LastIndexByte(raw, '@'); at >= 0 {
		raw = "***" + raw[at:]
	}
	return quote.Quote(raw)
}

// withScheme says what to write instead of an origin without "://".
func withScheme(raw string) string {
	host := strings.TrimPrefix(strings.TrimPrefix(raw, "https:"), "//")
	if !strings.Contains(host, "://") {
		if origin, err := Parse("https://"+host, false); err == nil && len(origin) <= maxAdvice {
			return origin
		}
	}
	return "https:// before the host"
}

// Of returns the origin of a URL in the form of [Parse]. It is "" when there is none.
func Of(u *url.URL) string {
	if u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	origin, _, err := normal(u)
	if err != nil {
		return ""
	}
	return origin
}

// normal puts scheme, host and port together. url.Parse has lower-cased the
// scheme.
func normal(u *url.URL) (origin string, loopback bool, err error) {
	host, port := u.Hostname(), u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return "", false, errors.New("has a colon without a port")
	}
	if address, err := netip.ParseAddr(host); err == nil && address.Zone() == "" {
		loopback = address.Unmap().IsLoopback()
		if host = address.String(); address.Is6() {
			host = "[" + host + "]"
		}
	} else if !isName(host) {
		return "", false, errors.New("has no usable host; a name is letters, digits, '-', '_' and '.', other scripts in Punycode")
	} else {
		host = strings.ToLower(host)                                            // after isName, since ToLower makes "k" of "\u212a"
		loopback = host == "localhost" || strings.HasSuffix(host, ".localhost") // RFC 6761 §6.3
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return "", false, errors.New("has a port that is not between 1 and 65535")
		}
		if u.Scheme == "https" && n == 443 || u.Scheme == "http" && n == 80 {
			port = ""
		} else {
			port = ":" + strconv.FormatUint(n, 10)
		}
	}
	return u.Scheme + "://" + host + port, loopback, nil
}

// isName reports whether the host has only the usual characters of a DNS name, and no
// empty labels.
func isName(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		if label == "" {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
