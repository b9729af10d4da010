package jws

import "errors"

// These errors say what can be wrong with a token. Parse and Verify wrap one of them
// and add a detail for operators.
var (
	// ErrOpaque means that the token has one part only: it is not a JWT but an opaque
	// token. Authgear issues these unless the client is set to issue JWTs.
	ErrOpaque = errors.New("token is opaque, not a JWT")
	// ErrMalformed means that the token is not in strict compact form.
	ErrMalformed = errors.New("token is malformed")
	// ErrAlgorithm means that the algorithm is not RS256, or is absent.
	ErrAlgorithm = errors.New("token algorithm is not RS256")
	// ErrType means that the typ is not that of the parser's tokens: an ID token does
	// not count as an access token, nor an access token as an ID token.
	ErrType = errors.New("token is of another type")
	// ErrSignature means that this key did not sign the token.
	ErrSignature = errors.New("token signature is not valid")
)
