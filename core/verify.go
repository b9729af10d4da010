package authgear

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/answers"
	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/keys"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// verify checks the cheap things first and the key last, so that foreign and
// expired tokens never cause a fetch.
func (j *JWT) verify(ctx context.Context, compact string) (*Identity, *Error) {
	if j.verified == nil {
		return j.verifyNew(ctx, compact, nil)
	}
	return j.verifyNamed(ctx, compact, tokenKey(compact))
}

// verifyNamed is verify for a caller that knows the key under which the token is kept.
func (j *JWT) verifyNamed(ctx context.Context, compact string, key answers.Key) (*Identity, *Error) {
	if j.verified == nil {
		return j.verifyNew(ctx, compact, nil)
	}
	if known := j.verified.find(key); known != nil {
		if identity, err, ok := j.verifyKnown(ctx, known); ok {
			return identity, err
		}
	}
	return j.verifyNew(ctx, compact, &key)
}

// verifyKnown does what is left to do for a token whose signature was verified. ok is
// false when that verification no longer counts.
func (j *JWT) verifyKnown(ctx context.Context, known *verifiedToken) (_ *Identity, _ *Error, ok bool) {
	now := time.Now()
	if now.UnixNano() < known.at { // the clock was set back
		return nil, nil, false
	}
	identity := &tokenIdentity{}
	c := known.payload.Claims(identity.lists[:0])
	kind, err := j.judge(&c, now)
	if err != nil {
		return nil, err, true
	}
	held, lookupErr := j.keys.Lookup(ctx, known.keyID, c.IssuedAt)
	if lookupErr != nil {
		return nil, keyError(lookupErr, known.keyID), true
	}
	if !slices.Contains(held.Keys(known.keyID), known.key) {
		return nil, nil, false
	}
	return identity.of(kind, &c, string(known.payload), now), nil, true
}

// verifyNew keeps a good token under the key, unless that is nil.
func (j *JWT) verifyNew(ctx context.Context, compact string, key *answers.Key) (*Identity, *Error) {
	identity := &tokenIdentity{}
	token, c, packed, err := j.parse(compact, identity.lists[:0])
	if err != nil {
		return nil, err
	}
	now := time.Now()
	kind, err := j.judge(&c, now)
	if err != nil {
		return nil, err
	}
	signedBy, err := j.checkSignature(ctx, &token, c.IssuedAt)
	if err != nil {
		return nil, err
	}
	if key != nil && packed != "" {
		j.verified.keep(*key, &verifiedToken{key: signedBy, keyID: token.KeyID, at: now.UnixNano(), payload: packed})
	}
	return identity.of(kind, &c, token.Payload, now), nil
}

// parse reads what a token says, and does not judge it. lists is the space for its lists.
func (j *JWT) parse(compact string, lists []string) (token jws.Token, c claims.Claims, packed claims.Packed, _ *Error) {
	token, err := j.parser.Parse(compact)
	if err != nil {
		return token, c, "", tokenError(compact, j.rules.Endpoint, err)
	}
	if j.verified == nil {
		c, err = claims.ParseInto(token.Payload, lists)
	} else {
		c, packed, err = claims.ParseAndPack(token.Payload, lists)
	}
	if err != nil {
		return token, c, "", &Error{Reason: ReasonClaimsInvalid, Err: err}
	}
	return token, c, packed, nil
}

// judge says whether the claims are good at this time, and whose they are. Everything
// that can change during a token's life is checked here.
func (j *JWT) judge(c *claims.Claims, now time.Time) (Kind, *Error) {
	kind := KindUser
	if judge.IsClient(c) {
		kind = KindClient
	}
	if err := j.rules.Issuer(c); err != nil {
		return "", &Error{Reason: ReasonIssuerMismatch, Err: err}
	}
	if err := j.rules.Subject(c); err != nil {
		return "", &Error{Reason: ReasonClaimsInvalid, Err: err}
	}
	if err := j.rules.Audience(c); err != nil {
		return "", &Error{Reason: ReasonAudienceMismatch, Err: err}
	}
	if err := j.rules.Client(c); err != nil {
		return "", &Error{Reason: ReasonClientNotAllowed, Err: err}
	}
	return kind, j.checkTimes(c, now)
}

// tokenIdentity is an identity with room for the lists of its token, seldom more: one
// allocation for both.
type tokenIdentity struct {
	Identity
	lists [12]string
}

func (i *tokenIdentity) of(kind Kind, c *claims.Claims, payload string, now time.Time) *Identity {
	i.Identity = Identity{
		Kind:              kind,
		ID:                c.Subject,
		ClientID:          c.ClientID,
		Anonymous:         c.Anonymous,
		Verified:          c.Verified,
		CanReauthenticate: c.CanReauthenticate,
		reauthUnstated:    !c.CanReauthenticateStated,
		Roles:             sortedUnique(c.Roles),
		Scopes:            c.Scopes,
		AMR:               c.AMR,
		AuthenticatedAt:   time.Unix(c.AuthTime.Unix(), 0).UTC(),
		ExpiresAt:         time.Unix(c.ExpiresAt.Unix(), 0).UTC(),
		Source:            SourceJWT,
		Evidence:          Evidence{CheckedAt: now},
		issuedAt:          c.IssuedAt,
		claims:            payload,
	}
	return &i.Identity
}

// tokenError names what is wrong with a token as a signed object.
func tokenError(compact, endpoint string, err error) *Error {
	if malformed := checkAlphabet(compact); malformed != nil { // which a Bearer token's reader leaves to this
		return malformed
	}
	switch {
	case isSessionValue(compact):
		return &Error{Reason: ReasonTokenMalformed, Err: errRefreshToken}
	case errors.Is(err, jws.ErrOpaque) && isOpaqueToken(compact):
		return &Error{Reason: ReasonTokenOpaque, Err: fmt.Errorf(`%w; turn on "Issue JWT as access token" for the client in the Authgear portal`, err)}
	default:
		return &Error{Reason: formReason(err), Err: formError(compact, endpoint, err)}
	}
}

// formReason is the reason for an error of [jws.Parser].
func formReason(err error) Reason {
	switch {
	case errors.Is(err, jws.ErrOpaque):
		return ReasonTokenOpaque
	case errors.Is(err, jws.ErrAlgorithm):
		return ReasonTokenAlgorithm
	case errors.Is(err, jws.ErrType):
		return ReasonTokenType
	default:
		return ReasonTokenMalformed
	}
}

// checkTimes judges by the clock alone.
func (j *JWT) checkTimes(c *claims.Claims, now time.Time) *Error {
	if err := j.rules.Expiry(c, now); err != nil {
		return &Error{Reason: ReasonTokenExpired, Err: err}
	}
	for _, from := range [...]time.Time{c.NotBefore, c.IssuedAt} {
		if err := j.rules.Start(from, now); err != nil {
			return &Error{Reason: ReasonTokenNotYetValid, Err: err}
		}
	}
	return nil
}

// checkSignature returns the key that has signed the token.
func (j *JWT) checkSignature(ctx context.Context, token *jws.Token, issuedAt time.Time) (*rsa.PublicKey, *Error) {
	held, err := j.keys.Lookup(ctx, token.KeyID, issuedAt)
	if err != nil {
		return nil, keyError(err, token.KeyID)
	}
	for _, key := range held.Keys(token.KeyID) {
		if err = token.Verify(key); err == nil {
			return key, nil
		}
	}
	return nil, &Error{Reason: ReasonSignatureInvalid, Err: err}
}

func keyError(err error, kid string) *Error {
	e := &Error{Reason: ReasonKeysUnavailable, Err: fmt.Errorf("kid %s: %w", quote.Quote(kid), err)}
	if errors.Is(err, keys.ErrUnknownKey) {
		e.Reason = ReasonKeyUnknown
	}
	if unavailable, ok := errors.AsType[*keys.UnavailableError](err); ok {
		e.RetryAfter = unavailable.RetryAfter
	}
	return e
}
