package doctor

import (
	"context"
	"net/http"
	"slices"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

const cookieNameFix = `The project has another name for it: set Cookies to its http.cookie_prefix and "session", as in "myapp_session". Until then no session cookie counts.`

// lookAtCookieNames sends a dead session under each name. If the name is the project's
// own, the answer takes the cookie away.
func (e *examination) lookAtCookieNames(ctx context.Context, resolver *authgear.Resolver) {
	names := e.cookieNames()
	cookie, unanswered := e.clearedCookie(ctx, resolver)
	switch {
	case cookie == nil && unanswered != nil && e.skipCut(authgear.ReasonResolverUnavailable, "cookie_name", "cookie_domain"):
	case cookie == nil && unanswered != nil:
		e.skip("the resolver has not answered: "+unanswered.Error(), "cookie_name", "cookie_domain")
	case cookie == nil && !slices.Contains(names, "session"): // the canary always sends "session" too, so that one proves nothing
		e.add("cookie_name", StatusFailed, "the project takes no cookie away that is named "+strings.Join(names, " or ")+", as it does with its own when it refuses one", cookieNameFix)
		e.skip("not looked at, since cookie_name has failed", "cookie_domain")
	default:
		e.ok("cookie_name", "%s", strings.Join(names, " or "))
		e.lookAtDomain(cookie)
	}
}

// lookAtDomain says which hosts browsers send the session cookie to (RFC 6265
// §5.4). A service that gets a request without this cookie cannot know that the
// browser has one for another host.
func (e *examination) lookAtDomain(cookie *http.Cookie) {
	if cookie == nil {
		e.skip("the project does not say which hosts have its session cookie", "cookie_domain")
		return
	}
	domain, to := strings.TrimPrefix(strings.ToLower(cookie.Domain), "."), "hosts at and below "
	if domain == "" {
		domain, to = hostOf(e.Endpoint), "no host but "
	}
	detail := "browsers send the session cookie to " + to + quote.Quote(domain)
	if e.config.Service == "" {
		e.ok("cookie_domain", "%s", detail)
		return
	}
	service := originOf(e.config.Service)
	host := hostOf(service)
	_, notTrusted := endpoint.Parse(service, false) // plain HTTP to other than this machine
	switch {
	case service == "":
		e.add("cookie_domain", StatusFailed, "Service "+endpoint.Shown(e.config.Service)+" is not an origin", "Set Service to the service's public origin, such as https://api.example.com.")
	case host != domain && (cookie.Domain == "" || !strings.HasSuffix(host, "."+domain)):
		e.add("cookie_domain", StatusFailed, detail+": the service at "+quote.Quote(service)+" never gets it",
			"Let the app send an access token instead; or serve both below one domain, the project by a custom domain, and set its http.cookie_domain.")
	case cookie.Secure && notTrusted != nil:
		e.add("cookie_domain", StatusFailed, detail+", and by HTTPS only: the service at "+quote.Quote(service)+" never gets it", "Serve the service by HTTPS.")
	default:
		e.ok("cookie_domain", "%s: the service gets it", detail)
	}
}

// clearedCookie returns the Set-Cookie by which the project takes the cookie of a dead
// session away, nil if there is none, and why the resolver has not answered for a name.
func (e *examination) clearedCookie(ctx context.Context, resolver *authgear.Resolver) (cookie *http.Cookie, unanswered error) {
	for _, name := range e.cookieNames() {
		_, err := resolver.Authenticate(ctx, cookieRequest(name+"="+session.Dead))
		if err == nil {
			continue
		}
		refusal := authgear.AsError(err)
		if refusal.Outcome() == authgear.OutcomeUnavailable {
			unanswered = refusal.Err
		}
		for _, header := range refusal.Evidence.ClearCookies {
			if cookie, err := http.ParseSetCookie(header); err == nil {
				return cookie, nil
			}
		}
	}
	return nil, unanswered
}
