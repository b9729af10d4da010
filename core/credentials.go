package authgear

import (
	"fmt"
	"slices"
)

// maxCredential is the longest access token that is looked at, and the most
// bytes of session cookies. Authgear's own tokens are about one kilobyte; custom
// claims make them longer.
const maxCredential = 16 << 10

// credentials is what a request carries to say who sent it, read once and
// understood the same way by every authenticator. Never more than one of the
// two is there: no credential rescues another, and Authgear, given both, would
// take a cookie when the token is not good.
type credentials struct {
	token  string // an access token
	cookie string // session cookies as they go to Authgear, "name=value; name=value"
	// byBrowser: browsers send this by themselves, it came in cookies.
	byBrowser bool
}

// credentialReader knows which cookies count; without any, only Authorization
// does.
type credentialReader struct {
	tokenCookie string
	sessions    []string
}

// newCredentialReader checks the names of the cookies.
func newCredentialReader(tokenCookie string, sessions []string, errs *configErrors) credentialReader {
	for i, name := range sessions {
		errs.add("Cookies", checkCookieName(name))
		if slices.Contains(sessions[:i], name) {
			errs.add("Cookies", fmt.Errorf("%q stands there twice", name))
		}
	}
	if tokenCookie != "" {
		errs.add("TokenCookie", checkCookieName(tokenCookie))
		if slices.Contains(sessions, tokenCookie) {
			errs.add("TokenCookie", fmt.Errorf("%q is a session cookie too", tokenCookie))
		}
	}
	return credentialReader{tokenCookie: tokenCookie, sessions: slices.Clone(sessions)}
}

// read returns the first credential of Authorization, token cookie and session
// cookies that is present; it alone decides.
func (c credentialReader) read(r Request) (credentials, *Error) {
	token, err := bearerToken(r.Values("Authorization"))
	if token != "" || err != nil || c.tokenCookie == "" && len(c.sessions) == 0 {
		return credentials{token: token}, err
	}
	lines := r.Values("Cookie")
	if len(lines) == 0 {
		return credentials{}, nil
	}
	if c.tokenCookie != "" {
		if token, err = tokenFromCookie(lines, c.tokenCookie); token != "" || err != nil {
			return credentials{token: token, byBrowser: true}, err
		}
	}
	cookie, err := sessionCookies(lines, c.sessions)
	return credentials{cookie: cookie, byBrowser: cookie != ""}, err
}
