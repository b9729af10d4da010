package authgear

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
)

// Kind says what an [Identity] is.
type Kind string

const (
	// KindUser is a user of the project, anonymous ones included.
	KindUser Kind = "user"
	// KindClient is a machine: an OAuth client that acts for itself
	// (client credentials grant, RFC 6749 §4.4).
	KindClient Kind = "client"
)

// Source says which authenticator found an [Identity].
type Source string

const (
	// SourceJWT is the JWT access token itself, verified by [JWT].
	SourceJWT Source = "jwt"
	// SourceResolver is the project's resolver, asked by [Resolver], or by [Hybrid]
	// about an opaque token or a session cookie.
	SourceResolver Source = "resolver"
	// SourceHybrid is a JWT access token and the resolver's answer about its session, found
	// by [Hybrid]. [Hybrid] states SourceJWT instead when the resolver was not asked: about
	// a client's own token, or in an outage.
	SourceHybrid Source = "hybrid"
	// SourceForwarded is a reverse proxy that asked the resolver, read by
	// [Forwarded].
	SourceForwarded Source = "forwarded"
)

// Identity is who sent a request, and what is known of it. Its JSON form leaves
// empty strings, lists and times out.
//
// Within one request the handler and the policies share an identity, so treat
// it as read-only there.
type Identity struct {
	// Kind is KindUser or KindClient.
	Kind Kind `json:"kind"`
	// ID is Authgear's user id. For a client it is the token's subject verbatim:
	// "client_id_" followed by the client id.
	ID string `json:"id"`
	// ClientID is the OAuth client that the token was issued to, "" when
	// unknown.
	ClientID string `json:"client_id,omitempty"`
	// Anonymous is true for an anonymous user, for a client, and when unknown.
	Anonymous bool `json:"anonymous"`
	// Verified is true when the user has a verified identity, by the project's
	// own criteria.
	Verified bool `json:"verified"`
	// CanReauthenticate is true when the user can be asked to sign in again
	// for a sensitive operation.
	CanReauthenticate bool `json:"can_reauthenticate"`
	// Roles holds the keys of the user's roles, including those through groups, sorted and
	// unique.
	Roles []string `json:"roles,omitempty"`
	// Scopes holds the scopes granted to the client (RFC 6749 §3.3).
	Scopes []string `json:"scopes,omitempty"`
	// AMR holds the authentication methods (RFC 8176). Authgear states them
	// only in the first token of a login: they are gone after a refresh.
	AMR []string `json:"amr,omitempty"`
	// AuthenticatedAt is when the user last proved who they are; a refresh does
	// not change it, a new ID token can (JWTConfig.IDTokenClients). UTC, whole
	// seconds; zero when unknown, which policies take for "never".
	AuthenticatedAt time.Time `json:"authenticated_at,omitzero"`
	// ExpiresAt is when the token ends. UTC, whole seconds; zero when unknown.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Source says how the identity was found out.
	Source Source `json:"source"`
	// Evidence says how the identity was found. It is not part of the JSON form.
	Evidence Evidence `json:"-"`

	issuedAt time.Time // of the token; zero when it does not tell
	claims   string    // the token's payload, verified, and packed when it was kept; "" for an identity not of a JWT
	// idTokenRefused is why the ID token that came beside the access token does not
	// count; nil when none came, or a good one. Its Err is about the ID token.
	idTokenRefused *Error
	// reauthUnstated: CanReauthenticate is false only because nobody has stated it.
	reauthUnstated bool
}

// clone returns an identity that belongs to somebody else. The claims and the
// refusal of an ID token are shared, since nobody changes them.
func (i *Identity) clone() *Identity {
	clone := *i
	clone.Roles, clone.Scopes, clone.AMR = slices.Clone(i.Roles), slices.Clone(i.Scopes), slices.Clone(i.AMR)
	clone.Evidence.ClearCookies = slices.Clone(i.Evidence.ClearCookies)
	return &clone
}

// sortedUnique is the form of Roles, whoever stated them. It reorders its
// argument.
func sortedUnique(roles []string) []string {
	slices.Sort(roles)
	return slices.Compact(roles)
}

// HasScope reports whether the identity was granted this scope.
func (i *Identity) HasScope(scope string) bool { return slices.Contains(i.Scopes, scope) }

// HasRole reports whether the identity has the role with this key.
func (i *Identity) HasRole(key string) bool { return slices.Contains(i.Roles, key) }

var errNoClaims = errors.New("authgear: this identity does not come from a JWT, so it has no claims")

// Claims decodes the claims of the access token into v, a pointer to a struct of yours or
// to a map. Member names match exactly, a duplicate is an error. Use it to read custom
// claims that a hook of your project adds.
//
// It returns an error for an identity that does not come from a JWT.
func (i *Identity) Claims(v any) error {
	if i.claims == "" {
		return errNoClaims
	}
	if err := json.Unmarshal([]byte(claims.Payload(i.claims)), v); err != nil {
		return fmt.Errorf("authgear: claims: %w", err)
	}
	return nil
}
