package docs

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

func proxyFile(t *testing.T, name string) string {
	t.Helper()
	return read(t, filepath.Join("proxies", filepath.FromSlash(name)))
}

// All files copy the same headers from the resolver's answer. If a file left out a
// header, the client's own header would reach the backend.
func TestProxyFields(t *testing.T) {
	t.Parallel()
	lists := map[string]*regexp.Regexp{
		"nginx.conf":                         regexp.MustCompile(`(?m)^ *proxy_set_header (X-Authgear-[A-Za-z-]+) +\$`),
		"traefik-dynamic.yaml":               regexp.MustCompile(`(?m)^ *- (X-Authgear-[A-Za-z-]+)$`),
		"envoy.yaml":                         regexp.MustCompile(`(?m)^ *- exact: (x-authgear-[a-z-]+)$`),
		"kubernetes/traefik-middleware.yaml": regexp.MustCompile(`(?m)^ *- (X-Authgear-[A-Za-z-]+)$`),
		"kubernetes/envoy-gateway-securitypolicy.yaml": regexp.MustCompile(`(?m)^ *- (x-authgear-[a-z-]+)$`),
	}
	answer := []string{
		"x-authgear-session-amr", "x-authgear-session-authenticated-at", "x-authgear-session-valid",
		"x-authgear-user-anonymous", "x-authgear-user-can-reauthenticate", "x-authgear-user-id",
		"x-authgear-user-roles", "x-authgear-user-verified",
	}
	for name, list := range lists {
		want := answer
		if name != "envoy.yaml" && name != "traefik-dynamic.yaml" { // Traefik is configured otherwise
			want = append([]string{"x-authgear-credential"}, answer...)
		}
		var fields []string
		for _, match := range list.FindAllStringSubmatch(proxyFile(t, name), -1) {
			fields = append(fields, strings.ToLower(match[1]))
		}
		slices.Sort(fields)
		if !slices.Equal(fields, want) {
			t.Errorf("%s copies\n%q, want\n%q", name, fields, want)
		}
	}
}

// If somebody forgets to replace the secret of a file, no backend accepts it.
func TestProxyPlaceholders(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile(`(?i)X-Authgear-Proxy-Secret[:,\s]+(?:value: )?"?([\w-]+)`)
	for _, name := range []string{
		"nginx.conf", "nginx-headers-more.conf", "Caddyfile", "haproxy.cfg", "traefik-dynamic.yaml", "envoy.yaml",
		"kubernetes/traefik-middleware.yaml", "kubernetes/envoy-gateway-securitypolicy.yaml",
	} {
		placeholders := secret.FindAllStringSubmatch(proxyFile(t, name), -1)
		if len(placeholders) != 1 {
			t.Errorf("%s sends the secrets %q, want one", name, placeholders)
			continue
		}
		if _, err := authgear.NewForwarded(authgear.ForwardedConfig{Secrets: []string{placeholders[0][1]}}); err == nil {
			t.Errorf("%s: the secret %q is accepted", name, placeholders[0][1])
		}
	}
}

// The Kubernetes resources decide like the tested files.
func TestKubernetesFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, tested string
		line         *regexp.Regexp
		lines        int
	}{
		{"kubernetes/traefik-middleware.yaml", "traefik-dynamic.yaml", regexp.MustCompile(`(?m)'\(\?i\).*'$`), 1},
		{"kubernetes/envoy-gateway-securitypolicy.yaml", "envoy.yaml", regexp.MustCompile(`(?m)'x\(.*'$`), 1},
		// These lines of nginx choose the credential, and make the request to the
		// resolver.
		{"kubernetes/resolver-relay.yaml", "nginx.conf", regexp.MustCompile(`(?m)^ +(map .*|default .*|"[~";].*|(token|cookie) +[$"].*|server    .*|proxy_(set_header|ssl|method|pass|http|buffer|connect|send|read|next).*)$`), 40},
	} {
		tested := strings.Join(strings.Fields(proxyFile(t, c.tested)), " ")
		lines := c.line.FindAllString(proxyFile(t, c.name), -1)
		if len(lines) != c.lines {
			t.Errorf("%s: %d lines to compare, want %d", c.name, len(lines), c.lines)
		}
		for _, line := range lines {
			if line := strings.Join(strings.Fields(line), " "); !strings.Contains(tested, line) {
				t.Errorf("%s has %q, %s has not", c.name, line, c.tested)
			}
		}
	}
}
