package authgear

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/breaker"
	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/fetch"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/oldflight"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// ResolverConfig configures [NewResolver]. Only Endpoint is required.
type ResolverConfig struct {
	// Endpoint is the Authgear project's origin, such as
	// "https://myapp.authgear.cloud" or a custom domain. Its resolver is asked at
	// /_resolver/resolve.
	Endpoint string
	// InternalURL is an origin at which Authgear is asked instead of at
	// Endpoint, for a service that reaches it by an internal address. It gets
	// Endpoint's Host and X-Forwarded-Proto.
	InternalURL string
	// ResolverURL is the complete internal address of a resolver, such as
	// "http://resolver.internal:3001/resolve", for a self-hosted Authgear whose
	// resolver is a service of its own. It takes the place of InternalURL.
	ResolverURL string
	// Cookies are the names of the session cookies. Empty: "session"; a
	// self-hosted Authgear can have a prefix configured. No other cookie is ever
	// sent to Authgear.
	Cookies []string
	// TokenCookie, when not empty, is the name of a cookie that carries the
	// access token of a request without a Bearer token. It goes before session
	// cookies.
	TokenCookie string
	// CacheTTL is how long an answer counts, so how long a session that was
	// ended is still taken for good. 0: Authgear is asked each time. Refusals
	// count for at most one second.
	CacheTTL time.Duration
	// StaleIfError is how long after it was given a good answer counts while
	// Authgear cannot be asked. 0: not at all.
	StaleIfError time.Duration
	// Timeout is how long a request waits for an answer in all. 0: five seconds.
	Timeout time.Duration
	// InsecureHTTP allows plain HTTP to other than loopback addresses, in
	// Endpoint, InternalURL and ResolverURL.
	InsecureHTTP bool
	// HTTPClient, when not nil, is copied and used for every request to
	// Authgear: for a private CA, an egress proxy, tracing. Its redirect
	// policy, cookie jar and time-out do not count. A *http.Transport is cloned
	// and keeps up to 64 idle connections; a RoundTripper of yours is used as it
	// is, and has to return when the request's context ends: else its call never
	// does, and may block the resolver until a restart.
	HTTPClient *http.Client
	// Observer is told of each request to Authgear. nil: LogObserver(nil).
	Observer *Observer
}

const (
	defaultTimeout = 5 * time.Second
	maxCalls       = 64   // at once
	maxWaiting     = 1024 // for one of those
	resolverPath   = "/_resolver/resolve"
)

// Resolver is the [Authenticator] that asks Authgear's resolver about access
// tokens, opaque ones and JWT, and about session cookies. It is as fresh as the
// answer: a user who is disabled is refused by the next call.
//
// The resolver knows no client ids, scopes and expiry, and accepts no machines.
type Resolver struct {
	credentials credentialReader
	asker       *fetch.Asker
	timeout     time.Duration
	flights     *oldflight.Group[answer]
	breaker     breaker.Breaker
	answers     *answers
	parser      jws.Parser
	observer    *Observer
	ready       atomic.Bool // there was an answer once
}

// NewResolver needs no network. There is nothing to close. The error joins all
// mistakes in the configuration, each with the name of its field.
func NewResolver(config ResolverConfig) (*Resolver, error) {
	var errs configErrors
	origin, err := endpoint.Parse(config.Endpoint, config.InsecureHTTP)
	errs.add("Endpoint", err)
	address, internal := resolverAddress(origin, config, &errs)
	cookies := config.Cookies
	if len(cookies) == 0 {
		cookies = []string{"session"}
	}
	reader := newCredentialReader(config.TokenCookie, cookies, &errs)
	errs.add("CacheTTL", checkDuration(config.CacheTTL))
	errs.add("StaleIfError", checkDuration(config.StaleIfError))
	errs.add("Timeout", checkDuration(config.Timeout))
	if err := errs.err("ResolverConfig"); err != nil {
		return nil, err
	}

	timeout := config.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return &Resolver{
		credentials: reader,
		asker:       fetch.NewAsker(origin, address, internal, maxCalls, config.HTTPClient),
		timeout:     timeout,
		flights:     oldflight.New[answer](maxCalls, maxWaiting, timeout),
		answers:     newAnswers(config.CacheTTL, config.StaleIfError),
		observer:    orDefault(config.Observer),
	}, nil
}

// resolverAddress returns what to ask, and whether it is an internal address.
func resolverAddress(origin string, config ResolverConfig, errs *configErrors) (address string, internal bool) {
	address = origin + resolverPath
	if config.InternalURL != "" {
		internalOrigin, err := endpoint.Parse(config.InternalURL, config.InsecureHTTP)
		errs.add("InternalURL", err)
		address, internal = internalOrigin+resolverPath, true
	}
	if config.ResolverURL != "" {
		if internal {
			errs.add("ResolverURL", errors.New("stands beside InternalURL; one of them is enough"))
		}
		resolver, err := parseResolverURL(config.ResolverURL, config.InsecureHTTP)
		errs.add("ResolverURL", err)
		address, internal = resolver, true
	}
	return address, internal
}

// parseResolverURL returns a complete address in one form.
func parseResolverURL(raw string, insecureHTTP bool) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		return "", errors.New("is not a URL such as http://resolver.internal:3001/resolve")
	case u.User != nil:
		return "", errors.New("has user information")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", fmt.Errorf("%s has a query or fragment", quote.Quote(raw))
	case u.Path == "" || u.Path == "/":
		return "", fmt.Errorf("%s has no path; to ask another origin, use InternalURL", quote.Quote(raw))
	}
	origin, err := endpoint.Parse(u.Scheme+"://"+u.Host, insecureHTTP)
	if err != nil {
		return "", err
	}
	return origin + u.EscapedPath(), nil
}

func checkDuration(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%v is negative", d)
	}
	return nil
}

// Ready returns nil when Authgear has answered once; else it asks about a request
// without credentials, or returns why there is no answer. Use it for a readiness
// probe: the service may start without Authgear, and recovers by itself.
func (r *Resolver) Ready(ctx context.Context) error {
	if r.ready.Load() {
		return nil
	}
	var nobody credentials
	a := r.call(ctx, nobody, nobody.keys(), false)
	if a.err.Reason != ReasonNoCredentials { // nobody is no identity
		return a.err
	}
	return nil
}

// Observer returns the observer of the configuration, which guards without one of
// their own use too.
func (r *Resolver) Observer() *Observer { return r.observer }

// Authenticate implements [Authenticator] by the request's Bearer token, token
// cookie or session cookies, in this order: the first that is present decides.
func (r *Resolver) Authenticate(ctx context.Context, request Request) (*Identity, error) {
	return r.authenticate(ctx, request, false)
}

// AuthenticateFresh implements [FreshAuthenticator]: neither the cache nor
// StaleIfError counts.
func (r *Resolver) AuthenticateFresh(ctx context.Context, request Request) (*Identity, error) {
	return r.authenticate(ctx, request, true)
}

func (r *Resolver) authenticate(ctx context.Context, request Request, live bool) (*Identity, error) {
	c, malformed := r.credentials.read(request)
	if malformed != nil {
		return nil, malformed
	}
	if c.token == "" && c.cookie == "" {
		return nil, &Error{Reason: ReasonNoCredentials}
	}
	a := r.resolve(ctx, c, live)
	if a.err != nil {
		err := *a.err
		err.Evidence = Evidence{Ambient: c.byBrowser, Cached: a.cached, CheckedAt: a.at, ClearCookies: slices.Clone(err.Evidence.ClearCookies)}
		return nil, &err
	}
	return a.identityFor(c), nil
}

// resolve returns what is known about the credentials, and asks when that is not
// enough.
func (r *Resolver) resolve(ctx context.Context, c credentials, live bool) answer {
	keys := c.keys()
	if live {
		return r.call(ctx, c, keys, true)
	}
	if a, ok := r.answers.fresh(keys); ok {
		return a
	}
	a := r.call(ctx, c, keys, false)
	if !a.decided() && !a.unasked {
		if good, ok := r.answers.lastGood(keys); ok {
			return good
		}
	}
	return a
}

// field returns the one field that goes to Authgear, "" for none.
func (c credentials) field() (name, value string) {
	switch {
	case c.token != "":
		return "Authorization", "Bearer " + c.token
	case c.cookie != "":
		return "Cookie", c.cookie
	default:
		return "", ""
	}
}
