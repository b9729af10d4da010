package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/keys"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const wholeFix = "Give the token alone and whole: without a header's name, quotes or JSON around it. A session cookie is for -cookie, which is Config.Cookie."

// lookAtToken looks at all of an access token, also at what comes after the first
// mistake.
func (e *examination) lookAtToken(ctx context.Context, resolver *authgear.Resolver) {
	token := strings.TrimSpace(e.config.Token)
	if name, value, _ := strings.Cut(token, ":"); strings.EqualFold(name, "Authorization") { // a whole line
		token = strings.TrimSpace(value)
	}
	word, _, _ := strings.Cut(token, " ")
	withWord := strings.EqualFold(word, "Bearer")
	if withWord {
		var err error
		if token, err = authgear.ParseAuthorization(token); err != nil {
			e.refused("token", err)
			return
		}
	}
	err := e.verify(ctx, token)
	switch reason := reasonOf(err); reason {
	case authgear.ReasonTokenOpaque:
		if !errors.Is(err, jws.ErrOpaque) { // nor has it the form of Authgear's opaque tokens
			e.fail("token", reason, errors.Unwrap(err), wholeFix)
			return
		}
		if len(e.config.ClientIDs) > 0 { // then it is refused before anybody is asked
			_, err := e.hybrid.Verify(ctx, token)
			e.refused("token", err)
			e.last().Fix = `Turn on "Issue JWT as access token" for the client in the Authgear portal.`
		} else {
			e.fail("token", reason, errors.Unwrap(err), "")
			e.last().Status = StatusWarning
			e.last().Detail = "it is opaque, not a JWT: NewHybrid and NewResolver take it, NewJWT does not"
		}
		e.lookAtSession(ctx, resolver, token, false)
		return
	case authgear.ReasonTokenMalformed:
		e.refused("token", err)
		e.last().Fix = wholeFix
		return
	case authgear.ReasonNoCredentials, authgear.ReasonTokenTooLarge, authgear.ReasonTokenType, authgear.ReasonTokenAlgorithm:
		e.refused("token", err)
		return
	}
	e.ok("token", "a JWT of %d bytes", len(token))
	if withWord {
		e.last().Detail += `; the word "Bearer" before it was left out`
	}
	parsed, parseErr := new(jws.Parser).Parse(token)
	if parseErr != nil { // verify has parsed it
		e.fail("header", authgear.ReasonTokenMalformed, parseErr, "")
		return
	}
	e.ok("header", "alg RS256, typ at+jwt, kid %s", quote.Quote(parsed.KeyID)) // Parse accepts no other
	c, parseErr := claims.Parse(parsed.Payload)
	if parseErr != nil {
		e.fail("claims", authgear.ReasonClaimsInvalid, parseErr, "")
	} else {
		e.lookAtClaims(&c)
	}
	e.lookAtSignature(&parsed)
	e.decide(err)
	if parseErr == nil && judge.IsClient(&c) {
		e.skip("a machine's token, which the resolver never accepts; NewHybrid and NewJWT with Resources do", "session")
		return
	}
	e.lookAtSession(ctx, resolver, token, err == nil)
	if err != nil && e.last().Status == StatusFailed {
		e.last().Fix = "" // it stands above
	}
}

// verify returns what NewJWT finds. Without keys it asks nobody again.
func (e *examination) verify(ctx context.Context, token string) error {
	config := e.jwt
	if e.keys == nil {
		config.HTTPClient = &http.Client{Transport: nobody{}}
	}
	auth, err := authgear.NewJWT(config)
	if err == nil {
		_, err = auth.Verify(ctx, token)
	}
	return err
}

// nobody is a transport that fails each request.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("the keys could not be had before")
}

func reasonOf(err error) authgear.Reason {
	if err == nil {
		return ""
	}
	return authgear.AsError(err).Reason
}

// refused adds what an authenticator refuses with.
func (e *examination) refused(name string, err error) {
	found := authgear.AsError(err)
	e.fail(name, found.Reason, found.Err, "")
}

func (e *examination) decide(err error) {
	switch {
	case err == nil:
		e.ok("jwt", "NewJWT accepts it")
	case e.keys == nil && reasonOf(err) == authgear.ReasonKeysUnavailable:
		e.skip("nobody can tell without the keys", "jwt")
	case e.skipCut(reasonOf(err), "jwt"):
	default:
		e.refused("jwt", err)
		e.last().Detail = "NewJWT refuses it, and logs the reason " + string(reasonOf(err))
		e.last().Fix = ""
	}
}

// keysOf returns the published keys with this kid.
func (e *examination) keysOf(kid string) []keys.Key {
	return slices.DeleteFunc(slices.Clone(e.keys), func(k keys.Key) bool { return k.ID != kid })
}

func usable(k keys.Key) bool { return k.Err == nil }

// lookAtSignature looks for the key first, as the SDK does when all else is good.
func (e *examination) lookAtSignature(token *jws.Token) {
	same := e.keysOf(token.KeyID)
	kid := quote.Quote(token.KeyID)
	switch {
	case e.keys == nil:
		e.skip("it cannot be checked without the keys", "signature")
		return
	case len(same) == 0:
		e.fail("signature", authgear.ReasonKeyUnknown, fmt.Errorf("kid %s is none of the project's keys", kid), "")
		return
	case !slices.ContainsFunc(same, usable):
		e.fail("signature", authgear.ReasonKeyUnknown, fmt.Errorf("kid %s is a key of the project that is not used: %w", kid, same[0].Err), "Look at the signing keys of the project.")
		return
	}
	var err error
	for _, key := range same {
		if usable(key) {
			if err = token.Verify(key.Public); err == nil {
				e.ok("signature", "by a key of the project")
				return
			}
		}
	}
	e.fail("signature", authgear.ReasonSignatureInvalid, err, "")
}
