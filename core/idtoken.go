package authgear

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// idTokenHeader carries the ID token of a user who has reauthenticated. Its name
// does not begin with X-Authgear-: guards and proxies remove such headers.
const idTokenHeader = "X-ID-Token"

var errNotWaiting = errors.New("its key is not there yet; it is being fetched")

// checkIDTokenClient accepts what can be a client id. The endpoint is the
// audience of access tokens, never of an ID token.
func checkIDTokenClient(client string) error {
	switch {
	case client == "":
		return errors.New("an empty client id")
	case strings.Contains(client, "://"):
		return fmt.Errorf("%s is a URI, no client id; write the client id of the application in the Authgear portal", quote.Quote(client))
	}
	return nil
}

// reauthenticate lets the request's ID token make a user's AuthenticatedAt
// newer (OpenID Connect Core 1.0 §2, auth_time). Without a good ID token the
// request still belongs to the user of its access token: browsers send an ID
// token with every request, long after it has expired. The reason why it does
// not count is kept for the policy that asks for reauthentication.
func (j *JWT) reauthenticate(ctx context.Context, r Request, identity *Identity) {
	values := r.Values(idTokenHeader)
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return
	}
	if !contextkey.IsFresh(ctx) {
		// Only the guard of a route that needs the ID token asks again, and waits
		// for its key if it is not there yet.
		waits, cancel := context.WithCancelCause(ctx)
		cancel(errNotWaiting)
		ctx = waits
	}
	at, err := j.idTokenTime(ctx, values, identity.ID)
	if err != nil {
		err.Err = fmt.Errorf("the ID token in %s: %w", idTokenHeader, err.Err)
		identity.idTokenRefused = err
		return
	}
	if at.After(identity.AuthenticatedAt) {
		identity.AuthenticatedAt = at
	}
}

// idTokenTime verifies the ID token of the user with this id (OpenID Connect
// Core 1.0 §3.1.3.7), and returns its auth_time. As with access tokens the cheap
// checks come first and the key last.
func (j *JWT) idTokenTime(ctx context.Context, values []string, user string) (time.Time, *Error) {
	if len(values) > 1 {
		return time.Time{}, &Error{Reason: ReasonRequestMalformed, Err: fmt.Errorf("the header came %d times; a repeated header is never resolved by taking one", len(values))}
	}
	compact := values[0]
	if len(compact) > maxToken {
		return time.Time{}, tooLarge(compact)
	}
	if err := checkPlaceholder(compact); err != nil {
		return time.Time{}, &Error{Reason: ReasonTokenMalformed, Err: err}
	}
	token, err := j.idTokenParser.Parse(compact)
	if err != nil {
		return time.Time{}, &Error{Reason: formReason(err), Err: err}
	}
	c, err := claims.Parse(token.Payload)
	if err != nil {
		return time.Time{}, &Error{Reason: ReasonClaimsInvalid, Err: err}
	}
	if err := j.judgeIDToken(&c, user, time.Now()); err != nil {
		return time.Time{}, err
	}
	if _, err := j.checkSignature(ctx, &token, c.IssuedAt); err != nil {
		return time.Time{}, err
	}
	return c.AuthTime.Truncate(time.Second), nil
}

// judgeIDToken says whether the claims of an ID token are good at this time, for
// this user. A user's access token has the same issuer and subject, so that only
// typ and aud tell them apart.
func (j *JWT) judgeIDToken(c *claims.Claims, user string, now time.Time) *Error {
	if err := j.rules.Issuer(c); err != nil {
		return &Error{Reason: ReasonIssuerMismatch, Err: err}
	}
	switch {
	case len(c.Audience) != 1 || !slices.Contains(j.idTokenClients, c.Audience[0]):
		return &Error{Reason: ReasonAudienceMismatch, Err: fmt.Errorf("its audience is %s, not one of IDTokenClients alone", judge.QuoteAll(c.Audience))}
	case c.Subject != user:
		return &Error{Reason: ReasonClaimsInvalid, Err: errors.New("sub is not the user of the access token")}
	case c.AuthTime.IsZero():
		return &Error{Reason: ReasonClaimsInvalid, Err: errors.New("auth_time is missing")}
	}
	return j.checkTimes(c, now)
}
