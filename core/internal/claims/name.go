package claims

import "time"

// name is the number of a claim that this SDK knows. A [Packed] holds these numbers.
type name byte

const (
	other name = iota
	iss
	sub
	clientID
	jti
	aud
	scope
	amr
	exp
	nbf
	iat
	authTime
	isAnonymous // this claim and all below are about a user
	isVerified
	canReauthenticate
	roles
)

// user is the prefix of Authgear's claims about a user.
const user = "https://authgear.com/claims/user/"

// names are the names of the claims in a token.
var names = [...]string{
	other: "", iss: "iss", sub: "sub", clientID: "client_id", jti: "jti", aud: "aud", scope: "scope", amr: "amr",
	exp: "exp", nbf: "nbf", iat: "iat", authTime: "auth_time",
	isAnonymous: user + "is_anonymous", isVerified: user + "is_verified",
	canReauthenticate: user + "can_reauthenticate", roles: user + "roles",
}

// nameOf matches exactly: "SUB" is another claim than "sub". A switch is faster than a map.
func nameOf(text string) name {
	switch text {
	case "iss":
		return iss
	case "sub":
		return sub
	case "client_id":
		return clientID
	case "jti":
		return jti
	case "aud":
		return aud
	case "scope":
		return scope
	case "amr":
		return amr
	case "exp":
		return exp
	case "nbf":
		return nbf
	case "iat":
		return iat
	case "auth_time":
		return authTime
	case user + "is_anonymous":
		return isAnonymous
	case user + "is_verified":
		return isVerified
	case user + "can_reauthenticate":
		return canReauthenticate
	case user + "roles":
		return roles
	}
	return other
}

// text returns the field of a claim that is a string.
func (c *Claims) text(n name) *string {
	switch n {
	case iss:
		return &c.Issuer
	case sub:
		return &c.Subject
	case clientID:
		return &c.ClientID
	default: // jti
		return &c.ID
	}
}

// date returns the field of a claim that is a time.
func (c *Claims) date(n name) *time.Time {
	switch n {
	case exp:
		return &c.ExpiresAt
	case nbf:
		return &c.NotBefore
	case iat:
		return &c.IssuedAt
	default: // authTime
		return &c.AuthTime
	}
}

// flag returns the field of a claim that is true or false.
func (c *Claims) flag(n name) *bool {
	switch n {
	case isAnonymous:
		return &c.Anonymous
	case isVerified:
		return &c.Verified
	default: // canReauthenticate
		return &c.CanReauthenticate
	}
}

// list returns the field of a claim that is an array of strings, or may be one.
func (c *Claims) list(n name) *[]string {
	switch n {
	case aud:
		return &c.Audience
	case amr:
		return &c.AMR
	default: // roles
		return &c.Roles
	}
}

// stated notes that the token has the claim.
func (c *Claims) stated(n name) {
	c.UserClaims = c.UserClaims || n >= isAnonymous
	c.CanReauthenticateStated = c.CanReauthenticateStated || n == canReauthenticate
}
