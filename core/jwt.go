package authgear

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/keys"
	"github.com/authgear/authgear-sdk-go/core/internal/project"
)

// JWTConfig configures [NewJWT]. Only Endpoint is required.
type JWTConfig struct {
	// Endpoint is the Authgear project's origin, such as
	// "https://myapp.authgear.cloud" or a custom domain. Issuer and keys are
	// found from it (OpenID Connect Discovery 1.0 §4).
	Endpoint string
	// ClientIDs, when not empty, are the only OAuth clients whose tokens are
	// accepted.
	ClientIDs []string
	// Resources are the resource URIs (RFC 8707) of this service. A client's own token must
	// be meant for one of them; without any, no client's own token is accepted. As Authgear
	// demands, they are https URIs with a host, without user information, query and
	// fragment, and not on Endpoint's own origin.
	Resources []string
	// IDTokenClients, when not empty, are the OAuth clients whose ID tokens count for
	// reauthentication: an ID token in the header X-ID-Token of a user's request makes the
	// identity's AuthenticatedAt newer. When the user reauthenticates, a web client keeps
	// its access token and gets a new ID token. Empty: the header is not read.
	IDTokenClients []string
	// TokenCookie, when not empty, is the name of a cookie that carries the access token of
	// a request without a Bearer token. Guards keep websites that are not in their
	// TrustedOrigins from using it.
	TokenCookie string
	// Leeway is the clock difference that is tolerated. 0: ten seconds; at most
	// 60 seconds.
	Leeway time.Duration
	// InternalURL is an origin at which Authgear is asked instead of Endpoint, for a service
	// that reaches it by an internal address. Requests there have Endpoint's Host and
	// X-Forwarded-Proto.
	InternalURL string
	// InsecureHTTP allows plain HTTP to other than loopback addresses.
	InsecureHTTP bool
	// CacheSize is how many verified tokens are kept. The next request with a kept token
	// costs neither a signature check nor JSON: only expiry, audience, client and key are
	// judged again. 0: the last 10,000. Negative: none. Tokens are kept as hashes, with
	// their claims: one takes about 500 bytes.
	CacheSize int
	// HTTPClient, when not nil, is copied and used for every request to
	// Authgear: for a private CA, an egress proxy, tracing. Its redirect
	// policy, cookie jar and time-out do not count: there are no redirects, no
	// cookies, and five seconds for a fetch. A RoundTripper of yours has to
	// return when the request's context ends.
	HTTPClient *http.Client
	// Observer is told of each fetch and of each Verify. nil: LogObserver(nil).
	Observer *Observer
}

const maxLeeway = 60 * time.Second

// JWT is the [Authenticator] that verifies Authgear's JWT access tokens by the project's
// published keys. It asks nobody about a single request. So it is fast, but a user who is
// disabled stays valid until the token expires.
//
// The project's client must have "Issue JWT as access token" turned on.
type JWT struct {
	rules       judge.Rules
	credentials credentialReader
	keys        *keys.Set
	observer    *Observer
	parser      jws.Parser
	verified    *verifiedTokens // nil: none are kept

	idTokenClients []string
	idTokenParser  jws.Parser
}

// NewJWT needs no network: keys are fetched by the first request, or by
// [JWT.Ready]. There is nothing to close. The error joins all mistakes in the
// configuration, each with the name of its field.
func NewJWT(config JWTConfig) (*JWT, error) {
	var errs configErrors
	j := newJWT(config, &errs)
	if err := errs.err("JWTConfig"); err != nil {
		return nil, err
	}
	return j, nil
}

// newJWT returns nothing of use when there are mistakes.
func newJWT(config JWTConfig, errs *configErrors) *JWT {
	origin, err := endpoint.Parse(config.Endpoint, config.InsecureHTTP)
	errs.add("Endpoint", err)
	var internal string
	if config.InternalURL != "" {
		internal, err = endpoint.Parse(config.InternalURL, config.InsecureHTTP)
		errs.add("InternalURL", err)
	}
	observer := orDefault(config.Observer)
	reader := newCredentialReader(config.TokenCookie, nil, observer, errs)
	reader.unchecked = true // since no other token is verified
	if slices.Contains(config.ClientIDs, "") {
		errs.add("ClientIDs", errors.New("an empty client id"))
	}
	for _, resource := range config.Resources {
		errs.add("Resources", checkResource(resource, origin))
	}
	for _, client := range config.IDTokenClients {
		errs.add("IDTokenClients", checkIDTokenClient(client))
	}
	leeway := config.Leeway
	switch {
	case leeway == 0:
		leeway = judge.DefaultLeeway
	case leeway < 0 || leeway > maxLeeway:
		errs.add("Leeway", fmt.Errorf("%v is not between 0 and %v", leeway, maxLeeway))
	}
	return &JWT{
		rules: judge.Rules{
			Endpoint: origin, ClientIDs: slices.Clone(config.ClientIDs), Resources: slices.Clone(config.Resources), Leeway: leeway,
		},
		credentials: reader,
		observer:    observer,
		verified:    newVerifiedTokens(config.CacheSize),

		idTokenClients: slices.Clone(config.IDTokenClients),
		idTokenParser:  jws.Parser{Type: jws.IDToken},

		keys: keys.New(keys.Config{
			Endpoint: origin,
			Client:   project.New(project.Config{Endpoint: origin, Internal: internal, HTTPClient: config.HTTPClient}),
			Start: func(ctx context.Context, kind, url string) context.Context {
				return observer.fetchStart(ctx, FetchKind(kind), url)
			},
			Observe: func(ctx context.Context, f keys.Fetch) {
				fetch := Fetch{Kind: FetchKind(f.Kind), URL: f.URL, Status: f.Status, Duration: f.Duration, Err: f.Err}
				if f.Err != nil {
					fetch.Reason = ReasonKeysUnavailable
				}
				observer.fetch(ctx, fetch)
			},
		}),
	}
}

// checkResource accepts what Authgear accepts as a resource: an absolute URI
// without a fragment (RFC 8707 §2), and Authgear's own rules. The origin is the
// endpoint's, "" when that has a mistake itself.
func checkResource(resource, origin string) error {
	fail := func(what string) error { return fmt.Errorf("%s %s", endpoint.Shown(resource), what) }
	u, err := url.Parse(resource)
	switch {
	case err != nil || !u.IsAbs():
		return fail("is not an absolute URI; to accept the tokens of certain OAuth clients only, use ClientIDs")
	case u.Scheme != "https":
		return fail("is not an https URI, as Authgear's resources are")
	case u.Hostname() == "":
		return fail("has no host")
	case u.User != nil:
		return fail("has user information, which no resource of Authgear has")
	case strings.Contains(resource, "#"):
		return fail("has a fragment, which no resource has (RFC 8707 §2)")
	case strings.Contains(resource, "?"):
		return fail("has a query, which no resource of Authgear has")
	case origin != "" && (endpoint.Of(u) == origin || strings.HasPrefix(resource, origin)):
		return fail("begins with Endpoint, which no resource of Authgear does; write the URI of this service")
	}
	return nil
}

// Ready returns nil when the project's keys are loaded. Otherwise it fetches them. If
// that fails, it returns an error whose text names the cause. Use it for a readiness
// probe: the service may start without Authgear, and recovers by itself.
func (j *JWT) Ready(ctx context.Context) error {
	if err := j.keys.Ready(ctx); err != nil {
		return fmt.Errorf("authgear: %w", err)
	}
	return nil
}

// Observer returns the observer of the configuration. A guard without an observer of its
// own uses it too.
func (j *JWT) Observer() *Observer { return j.observer }

// Authenticate implements [Authenticator] by the Bearer token in the request's
// Authorization header, or by the token cookie when there is one. With IDTokenClients, a
// user's ID token in X-ID-Token can make AuthenticatedAt newer. A bad ID token changes
// nothing, and is never an error here.
func (j *JWT) Authenticate(ctx context.Context, r Request) (*Identity, error) {
	c, err := j.credentials.read(ctx, r)
	if err != nil {
		return nil, err
	}
	if c.token == "" {
		return nil, j.credentials.noCredentials(r)
	}
	identity, err := j.verify(ctx, c.token)
	if err != nil {
		err.Evidence.Ambient = c.ambient
		return nil, err
	}
	identity.Evidence.Ambient = c.ambient
	if len(j.idTokenClients) > 0 && identity.Kind == KindUser {
		j.reauthenticate(ctx, r, identity)
	}
	return identity, nil
}

// Verify finds the identity of an access token that did not come in a request:
// from a queue, in the first message of a socket, through another library's
// hook. The identity belongs to the caller; the error is always an [*Error].
func (j *JWT) Verify(ctx context.Context, token string) (*Identity, error) {
	start := time.Now()
	var identity *Identity
	err := checkToken(token)
	if err == nil {
		identity, err = j.verify(ctx, token)
	}
	j.observer.verified(ctx, start, identity, err)
	if err != nil {
		return nil, err
	}
	return identity, nil
}
