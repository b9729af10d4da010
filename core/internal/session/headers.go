package session

import "strings"

// The headers by which Authgear's resolver, and a reverse proxy that copies them,
// says who sent a request.
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
	// signatureHeader signs a webhook's body; it states no identity.
	signatureHeader = "x-authgear-body-signature"
)

// IsHeader reports whether the header is one by which an identity can be stated,
// in any spelling: CGI, WSGI and other servers take "_" for "-", and some take
// "." too.
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
