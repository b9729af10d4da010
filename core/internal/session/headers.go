package session

import "strings"

// These headers say who sent a request. Authgear's resolver sets them, and a reverse
// proxy copies them.
const (
	headerValid             = "X-Authgear-Session-Valid"
	headerUserID            = "X-Authgear-User-Id"
	headerAnonymous         = "X-Authgear-User-Anonymous"
	headerVerified          = "X-Authgear-User-Verified"
	headerCanReauthenticate = "X-Authgear-User-Can-Reauthenticate"
	headerRoles             = "X-Authgear-User-Roles"
	headerAMR               = "X-Authgear-Session-Amr"
	headerAuthenticatedAt   = "X-Authgear-Session-Authenticated-At"
)

// userFields are the headers that describe a valid session.
var userFields = []string{
	headerUserID, headerAnonymous, headerVerified, headerCanReauthenticate,
	headerRoles, headerAMR, headerAuthenticatedAt,
}

const (
	prefix = "x-authgear-"
	// signatureHeader has the signature of a webhook's body. It does not state an identity.
	signatureHeader = "x-authgear-body-signature"
)

// IsHeader reports whether the header can state an identity. It accepts every spelling:
// CGI, WSGI and other servers read "_" as "-", and some read "." as "-" too.
func IsHeader(name string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '_' || c == '.':
			c = '-'
		}
		if c != prefix[i] {
			return false
		}
	}
	return !strings.EqualFold(name, signatureHeader)
}
