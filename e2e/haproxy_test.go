package e2e_test

import (
	"os/exec"
	"testing"

	"github.com/authgear/authgear-sdk-go/e2e/proxytest"
)

func TestHAProxy(t *testing.T) {
	t.Parallel()
	proxytest.Run(t, proxytest.Proxy{
		Program: "haproxy",
		Files:   []string{"haproxy.cfg", "haproxy.lua"},
		Replace: func(p proxytest.Place) []string {
			pairs := []string{
				"bind :8000", "bind " + p.Addr,
				"abns@authgear", "abns@authgear-" + proxytest.Port(p.Addr),
				"user haproxy", "", // run as the user who runs the test
				"group haproxy", "",
				"/etc/haproxy/", p.Dir + "/",
				"server authgear " + proxytest.Project + ":443", "server authgear " + p.Resolver,
			}
			if p.Streams {
				pairs = append(pairs, "timeout server 60s", "timeout server "+proxytest.TimeOut)
			}
			return append(append(append(pairs, p.Secret()...), p.CABundle()...), p.BackendAddress()...)
		},
		Command: func(program string, p proxytest.Place) *exec.Cmd {
			return exec.Command(program, "-db", "-f", p.Config)
		},
		LongTimeouts: []string{
			"timeout connect 5s", "timeout connect 1m",
			"timeout connect 2s", "timeout connect 1m",
			"timeout server 3s", "timeout server 1m",
			"timeout http-request 10s", "timeout http-request 1m",
		},
		ResolverHeaders: []string{"User-Agent"},
		KeepsTrailers:   true,
	})
}
