package e2e_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/authgear/authgear-sdk-go/e2e/proxytest"
)

// readTimeout returns the lines that set the readTimeout of an entry point. Without them it
// has Traefik's default of 60 seconds. They are needed only where streams are tested.
func readTimeout(p proxytest.Place) string {
	if !p.Streams {
		return ""
	}
	return "\n    transport: { respondingTimeouts: { readTimeout: " + proxytest.TimeOut + " } }"
}

// Traefik is in no Debian package. make e2e-traefik builds it, and sets TRAEFIK to its
// path.
func TestTraefik(t *testing.T) {
	t.Parallel()
	program := os.Getenv("TRAEFIK")
	if program == "" {
		t.Skip("TRAEFIK names no program: run make e2e-traefik")
	}
	proxytest.Run(t, proxytest.Proxy{
		Program: program,
		Files:   []string{"traefik.yaml", "traefik-dynamic.yaml"},
		Replace: func(p proxytest.Place) []string {
			pairs := []string{
				`":8000"`, `"` + p.Addr + `"` + readTimeout(p),
				// No other program has this address, since the port is the proxy's
				// address own.
				"127.0.0.1:8001", "127.0.0.2:" + proxytest.Port(p.Addr),
				"/etc/traefik/", p.Dir + "/",
				"https://" + proxytest.Project, "https://" + p.Resolver,
			}
			return append(append(append(pairs, p.Secret()...), p.CABundle()...), p.BackendAddress()...)
		},
		Command: func(program string, p proxytest.Place) *exec.Cmd {
			return exec.Command(program, "--configFile="+p.Config)
		},
		LongTimeouts:    []string{"dialTimeout: 2s", "dialTimeout: 1m", "responseHeaderTimeout: 5s", "responseHeaderTimeout: 1m"},
		ResolverHeaders: []string{"User-Agent", "Accept-Encoding"}, // Go's HTTP client sets them
		AnyUpgrade:      true,
		WholeCookie:     true,
		PassesFailure:   true,
		AnySuccess:      true,
	})
}
