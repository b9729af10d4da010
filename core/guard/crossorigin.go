package guard

import (
	"fmt"
	"net/http"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// crossOrigin refuses what another website makes a browser send in its user's
// name: unsafe requests and Upgrades whose identity came from a cookie.
type crossOrigin struct{ protection *http.CrossOriginProtection }

func newCrossOrigin(trusted []string) crossOrigin {
	protection := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			panic(err) // Options.Validate has let it through
		}
	}
	return crossOrigin{protection}
}

// check asks about an Upgrade as about a POST, since a GET always passes, but
// what it opens, such as a WebSocket, is under no same-origin policy.
func (c crossOrigin) check(r authgear.Request) *authgear.Error {
	method := r.Method()
	if len(r.Values("Upgrade")) > 0 {
		method = http.MethodPost
	}
	if isSafe(method) { // asked here too, to build nothing for most requests
		return nil
	}
	origin, site := r.Values("Origin"), r.Values("Sec-Fetch-Site")
	err := c.protection.Check(&http.Request{
		Method: method,
		Host:   ownHost(r.Host()),
		Header: http.Header{"Origin": origin, "Sec-Fetch-Site": site},
	})
	switch {
	case err == nil && (len(origin) > 1 || len(site) > 1):
		return &authgear.Error{Reason: authgear.ReasonCrossOrigin, Err: fmt.Errorf("%d Origin and %d Sec-Fetch-Site fields", len(origin), len(site))}
	case err == nil:
		return nil
	case len(origin) == 1 && origin[0] != "null": // which is the origin of many
		return &authgear.Error{Reason: authgear.ReasonCrossOrigin, Err: fmt.Errorf("%w; if its pages may use the session, add %s to TrustedOrigins", err, quote.Quote(origin[0]))}
	default:
		return &authgear.Error{Reason: authgear.ReasonCrossOrigin, Err: err}
	}
}

// ownHost returns the host as browsers write it in Origin, in lower case. Without
// one, the opaque origin "null", whose host is empty too, would be ours.
func ownHost(host string) string {
	if host == "" {
		return "no host"
	}
	return strings.ToLower(host)
}

// isSafe reports the methods that http.CrossOriginProtection lets pass.
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
