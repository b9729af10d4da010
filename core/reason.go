package authgear

// Outcome is the kind of result that a request has. Each has one HTTP answer.
type Outcome uint8

const (
	// OutcomeUnavailable means that nobody can tell now who sent the request
	// (503). It is the zero value, so that a mistake never lets anybody in.
	OutcomeUnavailable Outcome = iota
	// OutcomeAuthenticated means that the identity is known and may go on.
	OutcomeAuthenticated
	// OutcomeNoCredentials means that the request carries none (401).
	OutcomeNoCredentials
	// OutcomeInvalid means that the credentials are not, or no longer, good (401).
	OutcomeInvalid
	// OutcomeMalformed means that the request cannot be understood (400).
	OutcomeMalformed
	// OutcomeDenied means that a policy refuses a known identity (403).
	OutcomeDenied
)

// String returns the outcome as logs and metrics name it, such as
// "no_credentials".
func (o Outcome) String() string {
	switch o {
	case OutcomeAuthenticated:
		return "authenticated"
	case OutcomeNoCredentials:
		return "no_credentials"
	case OutcomeInvalid:
		return "invalid"
	case OutcomeMalformed:
		return "malformed"
	case OutcomeDenied:
		return "denied"
	default:
		return "unavailable"
	}
}

// Reason is why a request does not go on. The list is closed; docs/reasons.md
// has a section for each.
//
// Of the reasons that [JWT] finds in a token, every one but
// ReasonSignatureInvalid is found before its signature was checked, and proves
// nothing about the rest of it.
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
	ReasonAnswerMalformed     Reason = "answer_malformed"
	ReasonInternal            Reason = "internal"

	// Denied.
	ReasonRoleMissing   Reason = "role_missing"
	ReasonNotVerified   Reason = "not_verified"
	ReasonAnonymousUser Reason = "anonymous_user"
	ReasonCrossOrigin   Reason = "cross_origin"
	ReasonPolicyDenied  Reason = "policy_denied"
)

// definition is all that a reason stands for. The sentence goes to the client
// and into a quoted string of WWW-Authenticate: ASCII without quotes and
// backslashes (RFC 6750 §3), and no detail of the token.
type definition struct {
	outcome  Outcome
	sentence string
}

var reasons = map[Reason]definition{
	ReasonNoCredentials: {OutcomeNoCredentials, "This request needs an access token."},

	ReasonRequestMalformed:       {OutcomeMalformed, "The request has malformed or repeated fields."},
	ReasonAuthorizationMalformed: {OutcomeMalformed, "The Authorization field must be one Bearer scheme followed by one access token."},
	ReasonTokenTooLarge:          {OutcomeMalformed, "The access token is too large."},

	ReasonTokenMalformed:   {OutcomeInvalid, "The access token is malformed."},
	ReasonTokenOpaque:      {OutcomeInvalid, "The access token is not a JSON Web Token."},
	ReasonTokenType:        {OutcomeInvalid, "The token is not an access token."},
	ReasonTokenAlgorithm:   {OutcomeInvalid, "The access token is signed with an algorithm that is not accepted."},
	ReasonClaimsInvalid:    {OutcomeInvalid, "The access token has missing or malformed claims."},
	ReasonIssuerMismatch:   {OutcomeInvalid, "The access token was issued by somebody else."},
	ReasonAudienceMismatch: {OutcomeInvalid, "The access token is meant for somebody else."},
	ReasonClientNotAllowed: {OutcomeInvalid, "The access token was issued to a client that is not accepted."},
	ReasonTokenExpired:     {OutcomeInvalid, "The access token has expired."},
	ReasonTokenNotYetValid: {OutcomeInvalid, "The access token is not valid yet."},
	ReasonKeyUnknown:       {OutcomeInvalid, "The access token is signed with an unknown key."},
	ReasonSignatureInvalid: {OutcomeInvalid, "The signature of the access token is invalid."},
	ReasonTokenRejected:    {OutcomeInvalid, "The access token is not, or no longer, valid."},
	ReasonSessionInvalid:   {OutcomeInvalid, "The session is not, or no longer, valid."},

	ReasonKeysUnavailable:     {OutcomeUnavailable, "The access token cannot be checked now. Try again later."},
	ReasonResolverUnavailable: {OutcomeUnavailable, "The session cannot be checked now. Try again later."},
	ReasonAnswerMalformed:     {OutcomeUnavailable, "The session cannot be checked now, since the answer about it is not understood."},
	ReasonInternal:            {OutcomeUnavailable, "The request cannot be authenticated now. Try again later."},

	ReasonRoleMissing:   {OutcomeDenied, "This request needs a role that the user does not have."},
	ReasonNotVerified:   {OutcomeDenied, "This request needs a verified user."},
	ReasonAnonymousUser: {OutcomeDenied, "This request needs a user who is not anonymous."},
	ReasonCrossOrigin:   {OutcomeDenied, "This request comes from another website, which is not trusted."},
	ReasonPolicyDenied:  {OutcomeDenied, "This request is not allowed."},
}

// Outcome returns the outcome that the reason belongs to: OutcomeUnavailable
// for a reason that is not in the list.
func (r Reason) Outcome() Outcome { return reasons[r].outcome }

// Description returns the reason's one sentence, safe to show to anybody; that
// of ReasonInternal for a reason that is not in the list.
func (r Reason) Description() string {
	if d, ok := reasons[r]; ok {
		return d.sentence
	}
	return reasons[ReasonInternal].sentence
}
