package authgear

import (
	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

// newSessionIdentity makes an identity of a valid session.
func newSessionIdentity(s session.Session, source Source, evidence Evidence) *Identity {
	return &Identity{
		Kind:              KindUser, // the resolver accepts no client
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
