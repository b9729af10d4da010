package authgear

import (
	"errors"
	"net/http"

	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

// ForwardIdentity is for a gateway in Go that authenticates requests and
// forwards them to services behind it. The services read the identity by
// [NewForwarded]. ForwardIdentity removes all X-Authgear-* headers from the
// request's header and states the identity there. It also states whether the
// identity came from a token, so that the gateway may remove the token. With a
// nil identity it states none. The secret is one of the services' Secrets, ""
// for none.
//
// The header must belong to the caller: clone the header of a request that came
// in. It is an error to forward a client, since services would take it for a
// user.
func ForwardIdentity(header http.Header, identity *Identity, secret string) error {
	for name := range header {
		if session.IsHeader(name) {
			delete(header, name)
		}
	}
	if identity != nil && identity.Kind != KindUser {
		return errors.New("authgear: ForwardIdentity: only users can be forwarded")
	}
	if secret != "" {
		header.Set(proxySecretHeader, secret)
	}
	if identity == nil {
		return nil
	}
	credential := sentToken
	if identity.Evidence.Ambient {
		credential = sentCookie
	}
	header.Set(credentialHeader, credential)
	session.Session{
		State:             session.Valid,
		UserID:            identity.ID,
		Anonymous:         identity.Anonymous,
		Verified:          identity.Verified,
		CanReauthenticate: identity.CanReauthenticate,
		Roles:             identity.Roles,
		AMR:               identity.AMR,
		AuthenticatedAt:   identity.AuthenticatedAt,
	}.Write(header.Set)
	return nil
}
