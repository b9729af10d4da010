package authgear

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
	"github.com/authgear/authgear-sdk-go/core/internal/isnil"
)

// HybridConfig configures [NewHybrid]. Only Endpoint is required.
type HybridConfig struct {
	// Endpoint is the Authgear project's origin, such as
	// "https://myapp.authgear.cloud" or a custom domain.
	Endpoint string
	// Freshness is how old an answer about a session gets before a request makes the SDK ask
	// again, in the background. The first time, the SDK asks at a random age between half of
	// Freshness and Freshness, so that it does not ask about all sessions at once. 0: ten
	// seconds.
	Freshness time.Duration
	// MaxStale is how old an answer may be and still count, whether Authgear can be asked or
	// not. So an ended session is still accepted for at most this long. 0: 30 seconds, or
	// Freshness if that is longer.
	MaxStale time.Duration
	// Revocations, when not nil, tells which users were disabled or have changed. What is
	// known about them then no longer counts: see [Revocations].
	Revocations Revocations
	// InsecureJWTFallback lets a JWT count by itself when Authgear's resolver cannot be
	// asked and no answer about the JWT counts. A disabled user is then valid until the
	// token expires, unless the token was refused here before or Revocations knows of the
	// user. false: such a request is told to come back later.
	InsecureJWTFallback bool
	// ClientIDs, when not empty, are the only OAuth clients whose tokens are accepted.
	// An opaque token does not tell its client, so it is then refused.
	ClientIDs []string
	// Resources are as in [JWTConfig]: without any, no client's own token is accepted.
	Resources []string
	// Cookies are the names of the session cookies, as in [ResolverConfig]. Empty:
	// "session".
	Cookies []string
	// TokenCookie, when not empty, is the name of a cookie that carries the access token
	// of a request without a Bearer token. It goes before session cookies.
	TokenCookie string
	// Leeway is the clock difference that is tolerated. 0: ten seconds; at most 60
	// seconds.
	Leeway time.Duration
	// CacheSize is how many tokens and cookies are kept. 0: 10,000. A negative number keeps
	// no verified tokens, as in [JWTConfig], but 10,000 answers.
	CacheSize int
	// Timeout is how long a request waits in all for an answer of the resolver. 0: five
	// seconds. If MaxStale is shorter, that counts.
	Timeout time.Duration
	// InternalURL is an origin at which Authgear is asked instead of Endpoint, as in
	// [JWTConfig].
	InternalURL string
	// ResolverURL is the complete internal address of a resolver, as in
	// [ResolverConfig]. Keys are then asked for at InternalURL, or at Endpoint.
	ResolverURL string
	// InsecureHTTP allows plain HTTP to other than loopback addresses.
	InsecureHTTP bool
	// HTTPClient, when not nil, is copied and used for every request to Authgear, as in
	// [ResolverConfig].
	HTTPClient *http.Client
	// Observer is told of each request to Authgear and of each Verify. nil:
	// LogObserver(nil).
	Observer *Observer
}

const (
	defaultFreshness = 10 * time.Second
	defaultMaxStale  = 30 * time.Second
)

// Hybrid is the [Authenticator] with the speed of a JWT and the freshness of the
// resolver. It verifies a JWT in the process. It asks the resolver about the JWT's
// session about once in each Freshness. The second call comes after half of Freshness at
// the earliest. The first request with a token waits for the answer. Later requests use
// the last answer while a new one is asked for. In steady use, a user who was disabled,
// or a session that was ended, is refused after Freshness and one call. After MaxStale it
// is refused in any case. With a webhook and Revocations it is refused at once.
//
// The same rule holds for opaque tokens and session cookies. The resolver does not know a
// client's own token, so that token is judged by itself.
type Hybrid struct {
	jwt         *JWT
	resolver    *Resolver
	freshness   time.Duration
	maxStale    time.Duration
	revocations Revocations
	fallback    bool
	renewals    renewals
}

// NewHybrid needs no network. There is nothing to close. The error joins all mistakes in
// the configuration, each with the name of its field.
func NewHybrid(config HybridConfig) (*Hybrid, error) {
	var errs configErrors
	observer := orDefault(config.Observer)
	freshness := cmp.Or(config.Freshness, defaultFreshness)
	maxStale := cmp.Or(config.MaxStale, max(defaultMaxStale, freshness))
	h := &Hybrid{
		freshness:   freshness,
		maxStale:    maxStale,
		revocations: config.Revocations,
		fallback:    config.InsecureJWTFallback,
		jwt: newJWT(JWTConfig{
			Endpoint: config.Endpoint, ClientIDs: config.ClientIDs, Resources: config.Resources, Leeway: config.Leeway,
			InternalURL: config.InternalURL, InsecureHTTP: config.InsecureHTTP, CacheSize: config.CacheSize,
			HTTPClient: config.HTTPClient, Observer: observer,
		}, &errs),
	}
	internal := config.InternalURL
	if config.ResolverURL != "" {
		internal = "" // InternalURL is for the keys then
	}
	timeout := config.Timeout
	if maxStale > 0 { // an answer counts from when its call began
		timeout = min(cmp.Or(timeout, defaultTimeout), maxStale)
	}
	kept := config.CacheSize
	if kept <= 0 {
		kept = maxAccepted
	}
	h.resolver = newResolver(ResolverConfig{
		Endpoint: config.Endpoint, InternalURL: internal, ResolverURL: config.ResolverURL, InsecureHTTP: config.InsecureHTTP,
		Cookies: config.Cookies, TokenCookie: config.TokenCookie, CacheTTL: max(freshness, 0), Timeout: timeout,
		HTTPClient: config.HTTPClient, Observer: observer,
	}, kept, &errs)
	h.resolver.credentials.unchecked = true
	if h.fallback {
		h.resolver.refusedUsers = &MemoryRevocations{}
	}
	errs.add("Freshness", checkDuration(config.Freshness))
	errs.add("MaxStale", checkDuration(config.MaxStale))
	if maxStale >= 0 && maxStale < freshness {
		errs.add("MaxStale", fmt.Errorf("%v is shorter than Freshness, which is %v", maxStale, freshness))
	}
	if isnil.IsNil(config.Revocations) {
		if config.Revocations != nil {
			errs.add("Revocations", errors.New("is a nil pointer"))
		}
		h.revocations = &MemoryRevocations{}
	}
	if err := errs.err("HybridConfig"); err != nil {
		return nil, err
	}
	return h, nil
}

// Ready returns nil when the project's keys are loaded and its resolver has been well
// once. Otherwise it asks for both, and returns an error with the causes if it gets no
// good answer. Use it for a readiness probe: the service may start without Authgear, and
// recovers by itself.
func (h *Hybrid) Ready(ctx context.Context) error {
	return errors.Join(h.jwt.Ready(ctx), h.resolver.Ready(ctx))
}

// Observer returns the observer of the configuration. A guard without an observer of its
// own uses it too.
func (h *Hybrid) Observer() *Observer { return h.jwt.observer }

// Authenticate implements [Authenticator] by the request's Bearer token, token cookie or
// session cookie, in this order: the first that is present decides.
func (h *Hybrid) Authenticate(ctx context.Context, request Request) (*Identity, error) {
	return h.authenticate(ctx, request, false)
}

// AuthenticateFresh implements [FreshAuthenticator]: the resolver is asked now, and
// InsecureJWTFallback does not count. A client's own token is judged by itself here too.
func (h *Hybrid) AuthenticateFresh(ctx context.Context, request Request) (*Identity, error) {
	return h.authenticate(ctx, request, true)
}

func (h *Hybrid) authenticate(ctx context.Context, request Request, fresh bool) (*Identity, error) {
	c, err := h.resolver.credentials.read(ctx, request)
	if err == nil && c.isNone() {
		err = h.resolver.credentials.noCredentials(request)
	}
	var identity *Identity
	if err == nil {
		identity, err = h.identify(ctx, c, fresh)
	}
	if err != nil {
		return nil, err
	}
	return identity, nil
}

// Verify finds the identity of an access token that did not come in a request: from a
// queue, in the first message of a socket, through another library's hook. The identity
// belongs to the caller; the error is always an [*Error].
func (h *Hybrid) Verify(ctx context.Context, token string) (*Identity, error) {
	start := time.Now()
	var identity *Identity
	err := checkToken(token)
	if err == nil {
		identity, err = h.identify(ctx, credential{token: token}, false)
	}
	h.jwt.observer.verified(ctx, start, identity, err)
	if err != nil {
		return nil, err
	}
	return identity, nil
}

func (h *Hybrid) identify(ctx context.Context, c credential, fresh bool) (*Identity, *Error) {
	fresh = fresh || contextkey.IsFresh(ctx)
	if c.token == "" {
		return h.ask(ctx, c, c.key(), fresh, time.Now()).give(c)
	}
	if !strings.Contains(c.token, ".") {
		return h.identifyOpaque(ctx, c, fresh)
	}
	key := tokenKey(c.token)
	identity, err := h.jwt.verifyNamed(ctx, c.token, key)
	if err != nil {
		err.Evidence.Ambient = c.ambient
		return nil, err
	}
	identity.Evidence.Ambient = c.ambient
	if identity.Kind == KindClient {
		return identity, nil
	}
	c.user, c.issuedAt = identity.ID, identity.issuedAt
	a := h.ask(ctx, c, key, fresh, identity.Evidence.CheckedAt)
	if a.identity != nil && a.identity.ID != identity.ID {
		a = malformed(errors.New("the resolver knows the token's session as that of another user"))
	}
	if a.err != nil {
		if h.fallback && !fresh && ctx.Err() == nil && h.mayFallBack(&a, c) {
			return identity, nil
		}
		_, err := a.give(c)
		return nil, err
	}
	identity.update(&a)
	return identity, nil
}

// identifyOpaque asks the resolver, which does not tell a token's client.
func (h *Hybrid) identifyOpaque(ctx context.Context, c credential, fresh bool) (*Identity, *Error) {
	err := checkAlphabet(c.token)
	if err == nil && len(h.jwt.rules.ClientIDs) > 0 {
		err = &Error{
			Reason: ReasonClientNotAllowed,
			Err:    errors.New(`an opaque token does not tell whether its client is one of ClientIDs; turn on "Issue JWT as access token" for the client in the Authgear portal`),
		}
	}
	if err != nil {
		err.Evidence.Ambient = c.ambient
		return nil, err
	}
	return h.ask(ctx, c, c.key(), fresh, time.Now()).give(c)
}

// update replaces what the token says by what the resolver says, which is newer. Client,
// scopes, expiry and custom claims stay: only the token tells them.
func (i *Identity) update(a *answer) {
	session := a.identity
	i.Source = SourceHybrid
	i.Anonymous, i.Verified = session.Anonymous, session.Verified
	i.CanReauthenticate, i.reauthUnstated = session.CanReauthenticate, false
	if !slices.Equal(i.Roles, session.Roles) {
		i.Roles = slices.Clone(session.Roles)
	}
	if len(session.AMR) > 0 {
		i.AMR = slices.Clone(session.AMR)
	}
	if !session.AuthenticatedAt.IsZero() {
		i.AuthenticatedAt = session.AuthenticatedAt
	}
	i.Evidence.Cached, i.Evidence.CheckedAt = a.cached, a.at
}

// mayFallBack reports whether a JWT counts by itself, in an outage.
func (h *Hybrid) mayFallBack(a *answer, c credential) bool {
	if a.decided() || !a.outage() && !h.resolver.failing.add(c.user) {
		return false
	}
	since := h.revocations.Cutoff(c.user).join(h.resolver.refusedUsers.Cutoff(c.user)).Tokens
	return since.IsZero() || c.issuedAt.After(since)
}
