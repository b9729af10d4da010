package e2e_test

import (
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/authgear/authgear-sdk-go/e2e/proxytest"
)

// Envoy is in no package of Debian's, and no Go module: who has it names it in
// ENVOY.
func TestEnvoy(t *testing.T) {
	t.Parallel()
	program := os.Getenv("ENVOY")
	if program == "" {
		t.Skip("ENVOY names no program")
	}
	proxytest.Run(t, proxytest.Proxy{
		Program: program,
		Files:   []string{"envoy.yaml"},
		Replace: func(p proxytest.Place) []string {
			// Nobody else has this address: the port is the proxy's own.
			itself := "127.0.0.2:" + proxytest.Port(p.Addr)
			pairs := []string{
				socketAddress("0.0.0.0:8000"), socketAddress(p.Addr),
				socketAddress("127.0.0.1:8001"), socketAddress(itself),
				"127.0.0.1:8001", itself,
				socketAddress("127.0.0.1:8080"), socketAddress(p.Backend),
				socketAddress(proxytest.Project + ":443"), socketAddress(p.Resolver),
			}
			return append(append(pairs, p.Secret()...), p.CABundle()...)
		},
		Command: func(program string, p proxytest.Place) *exec.Cmd {
			return exec.Command(program, "-c", p.Config, "--log-level", "warning",
				"--disable-hot-restart", "--concurrency", "1")
		},
		NoCanary: true,
	})
}

// socketAddress is an address as the file writes it.
func socketAddress(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	return "address: " + host + ", port_value: " + port
}
