package session

import "strings"

// The fields by which Authgear's resolver, and a reverse proxy that copies them,
// says who sent a request.
const (
	fieldValid             = "X-Authgear-Session-Valid"
	fieldUserID            = "X-Authgear-User-Id"
	fieldAnonymous         = "X-Authgear-User-Anonymous"
	fieldVerified          = "X-Authgear-User-Verified"
	fieldCanReauthenticate = "X-Authgear-User-Can-Reauthenticate"
	fieldRoles             = "X-Authgear-User-Roles"
	fieldAMR               = "X-Authgear-Session-Amr"
	fieldAuthenticatedAt   = "X-Authgear-Session-Authenticated-At"
)

// userFields are the fields that describe a valid session.
var userFields = []string{
	fieldUserID, fieldAnonymous, fieldVerified, fieldCanReauthenticate,
	fieldRoles, fieldAMR, fieldAuthenticatedAt,
}

const (
	prefix = "x-authgear-"
	// signatureField signs a webhook's body; it states no identity.
	signatureField = "x-authgear-body-signature"
)

// IsHeader reports whether the field is one by which an identity can be stated,
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
	return !strings.EqualFold(name, signatureField)
}
