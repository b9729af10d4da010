package jws

import "errors"

// What can be wrong with a token. Parse and Verify wrap one of these with a
// detail for operators.
var (
	// ErrOpaque means one part only: not a JWT but an opaque token, as Authgear
	// issues them unless the client is set to issue JWTs.
	ErrOpaque = errors.New("token is opaque, not a JWT")
	// ErrMalformed means that the token is not in strict compact form.
	ErrMalformed = errors.New("token is malformed")
	// ErrAlgorithm means any other algorithm than RS256, or none.
	ErrAlgorithm = errors.New("token algorithm is not RS256")
	// ErrType means that the typ is not that of the tokens that are read: an ID
	// token is no access token, and the other way round.
	ErrType = errors.New("token is of another type")
	// ErrSignature means that the key did not sign this token.
	ErrSignature = errors.New("token signature is not valid")
)
