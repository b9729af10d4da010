package authgear

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

// ForwardedConfig configures [NewForwarded]. TrustedProxies or Secrets is
// required; when both are given, both must hold.
type ForwardedConfig struct {
	// TrustedProxies are the addresses of the reverse proxy, as this service's
	// sockets see them: 127.0.0.1/32, 10.1.0.0/16. X-Forwarded-For and similar
	// headers never count, so no middleware may rewrite RemoteAddr by them. The
	// SDK could not notice that, and would trust a client that states such an
	// address. Prefer Secrets.
	TrustedProxies []netip.Prefix
	// Secrets are the values that the reverse proxy may send as
	// X-Authgear-Proxy-Secret, 32 bytes or longer. Give several while one replaces
	// another.
	Secrets []string
	// TrustRoles lets X-Authgear-User-Roles count. false: there are no roles. Set
	// it only when the proxy sets or removes that header for each request. The
	// configuration in Authgear's own documentation does neither, so there a
	// client could give itself roles.
	TrustRoles bool
	// Observer is told of headers that were ignored. nil: LogObserver(nil).
	Observer *Observer
}

const (
	proxySecretHeader = "X-Authgear-Proxy-Secret"
	credentialHeader  = "X-Authgear-Credential"

	minSecret         = 32 // bytes
	silencesForNotice = 100
)

// Forwarded is the [Authenticator] of a service behind a reverse proxy that
// asks Authgear's resolver about each request, and forwards the X-Authgear-*
// headers of its answer. The headers count only when it is proven that the
// proxy has set them. docs/proxies.md has configurations of proxies.
type Forwarded struct {
	credentials credentialReader // of Authorization alone

	trusted    []netip.Prefix
	secrets    [][sha256.Size]byte
	trustRoles bool
	observer   *Observer

	silences     atomic.Int64
	heardRefusal atomic.Bool
}

// NewForwarded returns an error that joins all mistakes in the configuration,
// each with the name of its field.
func NewForwarded(config ForwardedConfig) (*Forwarded, error) {
	var errs configErrors
	if len(config.TrustedProxies) == 0 && len(config.Secrets) == 0 {
		errs.add("TrustedProxies or Secrets", errors.New("one is needed, else any client could state its identity"))
	}
	for _, prefix := range config.TrustedProxies {
		errs.add("TrustedProxies", checkPrefix(prefix))
	}
	secrets := make([][sha256.Size]byte, len(config.Secrets))
	for i, secret := range config.Secrets {
		if err := checkSecret(secret); err != nil {
			errs.add("Secrets", fmt.Errorf("number %d %w", i+1, err))
		}
		secrets[i] = sha256.Sum256([]byte(secret))
	}
	if err := errs.err("ForwardedConfig"); err != nil {
		return nil, err
	}
	observer := orDefault(config.Observer)
	return &Forwarded{
		credentials: credentialReader{observer: observer},
		trusted:     slices.Clone(config.TrustedProxies),
		secrets:     secrets,
		trustRoles:  config.TrustRoles,
		observer:    observer,
	}, nil
}

func checkPrefix(prefix netip.Prefix) error {
	switch {
	case !prefix.IsValid():
		return errors.New("a prefix is not valid")
	case prefix.Bits() == 0:
		return fmt.Errorf("%s is everybody", prefix)
	case prefix.Addr().Is4In6():
		return fmt.Errorf("%s never matches; write it as an IPv4 prefix", prefix)
	}
	return nil
}

// checkSecret refuses a secret that could not arrive unchanged: servers remove
// spaces around a header's value, and refuse control bytes.
func checkSecret(secret string) error {
	if len(secret) < minSecret {
		return fmt.Errorf("has %d bytes, at least %d are needed; openssl rand -hex 32 makes a good one", len(secret), minSecret)
	}
	for i := range len(secret) {
		if c := secret[i]; c <= ' ' || c >= 0x7f {
			return errors.New("has other bytes than visible ASCII")
		}
	}
	return nil
}

// Observer returns the observer of the configuration. A guard without an
// observer of its own uses it too.
func (f *Forwarded) Observer() *Observer { return f.observer }

// Authenticate implements [Authenticator] by the X-Authgear-* headers of the
// request.
func (f *Forwarded) Authenticate(ctx context.Context, r Request) (*Identity, error) {
	c, malformed := f.credentials.read(ctx, r)
	if malformed != nil {
		return nil, malformed
	}
	if err := f.checkProxy(r); err != nil {
		switch {
		case err.Reason != ReasonNoCredentials:
		case hasIdentityHeader(r):
			f.observer.ReportNotice(ctx, NoticeUntrustedProxy, fmt.Errorf("X-Authgear-* headers were ignored: %w", err.Err))
		case c.token == "" && sessionLike(r.Values("Cookie")) == "":
			err.Err = nil // nobody would be known either way
		}
		return nil, err
	}
	if err := checkConnection(r); err != nil {
		return nil, &Error{Reason: ReasonAnswerMalformed, Err: err}
	}
	sent, err := sentCredential(r)
	if err != nil {
		return nil, &Error{Reason: ReasonAnswerMalformed, Err: err}
	}
	s, err := session.Parse(r.Values)
	if err != nil {
		return nil, &Error{Reason: ReasonAnswerMalformed, Err: fmt.Errorf("from the reverse proxy: %w", err)}
	}
	evidence := Evidence{Ambient: sent == sentCookie || sent == "" && c.token == ""}
	switch {
	case s.State == session.Valid:
		if !f.trustRoles {
			s.Roles = nil
		}
		return newSessionIdentity(s, SourceForwarded, evidence), nil
	case s.State == session.Refused:
		f.heardRefusal.Store(true)
		if evidence.Ambient {
			return nil, &Error{Reason: ReasonSessionInvalid, Err: errRefusedAtProxy, Evidence: evidence}
		}
		return nil, &Error{Reason: ReasonTokenRejected, Err: errRefusedAtProxy, Evidence: evidence}
	case sent != "":
		return nil, f.silence(ctx)
	case c.token != "":
		return nil, &Error{Reason: ReasonTokenRejected, Err: errNothingForwarded, Evidence: evidence}
	case sessionLike(r.Values("Cookie")) != "":
		return nil, &Error{Reason: ReasonNoCredentials, Err: errNothingForwarded}
	default:
		return nil, &Error{Reason: ReasonNoCredentials}
	}
}

var (
	errRefusedAtProxy   = errors.New("refused by Authgear, as the reverse proxy tells")
	errNothingForwarded = errors.New("the reverse proxy has added no X-Authgear-* header: Authgear does not know the credential, or the proxy does not ask it about this path, or does not forward the headers of its answer; compare its configuration with docs/proxies.md")
)

// The values of X-Authgear-Credential: what the proxy has sent to the resolver.
const (
	sentToken  = "token"
	sentCookie = "cookie"
)

// sentCredential returns "" when the proxy does not say.
func sentCredential(r Request) (string, error) {
	switch lines := r.Values(credentialHeader); {
	case len(lines) == 0 || len(lines) == 1 && lines[0] == "":
		return "", nil
	case len(lines) == 1 && (lines[0] == sentToken || lines[0] == sentCookie):
		return lines[0], nil
	default:
		return "", fmt.Errorf("from the reverse proxy: %s is not one of %q and %q", credentialHeader, sentToken, sentCookie)
	}
}

// silence returns the error for a credential that the proxy has sent and got no
// answer to. The proxy sends a canary beside the credential (docs/proxies.md),
// and with that Authgear's refusals are explicit. So either Authgear's database
// has failed in the middle of the call, or no cookie of the project has the
// canary's name.
func (f *Forwarded) silence(ctx context.Context) *Error {
	if n := f.silences.Add(1); n%silencesForNotice == 0 && !f.heardRefusal.Load() {
		f.observer.ReportNotice(ctx, NoticeCanary, fmt.Errorf("%d requests had no answer of Authgear and none a refusal; is the name of the canary's cookie that of the project's session cookie (http.cookie_prefix)?", n))
	}
	return &Error{Reason: ReasonResolverSilent, Err: errors.New("the reverse proxy has sent the credential, and got an empty answer")}
}

// checkProxy returns nil when the reverse proxy has set the headers of the
// request. A wrong secret means that the proxy and this service have different
// ones. That must not sign everybody out.
func (f *Forwarded) checkProxy(r Request) *Error {
	untrusted := func(err error) *Error { return &Error{Reason: ReasonNoCredentials, Err: err} }
	if len(f.trusted) > 0 {
		peer, err := netip.ParseAddrPort(r.RemoteAddr())
		if err != nil {
			return untrusted(fmt.Errorf("the peer %s has no IP address and port: middleware has rewritten it, or it is a Unix socket; "+
				"take out what rewrites it (RealIP, ProxyHeaders), or use Secrets", quote.Quote(r.RemoteAddr())))
		}
		address := peer.Addr().Unmap().WithZone("")
		if !slices.ContainsFunc(f.trusted, func(p netip.Prefix) bool { return p.Contains(address) }) {
			return untrusted(fmt.Errorf("the peer %s is not one of TrustedProxies; if it is the reverse proxy, add its address", address))
		}
	}
	if len(f.secrets) == 0 {
		return nil
	}
	lines := r.Values(proxySecretHeader)
	if len(lines) != 1 || lines[0] == "" {
		return untrusted(fmt.Errorf("the %s header is missing, empty or repeated; the reverse proxy has to set it to one of Secrets", proxySecretHeader))
	}
	sum, same := sha256.Sum256([]byte(lines[0])), 0
	for i := range f.secrets { // all of them, in the same time for each request
		same |= subtle.ConstantTimeCompare(sum[:], f.secrets[i][:])
	}
	if same == 0 {
		return &Error{Reason: ReasonProxySecretMismatch, Err: fmt.Errorf("%s is none of Secrets", proxySecretHeader)}
	}
	return nil
}

func hasIdentityHeader(r Request) bool {
	for name := range r.Names() {
		if session.IsHeader(name) {
			return true
		}
	}
	return false
}

// checkConnection refuses a request that asks for an identity header to be
// removed on its way (RFC 9110 §7.6.1): the headers that arrive are then not
// those that were set.
func checkConnection(r Request) error {
	for _, line := range r.Values("Connection") {
		for option := range strings.SplitSeq(line, ",") {
			if session.IsHeader(strings.Trim(option, " \t")) {
				return fmt.Errorf("the header Connection names %s", quote.Quote(option))
			}
		}
	}
	return nil
}
