package authgear

import (
	"errors"
	"fmt"
	"strings"

	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// noCredentials is the refusal of a request without credentials that count. If the
// request has a token in another place, or a cookie that looks like Authgear's, the cause
// says why that does not count. Otherwise the user would be signed in on the page, and
// the log would say nothing.
func (r credentialReader) noCredentials(request Request) *Error {
	e := &Error{Reason: ReasonNoCredentials}
	if authorization := request.Values("Authorization"); len(authorization) == 1 {
		if _, rest := cutToken(authorization[0]); strings.Contains(rest, jwtBegins) { // what stands before it may be a secret
			e.Err = errors.New("there is a token after another scheme than Bearer")
			return e
		}
	}
	cookies := request.Values("Cookie")
	name := sessionLike(cookies)
	switch {
	case name == "":
		if name = cookieWith(cookies, isAccessToken); name != "" {
			e.Err = fmt.Errorf("the cookie %s holds an access token; to let it count, set TokenCookie to this name", quote.Quote(name))
		}
	case len(r.cookies) == 0:
		e.Err = fmt.Errorf("the cookie %s has the form of Authgear's session cookie, which NewJWT does not take; NewHybrid and NewResolver do", quote.Quote(name))
	default:
		e.Err = fmt.Errorf("the cookie %s has the form of Authgear's session cookie, but Cookies names %q only; if it is the project's, add its name to Cookies", quote.Quote(name), r.cookies)
	}
	return e
}

// jwtBegins is what each JWT begins with: {" in base64url.
const jwtBegins = "eyJ"

// isAccessToken reports whether s has the form of an access token (RFC 9068). Cookies of
// other services may have other JWTs.
func isAccessToken(s string) bool {
	if len(s) > maxToken || !strings.HasPrefix(s, jwtBegins) {
		return false
	}
	_, err := new(jws.Parser).Parse(s)
	return err == nil
}

// sessionLike returns the name of the first cookie whose value has the form of a
// session cookie's, "" when there is none.
func sessionLike(headers []string) string { return cookieWith(headers, isSessionValue) }

// cookieWith returns the name of the first cookie with such a value, "" when there is none.
func cookieWith(headers []string, is func(value string) bool) string {
	for name, value := range cookiesOf(headers) {
		if is(value) {
			return name
		}
	}
	return ""
}
