package guard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// crossOrigin refuses requests that another website makes a browser send in its user's
// name: unsafe requests and Upgrades whose identity came from a cookie.
type crossOrigin struct{ protection *http.CrossOriginProtection }

// newCrossOrigin returns all mistakes in the origins.
func newCrossOrigin(trusted []string) (crossOrigin, error) {
	protection := http.NewCrossOriginProtection()
	var mistakes []error
	for _, origin := range trusted {
		if err := checkTrustedOrigin(origin); err != nil {
			mistakes = append(mistakes, fmt.Errorf("authgear: Config: TrustedOrigins: %w", err))
			continue
		}
		_ = protection.AddTrustedOrigin(origin) // checkTrustedOrigin has tried it
	}
	return crossOrigin{protection}, errors.Join(mistakes...)
}

// checkTrustedOrigin also refuses an origin that no browser ever sends: it would never
// match.
func checkTrustedOrigin(origin string) error {
	if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
		return fmt.Errorf("%s is not an origin such as https://app.example.com", quote.Quote(origin))
	}
	u, err := url.Parse(origin)
	if err != nil {
		return fmt.Errorf("%s is not a URL", quote.Quote(origin))
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return nil // of an app: capacitor://localhost
	}
	if sent := endpoint.Of(u); sent != origin {
		return fmt.Errorf("%s is not what a browser sends; write scheme and host in lower case, without a default port", quote.Quote(origin))
	}
	return nil
}

// check treats an Upgrade as a POST. It is a GET, which always passes, but what it opens,
// such as a WebSocket, is under no same-origin policy.
func (c crossOrigin) check(r view) *authgear.Error {
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
		return &authgear.Error{Reason: authgear.ReasonCrossOrigin, Err: fmt.Errorf("there are %d Origin and %d Sec-Fetch-Site headers", len(origin), len(site))}
	case err == nil:
		return nil
	case len(origin) == 1 && origin[0] != "null": // many pages have this origin
		return &authgear.Error{Reason: authgear.ReasonCrossOrigin, Err: fmt.Errorf("%w; if its pages may use the session, add %s to TrustedOrigins", err, quote.Quote(origin[0]))}
	case len(origin) == 1:
		return &authgear.Error{Reason: authgear.ReasonCrossOrigin, Err: fmt.Errorf("%w; null is the origin of many, such as a sandboxed frame and a file, and cannot be trusted: serve the page from an origin of its own", err)}
	default:
		return &authgear.Error{Reason: authgear.ReasonCrossOrigin, Err: err}
	}
}

// ownHost returns the host as browsers write it in Origin, in lower case. Without a host,
// the opaque origin "null" would be ours, since its host is empty too.
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

// MethodOf returns the method by which to judge a request. In some frameworks middleware
// can change the method that a request is served by, while some handlers get the
// request's own method. served is "" when there is no such method. If own is unsafe, as
// [http.CrossOriginProtection] has it, own counts, else served.
func MethodOf(served, own string) string {
	safe := own == http.MethodGet || own == http.MethodHead || own == http.MethodOptions
	if served == "" || !safe {
		return own
	}
	return served
}
