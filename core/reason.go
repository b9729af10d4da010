package authgear

import "net/http"

// Outcome is the kind of result that a request has. Each has one HTTP answer.
type Outcome uint8

const (
	// OutcomeUnavailable means that nobody can tell now who sent the request
	// (503). It is the zero value, so that a mistake never lets anybody in.
	OutcomeUnavailable Outcome = iota
	// OutcomeAuthenticated means that the identity is known and allowed.
	OutcomeAuthenticated
	// OutcomeNoCredentials means that the request carries none (401).
	OutcomeNoCredentials
	// OutcomeInvalid means that the credentials are not, or no longer, good (401).
	OutcomeInvalid
	// OutcomeMalformed means that the request cannot be understood (400).
	OutcomeMalformed
	// OutcomeDenied means that a policy refuses a known identity (403).
	OutcomeDenied
	// OutcomeStepUp means that the user is known, but has to sign in again for
	// this request (401, RFC 9470).
	OutcomeStepUp
)

// outcomes has all that an outcome stands for: its name, and the answer to a
// request that it ends. The zero value is the answer when nobody can tell.
var outcomes = [...]struct {
	name      string
	status    int
	code      string // the answer's "error"; "": that of the reason
	challenge challengeKind
}{
	OutcomeUnavailable:   {"unavailable", http.StatusServiceUnavailable, "temporarily_unavailable", challengeNone},
	OutcomeAuthenticated: {name: "authenticated"},
	OutcomeNoCredentials: {"no_credentials", http.StatusUnauthorized, "authentication_required", challengePlain},
	OutcomeInvalid:       {"invalid", http.StatusUnauthorized, "invalid_token", challengeError},   // RFC 6750 §3.1
	OutcomeMalformed:     {"malformed", http.StatusBadRequest, "invalid_request", challengeError}, // RFC 6750 §3.1
	OutcomeDenied:        {"denied", http.StatusForbidden, "", challengeNone},
	OutcomeStepUp:        {"step_up", http.StatusUnauthorized, "", challengeStepUp}, // RFC 9470 §3
}

// challengeKind says what WWW-Authenticate an answer has.
type challengeKind uint8

const (
	challengeNone   challengeKind = iota
	challengePlain                // the scheme alone
	challengeError                // with the code and the sentence
	challengeStepUp               // and how old the login may be
)

// String returns the outcome as logs and metrics name it, such as
// "no_credentials".
func (o Outcome) String() string {
	if int(o) >= len(outcomes) {
		o = OutcomeUnavailable
	}
	return outcomes[o].name
}

// Reason is why a request is not allowed. The list is closed; docs/reasons.md
// has a section for each.
//
// [JWT] finds each reason in a token before it has found the signature good. So
// the reason proves nothing about the rest of the token.
type Reason string

// The reasons, by outcome.
const (
	// No credentials.
	ReasonNoCredentials Reason = "no_credentials"

	// Malformed.
	ReasonRequestMalformed       Reason = "request_malformed"
	ReasonAuthorizationMalformed Reason = "authorization_malformed"
	ReasonTokenTooLarge          Reason = "token_too_large"

	// Invalid.
	ReasonTokenMalformed   Reason = "token_malformed"
	ReasonTokenOpaque      Reason = "token_opaque"
	ReasonTokenType        Reason = "token_type"
	ReasonTokenAlgorithm   Reason = "token_algorithm"
	ReasonClaimsInvalid    Reason = "claims_invalid"
	ReasonIssuerMismatch   Reason = "issuer_mismatch"
	ReasonAudienceMismatch Reason = "audience_mismatch"
	ReasonClientNotAllowed Reason = "client_not_allowed"
	ReasonTokenExpired     Reason = "token_expired"
	ReasonTokenNotYetValid Reason = "token_not_yet_valid"
	ReasonKeyUnknown       Reason = "key_unknown"
	ReasonSignatureInvalid Reason = "signature_invalid"
	ReasonTokenRejected    Reason = "token_rejected"
	ReasonSessionInvalid   Reason = "session_invalid"

	// Unavailable.
	ReasonKeysUnavailable     Reason = "keys_unavailable"
	ReasonResolverUnavailable Reason = "resolver_unavailable"
	ReasonResolverSilent      Reason = "resolver_silent"
	ReasonAnswerMalformed     Reason = "answer_malformed"
	ReasonProxySecretMismatch Reason = "proxy_secret_mismatch"
	ReasonPolicyUnavailable   Reason = "policy_unavailable"
	ReasonInternal            Reason = "internal"

	// Denied.
	ReasonRoleMissing          Reason = "role_missing"
	ReasonNotVerified          Reason = "not_verified"
	ReasonAnonymousUser        Reason = "anonymous_user"
	ReasonKindNotAllowed       Reason = "kind_not_allowed"
	ReasonInsufficientScope    Reason = "insufficient_scope"
	ReasonCannotReauthenticate Reason = "cannot_reauthenticate"
	ReasonCrossOrigin          Reason = "cross_origin"
	ReasonPolicyDenied         Reason = "policy_denied"

	// Step-up.
	ReasonInsufficientUserAuthentication Reason = "insufficient_user_authentication"
)

// definition is all that a reason stands for. The sentence goes to the client
// and into a quoted string of WWW-Authenticate: ASCII without quotes and
// backslashes (RFC 6750 §3), and no detail of the token.
type definition struct {
	outcome  Outcome
	sentence string
	advice   string // what to do, for the operator
}

var reasons = map[Reason]definition{
	ReasonNoCredentials: {OutcomeNoCredentials, "This request needs an access token.", `Look at the cause, or let the client send its access token as "Authorization: Bearer TOKEN".`},

	ReasonRequestMalformed:       {OutcomeMalformed, "The request has malformed or repeated headers.", "Look at what the client, or a proxy before this service, sends."},
	ReasonAuthorizationMalformed: {OutcomeMalformed, "The Authorization header must be one Bearer scheme followed by one access token.", "Send one Authorization header: the word Bearer, a space, and the token."},
	ReasonTokenTooLarge:          {OutcomeMalformed, "The access token is too large.", "Put less into the token: a hook of the project may add claims."},

	ReasonTokenMalformed:   {OutcomeInvalid, "The access token is malformed.", "Look at how the client stores and sends the token."},
	ReasonTokenOpaque:      {OutcomeInvalid, "The access token is not a JSON Web Token.", `Turn on "Issue JWT as access token" for the client in the Authgear portal, or use NewHybrid or NewResolver; if it is no token of Authgear's, look at what the client sends.`},
	ReasonTokenType:        {OutcomeInvalid, "The token is not an access token.", "Send the access token, not the ID token, the refresh token or the token of another provider."},
	ReasonTokenAlgorithm:   {OutcomeInvalid, "The access token is signed with an algorithm that is not accepted.", "Send a token of Authgear: those are signed with RS256."},
	ReasonClaimsInvalid:    {OutcomeInvalid, "The access token has missing or malformed claims.", "Look at the hooks of the project that add claims, and at the claim that the cause names."},
	ReasonIssuerMismatch:   {OutcomeInvalid, "The access token was issued by somebody else.", "Set Endpoint to the project that the client signs in to, or to the project's custom domain."},
	ReasonAudienceMismatch: {OutcomeInvalid, "The access token is meant for somebody else.", "Set Endpoint to the project's public origin; for clients, Resources to the resource URI."},
	ReasonClientNotAllowed: {OutcomeInvalid, "The access token was issued to a client that is not accepted.", "Add the client id to ClientIDs, if its tokens are to be accepted."},
	ReasonTokenExpired:     {OutcomeInvalid, "The access token has expired.", "Let the client refresh its token; look at the clock of this machine."},
	ReasonTokenNotYetValid: {OutcomeInvalid, "The access token is not valid yet.", "Look at the clock of this machine."},
	ReasonKeyUnknown:       {OutcomeInvalid, "The access token is signed with an unknown key.", "Look at whether the token is of this project; if its key was removed, let the client refresh its token or sign in again."},
	ReasonSignatureInvalid: {OutcomeInvalid, "The signature of the access token is invalid.", "Look at whether something alters the token on its way."},
	ReasonTokenRejected:    {OutcomeInvalid, "The access token is not, or no longer, valid.", "Look at the cause; if the session has ended, let the client refresh its token or sign in again."},
	ReasonSessionInvalid:   {OutcomeInvalid, "The session is not, or no longer, valid.", "Look at the cause; if the session has ended, let the user sign in again."},

	ReasonKeysUnavailable:     {OutcomeUnavailable, "The access token cannot be checked now. Try again later.", "Look at whether this machine reaches Authgear at Endpoint, or InternalURL if that is set, and whether Endpoint is the project's public origin, as the Authgear portal shows it. If the cause is that Authgear does not answer with the token's key, wait a minute, since a new key may come late. If it does not come, let the client sign in again."},
	ReasonResolverUnavailable: {OutcomeUnavailable, "The session cannot be checked now. Try again later.", "Look at whether this machine reaches Authgear, at ResolverURL or InternalURL if that is set, and at the health of Authgear, its PostgreSQL and its Redis."},
	ReasonAnswerMalformed:     {OutcomeUnavailable, "The session cannot be checked now, since the answer about it is not understood.", "Look at what stands between this service and Authgear, and at the configuration of the proxy."},
	ReasonResolverSilent:      {OutcomeUnavailable, "The session cannot be checked now, since the answer about it is empty. Try again later.", "Look at the health of Authgear's database, and at the names in Cookies."},
	ReasonProxySecretMismatch: {OutcomeUnavailable, "The request cannot be trusted now. Try again later.", "Give this service the secret of the proxy, beside the old one."},
	ReasonPolicyUnavailable:   {OutcomeUnavailable, "This request cannot be decided now. Try again later.", "Look at the cause: what a policy of this service needs does not answer."},
	ReasonInternal:            {OutcomeUnavailable, "The request cannot be checked now. Try again later.", "Look at the cause: an authenticator or a policy of this service failed. To deny, a policy returns authgear.Deny."},

	ReasonRoleMissing:          {OutcomeDenied, "This request needs a role that the user does not have.", "Write the role's key at the route as the Authgear portal has it, or give the user the role; a JWT has it after a refresh, and NewForwarded reads roles only with TrustRoles."},
	ReasonNotVerified:          {OutcomeDenied, "This request needs a verified user.", "Let the user verify an identity."},
	ReasonAnonymousUser:        {OutcomeDenied, "This request needs a user who is not anonymous.", "Let the user sign up."},
	ReasonKindNotAllowed:       {OutcomeDenied, "This request is not allowed for this kind of sender.", "Name the kind at the route by Kinds, if it may come in."},
	ReasonInsufficientScope:    {OutcomeDenied, "This request needs a scope that the access token does not have.", "Give the client the scope in the Authgear portal, and let it ask for it; for users, allow a role beside the scope by Any."},
	ReasonCannotReauthenticate: {OutcomeDenied, "This request needs a recent login, and the user cannot sign in again.", "Use RecentAuthIfPossible, if users who cannot reauthenticate may go on, or let the user set up a password or another authenticator."},
	ReasonCrossOrigin:          {OutcomeDenied, "This request comes from another website, which is not trusted.", "Add the origin to TrustedOrigins, if it is one whose pages may use the session."},
	ReasonPolicyDenied:         {OutcomeDenied, "This request is not allowed.", "Look at the policy of the route."},

	ReasonInsufficientUserAuthentication: {OutcomeStepUp, "This request needs a more recent login.", "Let the client reauthenticate the user and try again; with NewJWT it then sends the new ID token in X-ID-Token, and IDTokenClients names its client."},
}

// Outcome returns the outcome that the reason belongs to: OutcomeUnavailable
// for a reason that is not in the list.
func (r Reason) Outcome() Outcome { return reasons[r].outcome }

// definition returns that of ReasonInternal for a reason that is not in the list.
func (r Reason) definition() definition {
	if d, ok := reasons[r]; ok {
		return d
	}
	return reasons[ReasonInternal]
}

// Description returns the reason's one sentence, safe to show to anybody; that
// of ReasonInternal for a reason that is not in the list.
func (r Reason) Description() string { return r.definition().sentence }
