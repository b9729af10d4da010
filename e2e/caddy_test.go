package e2e_test

import (
	"os/exec"
	"testing"

	"github.com/authgear/authgear-sdk-go/e2e/proxytest"
)

func TestCaddy(t *testing.T) {
	t.Parallel()
	proxytest.Run(t, proxytest.Proxy{
		Program: "caddy",
		Files:   []string{"Caddyfile"},
		Replace: func(p proxytest.Place) []string {
			pairs := []string{
				":8000 {", "http://:" + proxytest.Port(p.Addr) + " {\n bind 127.0.0.1",
				"https://" + proxytest.Project, "https://" + p.Resolver,
				"# Caddy in front", "{\n admin off\n storage file_system " + p.Dir + "\n}\n# Caddy in front",
				"unix//var/lib/caddy/", "unix/" + p.Dir + "/",
			}
			return append(append(append(pairs, p.Secret()...), p.CABundle()...), p.BackendAddress()...)
		},
		Command: func(program string, p proxytest.Place) *exec.Cmd {
			command := exec.Command(program, "run", "--config", p.Config, "--adapter", "caddyfile")
			command.Env = []string{"HOME=" + p.Dir}
			return command
		},
		LongTimeouts: []string{
			"response_header_timeout 5s", "response_header_timeout 1m",
			"response_header_timeout 3s", "response_header_timeout 1m",
			"dial_timeout 2s", "dial_timeout 1m",
		},
		ResolverHeaders: []string{"User-Agent"},
	})
}
