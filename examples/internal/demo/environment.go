// Package demo is the part of the example servers that needs no framework: the
// environment, the embedded Authgear, starting and stopping.
package demo

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// environment is what the variables say. Only the configuration of the mode counts. In
// the mode hybrid, the configurations of jwt and resolver count. The Endpoint is "" for
// the embedded Authgear.
type environment struct {
	addr           string
	origins        []string
	trustedOrigins []string
	mode           string
	jwt            authgear.JWTConfig
	resolver       authgear.ResolverConfig
	forwarded      authgear.ForwardedConfig
	hybrid         hybridEnvironment
}

// modes are the ways to authenticate, each with the variables that it takes.
var modes = map[string][]string{
	"jwt": {
		"AUTHGEAR_ENDPOINT", "AUTHGEAR_INTERNAL_URL", "AUTHGEAR_INSECURE_HTTP", "AUTHGEAR_TOKEN_COOKIE",
		"AUTHGEAR_CLIENT_IDS", "AUTHGEAR_RESOURCES", "AUTHGEAR_ID_TOKEN_CLIENTS",
	},
	"resolver": {
		"AUTHGEAR_ENDPOINT", "AUTHGEAR_INTERNAL_URL", "AUTHGEAR_INSECURE_HTTP", "AUTHGEAR_TOKEN_COOKIE",
		"AUTHGEAR_RESOLVER_URL", "AUTHGEAR_COOKIES", "AUTHGEAR_CACHE_TTL", "AUTHGEAR_STALE_IF_ERROR",
	},
	"hybrid": {
		"AUTHGEAR_ENDPOINT", "AUTHGEAR_INTERNAL_URL", "AUTHGEAR_INSECURE_HTTP", "AUTHGEAR_TOKEN_COOKIE",
		"AUTHGEAR_CLIENT_IDS", "AUTHGEAR_RESOURCES", "AUTHGEAR_RESOLVER_URL", "AUTHGEAR_COOKIES",
		"AUTHGEAR_FRESHNESS", "AUTHGEAR_MAX_STALE", "AUTHGEAR_WEBHOOK_SECRET", "REDIS_URL",
	},
	"forwarded": {"AUTHGEAR_TRUSTED_PROXIES", "AUTHGEAR_PROXY_SECRET", "AUTHGEAR_FORWARDED_ROLES"},
}

// reader reads variables up to the first mistake.
type reader struct {
	mode string
	err  error
}

func readEnvironment() (environment, error) {
	r := reader{mode: os.Getenv("AUTHGEAR_MODE")}
	if r.mode == "" {
		r.mode = "jwt"
	}
	if modes[r.mode] == nil {
		return environment{}, fmt.Errorf("AUTHGEAR_MODE: %q is not one of jwt, resolver, hybrid, forwarded", r.mode)
	}
	r.refuseOthers()

	e := environment{
		addr:           os.Getenv("ADDR"),
		origins:        list("CORS_ORIGINS"),
		trustedOrigins: list("AUTHGEAR_TRUSTED_ORIGINS"),
		mode:           r.mode,
	}
	if e.addr == "" {
		e.addr = "127.0.0.1:8080"
	}
	r.check("ADDR", checkAddr(e.addr))
	insecure := r.flag("AUTHGEAR_INSECURE_HTTP")
	e.jwt = authgear.JWTConfig{
		Endpoint:       os.Getenv("AUTHGEAR_ENDPOINT"),
		InternalURL:    os.Getenv("AUTHGEAR_INTERNAL_URL"),
		InsecureHTTP:   insecure,
		TokenCookie:    os.Getenv("AUTHGEAR_TOKEN_COOKIE"),
		ClientIDs:      list("AUTHGEAR_CLIENT_IDS"),
		Resources:      list("AUTHGEAR_RESOURCES"),
		IDTokenClients: list("AUTHGEAR_ID_TOKEN_CLIENTS"),
	}
	e.resolver = authgear.ResolverConfig{
		Endpoint:     e.jwt.Endpoint,
		InternalURL:  e.jwt.InternalURL,
		ResolverURL:  os.Getenv("AUTHGEAR_RESOLVER_URL"),
		InsecureHTTP: insecure,
		TokenCookie:  e.jwt.TokenCookie,
		Cookies:      list("AUTHGEAR_COOKIES"),
		CacheTTL:     r.duration("AUTHGEAR_CACHE_TTL"),
		StaleIfError: r.duration("AUTHGEAR_STALE_IF_ERROR"),
	}
	e.forwarded = authgear.ForwardedConfig{
		TrustedProxies: r.prefixes("AUTHGEAR_TRUSTED_PROXIES"),
		TrustRoles:     r.flag("AUTHGEAR_FORWARDED_ROLES"),
	}
	e.hybrid = r.hybrid()
	if secret := os.Getenv("AUTHGEAR_PROXY_SECRET"); secret != "" {
		e.forwarded.Secrets = []string{secret}
	}
	if e.jwt.Endpoint == "" {
		for _, name := range []string{"AUTHGEAR_INTERNAL_URL", "AUTHGEAR_RESOLVER_URL"} {
			if os.Getenv(name) != "" {
				r.check(name, errors.New("needs AUTHGEAR_ENDPOINT, whose address it takes the place of"))
			}
		}
	}
	r.check("CORS_ORIGINS", checkOrigins(e.origins))
	return e, r.err
}

func (r *reader) check(name string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
}

// refuseOthers refuses variables of other modes, since whoever sets one expects an
// effect.
func (r *reader) refuseOthers() {
	for _, mode := range slices.Sorted(maps.Keys(modes)) {
		for _, name := range modes[mode] {
			if os.Getenv(name) != "" && !slices.Contains(modes[r.mode], name) {
				r.check(name, fmt.Errorf("has no meaning with AUTHGEAR_MODE=%s", r.mode))
			}
		}
	}
}

func (r *reader) flag(name string) bool {
	value := os.Getenv(name)
	if value != "" && value != "true" && value != "false" {
		r.check(name, fmt.Errorf("%q is neither true nor false", value))
	}
	return value == "true"
}

func (r *reader) duration(name string) time.Duration {
	value := os.Getenv(name)
	if value == "" {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		r.check(name, fmt.Errorf("%q is not a duration such as 10s or 1h30m", value))
	}
	return d
}

func (r *reader) prefixes(name string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, value := range list(name) {
		prefix, err := netip.ParsePrefix(value)
		if err != nil {
			r.check(name, fmt.Errorf("%q is not a prefix such as 10.1.0.0/16", value))
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes
}

// list reads a comma-separated variable.
func list(name string) []string {
	value := os.Getenv(name)
	if value == "" {
		return nil
	}
	items := strings.Split(value, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

func checkAddr(addr string) error {
	if _, err := net.ResolveTCPAddr("tcp", addr); err != nil || strings.ContainsRune(addr, ' ') {
		return fmt.Errorf("%q is not host:port", addr)
	}
	return nil
}

// origin matches what browsers send in Origin, except names in other scripts.
var origin = regexp.MustCompile(`^https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$`)

// checkOrigins refuses an origin at which the CORS middleware of some frameworks would
// panic. The middleware of other frameworks would never match this origin.
func checkOrigins(origins []string) error {
	for _, o := range origins {
		if o == "*" && len(origins) == 1 {
			continue
		}
		if u, err := url.Parse(o); err != nil || !origin.MatchString(o) || len(u.Port()) == 5 && u.Port() > "65535" {
			return fmt.Errorf("%q is not an origin such as https://app.example.com; * stands alone", o)
		}
	}
	return nil
}
