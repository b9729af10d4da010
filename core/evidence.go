package authgear

import "time"

// Evidence is what is known of how an identity or an error was found. It is for
// guards, policies and operators, and not part of an identity's JSON form.
type Evidence struct {
	// Ambient is true when the credential was one that browsers send by
	// themselves, to whatever website asks them to (RFC 6265 §8.2). A guard
	// refuses such an identity where [http.CrossOriginProtection] finds another
	// website behind an unsafe request, and serves an optional route to such a
	// credential that is not valid: browsers send stale cookies unasked.
	Ambient bool
	// Cached is true when this was found for an earlier request: within
	// CacheTTL, or in an outage by StaleIfError.
	Cached bool
	// CheckedAt is when the token was verified, or when the question was sent
	// that Authgear has answered; zero when nobody knows, which is never recent.
	CheckedAt time.Time
	// ClearCookies are the Set-Cookie values with which Authgear takes a dead
	// session's cookie away. A guard adds them to the answer, before the handler
	// of an optional route runs.
	ClearCookies []string
}
