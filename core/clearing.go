package authgear

import (
	"net/http"
	"slices"
	"time"
)

// maxClearing is how many cookies one answer clears: each name for a few domains
// and paths.
const maxClearing = 8

// clearing returns those Set-Cookie lines, written anew, that take away a cookie
// which the client has sent. Others are not for it: Authgear sets some with each
// answer.
func clearing(lines []string, sent string) []string {
	var clear []string
	for _, line := range lines {
		cookie, err := http.ParseSetCookie(line)
		if err != nil || cookie.Value != "" || !isPast(cookie) {
			continue
		}
		for name := range splitCookies([]string{sent}) {
			if name != cookie.Name {
				continue
			}
			cookie.Quoted = false
			if line := cookie.String(); len(clear) < maxClearing && !slices.Contains(clear, line) {
				clear = append(clear, line)
			}
			break
		}
	}
	return clear
}

// isPast reports whether a browser drops the cookie at once. Max-Age goes before
// Expires (RFC 6265 §5.3), in which years before 1601 do not count (§5.1.1): one
// without a date is of the year 1.
func isPast(c *http.Cookie) bool {
	if c.MaxAge != 0 { // Max-Age=0 is read as -1
		return c.MaxAge < 0
	}
	return c.Expires.Year() >= 1601 && c.Expires.Before(time.Now())
}
