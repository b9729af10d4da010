package authgear

import (
	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

// newSessionIdentity makes an identity of a valid session.
func newSessionIdentity(s session.Session, source Source, evidence Evidence) *Identity {
	return &Identity{
		Kind:              KindUser, // the resolver accepts no machine
		ID:                s.UserID,
		Anonymous:         s.Anonymous,
		Verified:          s.Verified,
		CanReauthenticate: s.CanReauthenticate,
		Roles:             sortedUnique(s.Roles),
		AMR:               s.AMR,
		AuthenticatedAt:   s.AuthenticatedAt,
		Source:            source,
		Evidence:          evidence,
	}
}

// refusalOf returns what it means that a session is not valid. Authgear says so of
// a cookie; of a token that it does not accept it says nothing at all, as of a
// request without credentials.
func refusalOf(s session.Session, c credentials) *Error {
	switch {
	case c.token != "":
		return &Error{Reason: ReasonTokenRejected, Evidence: Evidence{Ambient: c.byBrowser}}
	case s.State == session.Refused:
		return &Error{Reason: ReasonSessionInvalid, Evidence: Evidence{Ambient: true}}
	default:
		return &Error{Reason: ReasonNoCredentials}
	}
}
