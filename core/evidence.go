package authgear

import "time"

// Evidence is what is known of how an identity or an error was found. It is for
// guards, policies and operators, and not part of an identity's JSON form.
type Evidence struct {
	// Ambient is true when the credential was one that browsers send by
	// themselves, to whatever website asks them to (RFC 6265 §8.2). A guard
	// refuses such an identity when [http.CrossOriginProtection] finds that
	// another website made the browser send an unsafe request. A guard serves an
	// optional route even if such a credential is not valid: browsers send stale
	// cookies unasked.
	Ambient bool
	// Cached is true when this was found for an earlier request: within
	// CacheTTL, or in an outage by StaleIfError.
	Cached bool
	// CheckedAt is when the token was verified, or when the question that Authgear
	// has answered was sent. Zero means unknown, which is never recent.
	CheckedAt time.Time
	// ClearCookies are the Set-Cookie values by which Authgear removes the cookie
	// of a dead session. A guard adds them to the answer, before the handler of an
	// optional route runs.
	ClearCookies []string
}
