package authgear

import (
	"fmt"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// noCredentials is the refusal of a request that has none which count. When one of its
// cookies looks like Authgear's, its cause says why that does not count: on the page
// the user is signed in, and the log would say nothing.
func (r credentialReader) noCredentials(request Request) *Error {
	e := &Error{Reason: ReasonNoCredentials}
	name := sessionLike(request.Values("Cookie"))
	switch {
	case name == "":
	case len(r.cookies) == 0:
		e.Err = fmt.Errorf("the cookie %s has the form of Authgear's session cookie, which NewJWT does not take; NewHybrid and NewResolver do", quote.Quote(name))
	default:
		e.Err = fmt.Errorf("the cookie %s has the form of Authgear's session cookie, but Cookies names %q only; if it is the project's, add its name to Cookies", quote.Quote(name), r.cookies)
	}
	return e
}

// sessionLike returns the name of the first cookie whose value has the form of a
// session cookie's, "" when there is none.
func sessionLike(headers []string) string {
	for name, value := range cookiesOf(headers) {
		if isSessionValue(value) {
			return name
		}
	}
	return ""
}
