package authgear_test

import (
	"errors"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// When a cookie of Authgear's does not count, the cause of the refusal names it. The
// cause names no other cookie, and no value.
func TestNoCredentialsCause(t *testing.T) {
	t.Parallel()
	const value = "0b0e1a3c-6f0f-4a53-9a1b-6f1f6a1d2c3e.ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	jwt := newJWT(t, authgear.JWTConfig{Endpoint: "https://myapp.authgear.cloud"})
	resolver := asking(t, &stub{answer: good()}, authgear.ResolverConfig{})
	hybrid, err := authgear.NewHybrid(authgear.HybridConfig{Endpoint: "https://myapp.authgear.cloud"})
	if err != nil {
		t.Fatal(err)
	}
	forwarded := newForwarded(t, authgear.ForwardedConfig{Secrets: []string{proxySecret}})
	const proven = "X-Authgear-Proxy-Secret"
	header, _, _ := strings.Cut(golden(t, "token-jwt-alice").AccessToken.Raw, ".")
	for name, c := range map[string]struct {
		auth   authgear.Authenticator
		fields []string
		says   string // "": there is no cause
	}{
		"NewJWT":                         {jwt, []string{"Cookie", "a=b; session=" + value}, `the cookie "session" has the form of Authgear's session cookie, which NewJWT does not take; NewHybrid and`},
		"NewResolver":                    {resolver, []string{"Cookie", "a=b", "Cookie", "myapp_session=" + value}, `"myapp_session" has the form of Authgear's session cookie, but Cookies names ["session"] only`},
		"NewHybrid":                      {hybrid, []string{"Cookie", "myapp_session=" + value}, `add its name to Cookies`},
		"another cookie":                 {jwt, []string{"Cookie", "session=a; sid=" + value[:68] + "; x"}, ""},
		"a name that is no name":         {jwt, []string{"Cookie", strings.Repeat("\x1b", 99) + "=" + value}, `"…`},
		"a token in a cookie":            {resolver, []string{"Cookie", "a=eyJhbGciOiJSUzI1NiJ9.e30.c2ln; at=" + golden(t, "token-jwt-alice").AccessToken.Raw}, `the cookie "at" holds an access token; to let it count, set TokenCookie to this name`},
		"one that is too large":          {resolver, []string{"Cookie", "at=" + header + "." + strings.Repeat("A", 16<<10) + ".c2ln"}, ""},
		"another scheme":                 {hybrid, []string{"Authorization", "JWT eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}, `there is a token after another scheme than Bearer`},
		"two schemes":                    {jwt, []string{"Authorization", "Basic YTpi, Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}, `another scheme than Bearer`},
		"a password":                     {jwt, []string{"Authorization", "Basic YTpi"}, ""},
		"no cookie":                      {hybrid, nil, ""},
		"InOrder tells the first":        {authgear.InOrder(jwt, hybrid), []string{"Cookie", "myapp_session=" + value}, "NewJWT does not take"},
		"InOrder, the second only":       {authgear.InOrder(apiKeys{}, hybrid), []string{"Cookie", "myapp_session=" + value}, "add its name to Cookies"},
		"not through the proxy":          {forwarded, []string{"Cookie", "session=" + value}, "the X-Authgear-Proxy-Secret header is missing"},
		"not through the proxy, a token": {forwarded, []string{"Authorization", "Bearer abc"}, "the reverse proxy has to set it to one of Secrets"},
		"not through the proxy, nobody":  {forwarded, nil, ""},
		"by the proxy":                   {forwarded, []string{proven, proxySecret, "Cookie", "session=" + value}, "the reverse proxy has added no X-Authgear-* header"},
		"through the proxy, nobody":      {forwarded, []string{proven, proxySecret, "Cookie", "session=a"}, ""},
	} {
		_, err := c.auth.Authenticate(t.Context(), from("", c.fields...))
		wantReason(t, err, authgear.ReasonNoCredentials)
		cause := errors.Unwrap(err)
		switch {
		case c.says == "" && cause != nil, c.says != "" && cause == nil:
			t.Errorf("%s: the cause is %v, want %q", name, cause, c.says)
		case cause != nil && (!strings.Contains(cause.Error(), c.says) || strings.Contains(cause.Error(), value[:8]) || len(cause.Error()) > 400):
			t.Errorf("%s: the cause is %v, want %q", name, cause, c.says)
		}
	}
	_, err = forwarded.Authenticate(t.Context(), from("", proven, proxySecret, "Authorization", "Bearer abc"))
	wantReason(t, err, authgear.ReasonTokenRejected)
	if cause := errors.Unwrap(err); cause == nil || !strings.Contains(cause.Error(), "added no X-Authgear-* header") {
		t.Errorf("a token that the proxy says nothing of: %v", cause)
	}
}
