package authgear

import (
	"net/http"
	"slices"
	"time"
)

// maxClearing is how many Set-Cookie headers of one answer are passed on at
// most: enough for a few domains and paths.
const maxClearing = 8

// clearing returns those Set-Cookie headers, written anew, that take away the
// cookie with that name. Others are not for the client: Authgear sets some with
// each answer.
func clearing(headers []string, name string) []string {
	var clear []string
	for _, header := range headers {
		cookie, err := http.ParseSetCookie(header)
		if err != nil || cookie.Name != name || cookie.Value != "" || !isPast(cookie) {
			continue
		}
		cookie.Quoted = false
		if header := cookie.String(); len(clear) < maxClearing && !slices.Contains(clear, header) {
			clear = append(clear, header)
		}
	}
	return clear
}

// isPast reports whether a browser drops the cookie at once. Max-Age goes
// before Expires (RFC 6265 §5.3). Years before 1601 do not count in Expires
// (§5.1.1); a cookie without a date has the year 1 here.
func isPast(c *http.Cookie) bool {
	if c.MaxAge != 0 { // Max-Age=0 is read as -1
		return c.MaxAge < 0
	}
	return c.Expires.Year() >= 1601 && c.Expires.Before(time.Now())
}
