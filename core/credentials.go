package authgear

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

const (
	// maxToken is the longest access token that is looked at. Authgear's own have
	// about one kilobyte; custom claims make them longer.
	maxToken = 16 << 10
	// maxSessionCookie is the longest session cookie. Authgear's has 73 bytes.
	maxSessionCookie = 1 << 10
)

// credential is what a request carries to say who sent it. It is read once, and every
// authenticator understands it in the same way. There is never more than one: no
// credential rescues another. (Authgear, given two, takes whichever is good.)
type credential struct {
	token string // an access token, or else
	// the session cookie that decides. Its name is "" when there is neither.
	name, value string
	// ambient: browsers send it by themselves, it came in a cookie.
	ambient bool
	// repeated: there is another session cookie of this name.
	repeated bool
	// user is the user of a JWT whose signature is verified, else "". issuedAt is when that
	// JWT was issued.
	user     string
	issuedAt time.Time
}

func (c credential) isNone() bool { return c.token == "" && c.name == "" }

// key names the credential by a hash, so that no credential is kept. A token and a cookie
// never have the same key, nor have two cookies: no name has a "=".
func (c credential) key() [sha256.Size]byte {
	var space [2 << 10]byte // enough for what Authgear issues, without an allocation
	if c.token != "" {
		return sha256.Sum256(append(append(space[:0], "token "...), c.token...))
	}
	b := append(append(space[:0], "cookie "...), c.name...)
	return sha256.Sum256(append(append(b, '='), c.value...))
}

// credentialReader knows which cookies count; without any, only Authorization
// does.
type credentialReader struct {
	tokenCookie string
	cookies     []string
	observer    *Observer
	unchecked   bool // the reader of a Bearer token checks its alphabet
}

// newCredentialReader checks the names of the cookies.
func newCredentialReader(tokenCookie string, cookies []string, observer *Observer, errs *configErrors) credentialReader {
	for i, name := range cookies {
		errs.add("Cookies", checkCookieName(name))
		if slices.Contains(cookies[:i], name) {
			errs.add("Cookies", fmt.Errorf("%q stands there twice", name))
		}
	}
	if tokenCookie != "" {
		errs.add("TokenCookie", checkCookieName(tokenCookie))
		if slices.Contains(cookies, tokenCookie) {
			errs.add("TokenCookie", fmt.Errorf("%q is a session cookie too", tokenCookie))
		}
	}
	return credentialReader{tokenCookie: tokenCookie, cookies: slices.Clone(cookies), observer: orDefault(observer)}
}

// read returns the first credential of Authorization, token cookie and session
// cookies that is present; it alone decides.
func (r credentialReader) read(ctx context.Context, request Request) (credential, *Error) {
	authorization := request.Values("Authorization")
	read := bearerToken
	if r.unchecked {
		read = uncheckedToken
	}
	token, err := read(authorization)
	if token != "" || err != nil {
		return credential{token: token}, err
	}
	if len(authorization) == 1 && isBareToken(authorization[0]) {
		r.observer.ReportNotice(ctx, NoticeMissingBearer, errMissingBearer)
	}
	if r.tokenCookie == "" && len(r.cookies) == 0 {
		return credential{}, nil
	}
	lines := request.Values("Cookie")
	if r.tokenCookie != "" {
		if token, err = tokenFromCookie(lines, r.tokenCookie); token != "" || err != nil {
			return credential{token: token, ambient: true}, err
		}
	}
	c, err := sessionCookie(lines, r.cookies)
	if c.repeated {
		r.observer.ReportNotice(ctx, NoticeRepeatedCookie, fmt.Errorf("a browser sends two cookies named %q, of different paths or domains; the first one counts, as it does at Authgear, and none is cleared", c.name))
	}
	return c, err
}
