package e2e_test

import (
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/authgear/authgear-sdk-go/e2e/proxytest"
)

// Envoy is in no Debian package and is no Go module. To run this test, set ENVOY to the
// path of Envoy.
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
			// No other program has this address, since only the proxy has the port.
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
		LongTimeouts: []string{" timeout: 5s", " timeout: 60s"},
		NoCanary:     true,
	})
}

// socketAddress returns an address in the form of the file.
func socketAddress(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	return "address: " + host + ", port_value: " + port
}
