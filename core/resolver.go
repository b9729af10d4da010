package authgear

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/answers"
	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/flight"
	"github.com/authgear/authgear-sdk-go/core/internal/health"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/project"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
	"github.com/authgear/authgear-sdk-go/core/internal/slots"
)

// ResolverConfig configures [NewResolver]. Only Endpoint is required.
type ResolverConfig struct {
	// Endpoint is the Authgear project's origin, such as
	// "https://myapp.authgear.cloud" or a custom domain. Its resolver is asked at
	// /_resolver/resolve.
	Endpoint string
	// InternalURL is an origin at which Authgear is asked instead of Endpoint, for
	// a service that reaches it by an internal address. Requests there have
	// Endpoint's Host and X-Forwarded-Proto.
	InternalURL string
	// ResolverURL is the complete internal address of a resolver, such as
	// "http://resolver.internal:3001/resolve", for a self-hosted Authgear whose
	// resolver is a service of its own. It takes the place of InternalURL.
	ResolverURL string
	// Cookies are the names of the session cookies. Empty: "session"; a
	// self-hosted Authgear can have a prefix configured. The first of these names
	// that is present in a request decides. When several cookies have that name,
	// the first one decides. No other cookie is ever sent to Authgear.
	Cookies []string
	// TokenCookie, when not empty, is the name of a cookie that carries the
	// access token of a request without a Bearer token. It goes before session
	// cookies.
	TokenCookie string
	// CacheTTL is how long an answer counts, and so how long an ended session is
	// still accepted. 0: Authgear is asked each time. Refusals count for at most
	// one second.
	CacheTTL time.Duration
	// StaleIfError is how long a good answer counts, from when it was given, while
	// Authgear is not well. That is when a health check fails, or when the calls
	// of three users fail without a good one between them. 0: not at all.
	StaleIfError time.Duration
	// Timeout is how long a request waits in all for an answer. 0: five seconds.
	Timeout time.Duration
	// InsecureHTTP allows plain HTTP to other than loopback addresses, in
	// Endpoint, InternalURL and ResolverURL.
	InsecureHTTP bool
	// HTTPClient, when not nil, is copied and used for every request to Authgear:
	// for a private CA, an egress proxy, tracing. Its redirect policy, cookie jar
	// and time-out do not count. A *http.Transport is cloned. The clone keeps up
	// to 64 idle connections and speaks HTTP/1.1 only: HTTP/2 has one connection,
	// on which a token that is too large for a server in front of Authgear would
	// end everybody's calls. A RoundTripper of yours is used as it is. If it wraps
	// a transport, as for tracing, give it one without HTTP/2. It has to return
	// when the request's context ends. Otherwise its call never ends, and may
	// block the resolver until a restart.
	HTTPClient *http.Client
	// Observer is told of each request to Authgear and of each Verify. nil:
	// LogObserver(nil).
	Observer *Observer
}

const (
	defaultTimeout  = 5 * time.Second
	idleConnections = 64 // as many as there are calls at once
	resolverPath    = "/_resolver/resolve"
)

// Resolver is the [Authenticator] that asks Authgear's resolver about access
// tokens, opaque ones and JWT, and about session cookies. It is as fresh as the
// answer: a disabled user is refused at the next call.
//
// The resolver does not tell client ids, scopes and expiry, and accepts no
// client's own token.
type Resolver struct {
	endpoint     string
	internal     bool // it is asked at another address
	credentials  credentialReader
	project      *project.Client
	path         string
	timeout      time.Duration
	cacheTTL     time.Duration
	staleIfError time.Duration
	observer     *Observer
	parser       jws.Parser
	canary       canary

	accepted, rejected *answers.Table[answer]
	refusedUsers       *MemoryRevocations // of JWTs; nil unless they may count by themselves
	failing            failing
	flights            flight.Group[answer]
	checks             flight.Group[answer] // at most one
	slots              *slots.Slots
	health             *health.Health
	ready              atomic.Bool // there was an answer once
}

// NewResolver needs no network. There is nothing to close. The error joins all
// mistakes in the configuration, each with the name of its field.
func NewResolver(config ResolverConfig) (*Resolver, error) {
	var errs configErrors
	r := newResolver(config, maxAccepted, &errs)
	if err := errs.err("ResolverConfig"); err != nil {
		return nil, err
	}
	return r, nil
}

// newResolver returns nothing of use when there are mistakes.
func newResolver(config ResolverConfig, accepted int, errs *configErrors) *Resolver {
	origin, err := endpoint.Parse(config.Endpoint, config.InsecureHTTP)
	errs.add("Endpoint", err)
	internal, path := resolverAddress(config, errs)
	cookies := config.Cookies
	if len(cookies) == 0 {
		cookies = []string{"session"}
	}
	observer := orDefault(config.Observer)
	reader := newCredentialReader(config.TokenCookie, cookies, observer, errs)
	errs.add("CacheTTL", checkDuration(config.CacheTTL))
	errs.add("StaleIfError", checkDuration(config.StaleIfError))
	errs.add("Timeout", checkDuration(config.Timeout))
	r := &Resolver{
		endpoint:     origin,
		internal:     internal != "",
		credentials:  reader,
		path:         path,
		timeout:      cmp.Or(config.Timeout, defaultTimeout),
		cacheTTL:     config.CacheTTL,
		staleIfError: config.StaleIfError,
		observer:     observer,
		accepted:     answers.New[answer](accepted),
		rejected:     answers.New[answer](maxRejected),
		slots:        slots.New(),
		project: project.New(project.Config{
			Endpoint: origin, Internal: internal, HTTPClient: config.HTTPClient, IdleConnections: idleConnections,
		}),
	}
	r.canary.setNames(canaryNames(reader.cookies))
	r.health = health.New(r.timeout*2/5, r.check)
	return r
}

// resolverAddress returns the internal origin that is asked, "" for the endpoint,
// and the path there.
func resolverAddress(config ResolverConfig, errs *configErrors) (internal, path string) {
	path = resolverPath
	var err error
	if config.InternalURL != "" {
		internal, err = endpoint.Parse(config.InternalURL, config.InsecureHTTP)
		errs.add("InternalURL", err)
	}
	if config.ResolverURL != "" {
		if config.InternalURL != "" {
			errs.add("ResolverURL", errors.New("stands beside InternalURL; one of them is enough"))
		}
		internal, path, err = parseResolverURL(config.ResolverURL, config.InsecureHTTP)
		errs.add("ResolverURL", err)
	}
	return internal, path
}

// parseResolverURL splits a complete address into origin and path, and brings
// each into one form.
func parseResolverURL(raw string, insecureHTTP bool) (origin, path string, err error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		return "", "", errors.New("is not a URL such as http://resolver.internal:3001/resolve")
	case u.User != nil:
		return "", "", errors.New("has user information")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", "", fmt.Errorf("%s has a query or fragment", quote.Quote(raw))
	case u.Path == "" || u.Path == "/":
		return "", "", fmt.Errorf("%s has no path; to ask another origin, use InternalURL", quote.Quote(raw))
	}
	origin, err = endpoint.Parse(u.Scheme+"://"+u.Host, insecureHTTP)
	return origin, u.EscapedPath(), err
}

func checkDuration(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%v is negative", d)
	}
	return nil
}

// Ready returns nil when Authgear has been well once. Otherwise it checks that
// now, and returns an error with the cause if Authgear is not well. Use it for
// a readiness probe: the service may start without Authgear, and recovers by
// itself.
func (r *Resolver) Ready(ctx context.Context) error {
	if r.ready.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := r.health.Failed(ctx); err != nil {
		return fmt.Errorf("authgear: the resolver is not ready: %w", r.unanswered(err))
	}
	return nil
}

// Observer returns the observer of the configuration. A guard without an
// observer of its own uses it too.
func (r *Resolver) Observer() *Observer { return r.observer }

// Authenticate implements [Authenticator] by the request's Bearer token, token
// cookie or session cookie, in this order: the first that is present decides.
func (r *Resolver) Authenticate(ctx context.Context, request Request) (*Identity, error) {
	return r.authenticate(ctx, request, false)
}

// AuthenticateFresh implements [FreshAuthenticator]: neither the cache nor
// StaleIfError counts.
func (r *Resolver) AuthenticateFresh(ctx context.Context, request Request) (*Identity, error) {
	return r.authenticate(ctx, request, true)
}

func (r *Resolver) authenticate(ctx context.Context, request Request, fresh bool) (*Identity, error) {
	c, err := r.credentials.read(ctx, request)
	if err == nil && c.isNone() {
		err = r.credentials.noCredentials(request)
	}
	var identity *Identity
	if err == nil {
		identity, err = r.resolve(ctx, c, fresh).give(c)
	}
	if err != nil {
		return nil, err
	}
	return identity, nil
}

// Verify finds the identity of an access token that did not come in a request:
// from a queue, in the first message of a socket, through another library's
// hook. The identity belongs to the caller; the error is always an [*Error].
func (r *Resolver) Verify(ctx context.Context, token string) (*Identity, error) {
	start := time.Now()
	var identity *Identity
	err := checkToken(token)
	if err == nil {
		c := credential{token: token}
		identity, err = r.resolve(ctx, c, false).give(c)
	}
	r.observer.verified(ctx, start, identity, err)
	if err != nil {
		return nil, err
	}
	return identity, nil
}
