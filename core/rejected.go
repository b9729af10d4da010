package authgear

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
)

// refused is the answer about a credential that is not good.
func (r *Resolver) refused(c credential, clearCookies []string) answer {
	if c.token != "" {
		return answer{err: &Error{Reason: ReasonTokenRejected, Err: r.whyRejected(c)}}
	}
	return answer{err: &Error{Reason: ReasonSessionInvalid, Err: whyInvalid(c), Evidence: Evidence{ClearCookies: clearCookies}}}
}

var errRefreshToken = errors.New("it looks like a refresh token; clients send their access token")

// whyRejected says what can be seen in a token that Authgear does not accept, since
// Authgear gives no reason. Nothing in such a token is proven, unless NewHybrid has
// verified it.
func (r *Resolver) whyRejected(rejected credential) error {
	token := rejected.token
	if isSessionValue(token) {
		return errRefreshToken
	}
	parsed, err := r.parser.Parse(token)
	switch {
	case isOpaqueToken(token):
		return errors.New("the session of this opaque token has ended, or is of another project")
	case err != nil:
		return formError(token, r.endpoint, err)
	}
	c, err := claims.Parse(parsed.Payload)
	rules := judge.Rules{Endpoint: r.endpoint}
	switch {
	case err != nil:
		return err
	case rules.Issuer(&c) != nil:
		return fmt.Errorf("%w; set Endpoint to the project that the client signs in to", rules.Issuer(&c))
	case judge.IsClient(&c):
		return errors.New("it is a client's own token, which Authgear's resolver never accepts; use NewHybrid or NewJWT with Resources")
	case rules.Expiry(&c, time.Now()) != nil: // Authgear has no leeway
		return rules.Expiry(&c, time.Now())
	}
	why := "its session has ended, or its user is disabled"
	if rejected.user == "" {
		why += ", or its key was removed (as when a development Authgear starts again), or something has altered the token"
	}
	if r.internal {
		why += "; if each JWT is refused, Authgear does not know by which origin it is asked: set its TRUST_PROXY=true, since it is asked at an internal address"
	}
	return errors.New(why)
}

// formError adds to an error of [jws.Parser] what else can be seen: a placeholder that
// the client sent, or a token of another provider. Most other providers use the type JWT.
func formError(token, endpoint string, err error) error {
	if errors.Is(err, jws.ErrOpaque) {
		return errors.New("it is no JWT, and no opaque token of Authgear, which is 32 letters and digits: the client sends a part of a token, or something in place of one")
	}
	if !errors.Is(err, jws.ErrType) {
		return err
	}
	if parsed, parseErr := (&jws.Parser{Type: jws.IDToken}).Parse(token); parseErr == nil {
		if c, parseErr := claims.Parse(parsed.Payload); parseErr == nil {
			if issuerErr := (&judge.Rules{Endpoint: endpoint}).Issuer(&c); issuerErr != nil {
				return fmt.Errorf("%w; %w", err, issuerErr)
			}
		}
	}
	return fmt.Errorf("%w; an ID token is no access token", err)
}

// isOpaqueToken reports whether s has the form of Authgear's opaque access tokens.
func isOpaqueToken(s string) bool {
	return len(s) == 32 && strings.IndexFunc(s, func(r rune) bool { return r > 0x7f || !isAlphanumeric(byte(r)) }) < 0
}

// whyInvalid says what can be seen of a session cookie that Authgear does not
// accept.
func whyInvalid(c credential) error {
	switch {
	case c.value == "":
		return fmt.Errorf("the cookie %q is empty", c.name)
	case strings.HasPrefix(c.value, jwtBegins):
		return fmt.Errorf("the cookie %q holds a token; TokenCookie is for such a cookie", c.name)
	case !isSessionValue(c.value):
		return fmt.Errorf("the cookie %q has another form than Authgear's", c.name)
	default:
		return fmt.Errorf("the session of the cookie %q has ended, or is of another project", c.name)
	}
}

// isSessionValue reports whether s has the form of a session cookie's value and
// of a refresh token: a UUID, a dot and 32 letters and digits.
func isSessionValue(s string) bool {
	id, secret, ok := strings.Cut(s, ".")
	return ok && len(id) == 36 && strings.Count(id, "-") == 4 && len(secret) == 32 && !strings.Contains(secret, ".")
}
