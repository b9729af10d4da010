package guard

import (
	"net/http"

	"github.com/authgear/authgear-sdk-go/core/internal/session"
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

// IsIdentityField reports whether the field is one by which a reverse proxy in
// front of a backend states an identity, in any spelling.
func IsIdentityField(name string) bool { return session.IsField(name) }
