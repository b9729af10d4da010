package doctor

import (
	"context"
	"net/http"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// deadSession is the value of a session cookie that Authgear always refuses, and clears:
// from that one learns which hosts browsers send the cookie to.
const deadSession = "~"

// lookAtDomain says which hosts browsers send the session cookie to. Of a request
// without it, a service cannot know that the browser has one for another host.
func (e *examination) lookAtDomain(ctx context.Context, resolver *authgear.Resolver) {
	cookie := e.clearedCookie(ctx, resolver)
	if cookie == nil {
		e.skip("the project does not say which hosts have its session cookie", "cookie_domain")
		return
	}
	domain, to := strings.TrimPrefix(strings.ToLower(cookie.Domain), "."), "hosts at and below "
	if domain == "" {
		domain, to = hostOf(e.Endpoint), "no host but "
	}
	detail := "browsers send the session cookie to " + to + quote.Quote(domain)
	host := hostOf(e.config.Service)
	switch {
	case e.config.Service == "":
		e.ok("cookie_domain", "%s", detail)
	case host == domain || cookie.Domain != "" && strings.HasSuffix(host, "."+domain):
		e.ok("cookie_domain", "%s: the service gets it", detail)
	default:
		e.add("cookie_domain", StatusFailed, detail+": the service at "+quote.Quote(e.config.Service)+" never gets it",
			"Let the app send an access token instead; or serve both below one domain, the project by a custom domain, and set its http.cookie_domain.")
	}
}

// clearedCookie returns the cookie with which the project takes a dead session away.
func (e *examination) clearedCookie(ctx context.Context, resolver *authgear.Resolver) *http.Cookie {
	for _, name := range e.cookieNames() {
		_, err := resolver.Authenticate(ctx, cookieRequest(name+"="+deadSession))
		if err == nil {
			continue
		}
		for _, header := range authgear.AsError(err).Evidence.ClearCookies {
			if cookie, err := http.ParseSetCookie(header); err == nil {
				return cookie
			}
		}
	}
	return nil
}
