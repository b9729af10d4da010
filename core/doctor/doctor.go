// Package doctor finds out why a service and its Authgear project do not work together:
// it goes from the address of the project to the claims of a token, by the same checks
// that requests go through. For each failure it says what to do.
//
// The command authgear-doctor prints its report. A test, a start-up check or an
// administrator's page may call [Run] itself.
package doctor

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
	"github.com/authgear/authgear-sdk-go/core/internal/keys"
)

// Config configures [Run]. Only Endpoint is required. Give Run the options that the
// service gives to NewHybrid, NewJWT or NewResolver.
type Config struct {
	// Endpoint is the Authgear project's origin, such as
	// "https://myapp.authgear.cloud" or a custom domain.
	Endpoint string
	// InternalURL and ResolverURL are as in [authgear.HybridConfig]: addresses that are
	// asked instead of Endpoint. Empty: none.
	InternalURL, ResolverURL string
	// Cookies are the names of the session cookies. Empty: "session".
	Cookies []string
	// ClientIDs and Resources are as in [authgear.JWTConfig]. Empty: tokens of every
	// OAuth client, and of no machine.
	ClientIDs, Resources []string
	// Leeway is the clock difference that is tolerated. 0: ten seconds; at most 60
	// seconds.
	Leeway time.Duration
	// InsecureHTTP allows plain HTTP to other than loopback addresses.
	InsecureHTTP bool
	// HTTPClient is that of the service: for a private CA or an egress proxy. nil: the
	// standard one. A RoundTripper that is not an *http.Transport connects by itself. Then
	// dns, connection and tls are looked at only if it uses an *http.Transport.
	HTTPClient *http.Client

	// Service is the service's public origin, such as "https://api.example.com". Run checks
	// whether browsers send the project's session cookie to it. No request goes there.
	// Empty: not looked at.
	Service string

	// Token is an access token to look at, with or without "Bearer" or
	// "Authorization: Bearer" before it.
	// Empty: none.
	Token string
	// Cookie is a session cookie to look at: its value, "name=value", or the whole
	// value of a Cookie header. Empty: none.
	Cookie string
}

// examination is one run.
type examination struct {
	Report
	config Config
	jwt    authgear.JWTConfig
	hybrid *authgear.Hybrid
	rules  judge.Rules
	keys   []keys.Key   // nil: they could not be had
	silent bool         // the resolver answers a bad token as it answers a request without one
	ended  func() error // why the run has to end, nil while there is time
	cut    bool         // something was not looked at because of that
}

// Run looks at everything, in at most half a minute, and never fails itself. The report
// also says what is wrong with the configuration, and whether the half minute, or ctx,
// was over before the end. Run sends the token and the cookie to the project's resolver
// only, and follows no redirects. Its only side effect is the access that Authgear notes
// for the session.
func Run(ctx context.Context, config Config) Report {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errLimit)
	defer cancel()
	e := &examination{config: config, ended: func() error { return context.Cause(ctx) }}
	e.run(ctx)
	e.lookAtTime()
	e.judge()
	return e.Report
}

func (e *examination) run(ctx context.Context) {
	origin, err := endpoint.Parse(e.config.Endpoint, e.config.InsecureHTTP)
	if err != nil {
		e.Endpoint = endpoint.Shown(e.config.Endpoint)
		e.add("endpoint", StatusFailed, "The endpoint "+err.Error(), "Set Endpoint to the project's origin, as the Authgear portal shows it.")
		return
	}
	e.Endpoint = origin
	e.ok("endpoint", "%s", origin)
	if !e.configure() {
		return
	}
	var resolver *authgear.Resolver
	if failed := e.reach(ctx); failed == "" || e.config.ResolverURL != "" {
		resolver = e.askResolver(ctx)
	} else { // the resolver is at the same address
		e.skip("not looked at, since "+failed+" has failed", "resolver", "cookie_name", "cookie_domain")
	}
	if e.config.Token != "" {
		e.lookAtToken(ctx, resolver)
	}
	if e.config.Cookie != "" {
		e.lookAtCookie(ctx, resolver)
	}
}

// configure lets the constructors check the options that are for them.
func (e *examination) configure() bool {
	c := e.config
	e.jwt = authgear.JWTConfig{
		Endpoint: c.Endpoint, ClientIDs: c.ClientIDs, Resources: c.Resources, Leeway: c.Leeway, InternalURL: c.InternalURL,
		InsecureHTTP: c.InsecureHTTP, CacheSize: -1, HTTPClient: c.HTTPClient, Observer: &authgear.Observer{},
	}
	e.rules = judge.Rules{Endpoint: e.Endpoint, ClientIDs: c.ClientIDs, Resources: c.Resources, Leeway: cmp.Or(c.Leeway, judge.DefaultLeeway)}
	var err error
	e.hybrid, err = authgear.NewHybrid(authgear.HybridConfig{
		Endpoint: c.Endpoint, InternalURL: c.InternalURL, ResolverURL: c.ResolverURL, Cookies: c.Cookies, ClientIDs: c.ClientIDs,
		Resources: c.Resources, Leeway: c.Leeway, InsecureHTTP: c.InsecureHTTP, HTTPClient: c.HTTPClient, Observer: &authgear.Observer{},
	})
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "authgear: HybridConfig: ")
		e.add("options", StatusFailed, strings.ReplaceAll(text, "\n", "; "), "Mend the option that is named.")
	}
	return err == nil
}
