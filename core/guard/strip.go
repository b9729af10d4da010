package guard

import (
	"net/http"
	"strings"
)

// StripHTTP removes all identity fields from the header of a request, so that a
// handler never takes a client's word for an identity.
func StripHTTP(header http.Header) {
	for name := range header {
		if IsIdentityField(name) {
			delete(header, name)
		}
	}
}

const (
	identityPrefix = "x-authgear-"
	// signatureField signs a webhook's body; it states no identity.
	signatureField = "x-authgear-body-signature"
)

// IsIdentityField reports whether the field is one by which a reverse proxy in
// front of a backend states an identity, in any spelling: CGI, WSGI and other
// servers take "_" for "-", and some take "." too.
func IsIdentityField(name string) bool {
	if len(name) < len(identityPrefix) {
		return false
	}
	for i := range len(identityPrefix) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '_' || c == '.':
			c = '-'
		}
		if c != identityPrefix[i] {
			return false
		}
	}
	return !strings.EqualFold(name, signatureField)
}
