package authgear_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// The error names all mistakes at once, each by its field, and no secret.
func TestNewForwardedMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config authgear.ForwardedConfig
		want   []string
	}{
		{"nothing proves the proxy", authgear.ForwardedConfig{TrustRoles: true}, []string{"TrustedProxies or Secrets: "}},
		{"empty lists", authgear.ForwardedConfig{TrustedProxies: []netip.Prefix{}, Secrets: []string{}}, []string{"TrustedProxies or Secrets: "}},
		{"everybody", authgear.ForwardedConfig{TrustedProxies: prefixes("0.0.0.0/0", "::/0", "10.0.0.0/0")}, []string{
			"TrustedProxies: 0.0.0.0/0 is everybody", "TrustedProxies: ::/0 is everybody", "TrustedProxies: 10.0.0.0/0 is everybody",
		}},
		{"everybody, beside a secret", authgear.ForwardedConfig{TrustedProxies: prefixes("::/0"), Secrets: []string{proxySecret}}, []string{"TrustedProxies: ::/0 is everybody"}},
		{"the zero prefix", authgear.ForwardedConfig{TrustedProxies: make([]netip.Prefix, 1)}, []string{"TrustedProxies: a prefix is not valid"}},
		{"too many bits", authgear.ForwardedConfig{TrustedProxies: []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr("10.0.0.1"), 33)}}, []string{"TrustedProxies: a prefix is not valid"}},
		{"mapped IPv4", authgear.ForwardedConfig{TrustedProxies: prefixes("::ffff:10.0.0.0/104")}, []string{"TrustedProxies: ::ffff:10.0.0.0/104 never matches"}},
		{"an empty secret", authgear.ForwardedConfig{Secrets: []string{""}}, []string{"Secrets: number 1 has 0 bytes, at least 32"}},
		{"a short secret", authgear.ForwardedConfig{Secrets: []string{proxySecret, proxySecret[:31]}}, []string{"Secrets: number 2 has 31 bytes, at least 32"}},
		{"a secret that cannot arrive", authgear.ForwardedConfig{Secrets: []string{proxySecret + "\n", " " + proxySecret, proxySecret + "ä", proxySecret + "\x7f"}}, []string{
			"Secrets: number 1 has other bytes", "Secrets: number 2 has other bytes", "Secrets: number 3 has other bytes", "Secrets: number 4 has other bytes",
		}},
		{"all at once", authgear.ForwardedConfig{TrustedProxies: prefixes("::/0", "10.0.0.0/8", "::ffff:0:0/96"), Secrets: []string{proxySecret[:31], proxySecret}}, []string{
			"authgear: ForwardedConfig: ", "TrustedProxies: ::/0", "TrustedProxies: ::ffff:0.0.0.0/96", "Secrets: number 1 ",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			auth, err := authgear.NewForwarded(c.config)
			if err == nil || auth != nil {
				t.Fatalf("%v, %v", auth, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in the error:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), proxySecret[:8]) {
				t.Errorf("a secret is in the error:\n%v", err)
			}
		})
	}
	for _, config := range []authgear.ForwardedConfig{
		{Secrets: []string{proxySecret}},
		{TrustedProxies: prefixes("127.0.0.1/32", "::1/128", "10.1.2.3/8")},
	} {
		if _, err := authgear.NewForwarded(config); err != nil {
			t.Error(err)
		}
	}
}

// What the configuration holds may change afterwards.
func TestForwardedCopiesItsConfig(t *testing.T) {
	t.Parallel()
	config := authgear.ForwardedConfig{TrustedProxies: prefixes("10.1.0.0/16"), Secrets: []string{proxySecret}}
	auth := newForwarded(t, config)
	config.TrustedProxies[0], config.Secrets[0] = netip.MustParsePrefix("10.2.0.0/16"), nextSecret
	if _, err := auth.Authenticate(t.Context(), from(proxyPeer, aSession, "", "X-Authgear-Proxy-Secret", proxySecret)); err != nil {
		t.Error(err, errors.Unwrap(err))
	}
	// It cannot ask, so a RequireFresh route must not take it.
	if _, ok := any(auth).(authgear.FreshAuthenticator); ok {
		t.Error("the proxy's answer passes for one of now")
	}
}
