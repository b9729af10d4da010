package authgear_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// What a refusal means, and what the operator reads about it, depends on what
// was sent: the credential may say what Authgear does not.
func TestCredentialsRefused(t *testing.T) {
	t.Parallel()
	server := authgeartest.New(t, authgeartest.Config{Endpoint: "https://auth.example.com"})
	other := authgeartest.New(t)
	alice, bob := server.AddUser(authgeartest.User{}), other.AddUser(authgeartest.User{})
	ended := server.AccessToken(alice)
	server.RevokeSession(ended)
	const session, token = authgear.ReasonSessionInvalid, authgear.ReasonTokenRejected
	for _, c := range []struct {
		authorization, cookie string
		want                  authgear.Reason
		cause                 string
	}{
		{"Bearer " + server.OpaqueToken(alice)[1:] + "x", "", token, "opaque token has ended"},
		{"", "token=" + server.OpaqueToken(alice)[1:] + "x", token, "opaque token has ended"},
		{"Bearer YOUR_ACCESS_TOKEN", "", token, "something in place of one"},
		{"Bearer " + ended[:33], "", token, "a part of a token"},
		{"Bearer " + other.IDToken(bob, ""), "", token, "not at+jwt; the token's issuer is"},
		{"Bearer " + ended, "", token, "TRUST_PROXY=true"},
		{"Bearer " + other.AccessToken(bob), "", token, "the endpoint is https://auth.example.com"},
		{"Bearer " + server.IDToken(alice, ""), "", token, "an ID token is no access token"},
		{"Bearer " + server.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Minute}), "", token, "expired at"},
		{"Bearer " + server.ClientToken("m", "https://api.example.com"), "", token, "a client's own token"},
		{"Bearer " + recordedToken(t, "resolve-refresh-token-as-bearer"), "", token, "looks like a refresh token"},
		{"Bearer a.b.c", "", token, "malformed"},
		{"", "session=" + strings.Repeat("a", 8) + server.SessionCookie(alice).Value[8:], session, "has ended"},
		{"", "session=", session, "is empty"},
		{"", "session=" + ended[:1000], session, "TokenCookie"},
		{"", "session=s", session, "another form"},
	} {
		auth := newResolver(t, nil, authgear.ResolverConfig{Endpoint: "https://auth.example.com", InternalURL: server.URL(), TokenCookie: "token"})
		identity, err := auth.Authenticate(t.Context(), sent(one(c.authorization), one(c.cookie)))
		wantRefusal(t, identity, err, c.want, c.authorization == "")
		cause := errors.Unwrap(err)
		if cause == nil || !strings.Contains(cause.Error(), c.cause) || len(cause.Error()) > 300 {
			t.Errorf("%.20s%.20s: %v, want %q", c.authorization, c.cookie, cause, c.cause)
		}
	}
}
