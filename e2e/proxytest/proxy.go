// Package proxytest tests a reverse proxy in front of the example servers: the
// real program with a configuration of docs/proxies, the embedded Authgear as
// resolver, and the answers that clients get.
package proxytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Proxy is a reverse proxy under test. The fields and docs say how it differs from
// other proxies.
type Proxy struct {
	// Program is a path, or the name of a program in PATH or an sbin folder.
	Program string
	// Needs are other files without which the proxy does not run.
	Needs []string
	// Files are copied from docs/proxies into Place.Dir, with the replacements made.
	// Command gets the first as Place.Config.
	Files []string
	// Replace returns pairs of old and new text. If an old text is in none of the
	// files, the test fails.
	Replace func(Place) []string
	// LongTimeouts has more pairs of old and new text. They make the proxy wait up to a
	// minute for the resolver, since a busy machine may take longer than the file allows.
	// The suite whose resolver hangs does not use them.
	LongTimeouts []string
	// Command starts the proxy in the foreground. Its output is shown when a
	// test fails.
	Command func(program string, place Place) *exec.Cmd

	// ResolverHeaders are the headers that the proxy itself adds to the request to the
	// resolver, besides Host, X-Forwarded-Proto and the credential.
	ResolverHeaders []string
	// KeepsUnknown says that X-Authgear-* headers that Authgear does not know reach the
	// backend, in their own spelling only.
	KeepsUnknown bool
	// KeepsTrailers says that the trailers of a chunked body reach the backend.
	KeepsTrailers bool
	// AnySuccess says that every 2xx answer of the resolver counts as a success.
	AnySuccess bool
	// RefusesTwoTokens says that the proxy itself answers 400 to two Authorization
	// lines.
	RefusesTwoTokens bool
	// AnyUpgrade says that the proxy passes on an Upgrade to any protocol.
	AnyUpgrade bool
	// WholeCookie says that other cookies reach the resolver together with a session
	// cookie.
	WholeCookie bool
	// PassesFailure says that the client gets the status and headers of an answer of
	// the resolver that is no success. If there is no answer, the proxy answers 500,
	// 502 or 504. Retry-After is set in either case.
	PassesFailure bool
	// NoCanary says that the proxy sends no invalid session cookie together with a
	// token, and does not tell the backend which credential the resolver got.
	NoCanary bool
	// NoClearingCookie says that the resolver's Set-Cookie does not reach the
	// client.
	NoClearingCookie bool
}

// Place says where a proxy runs, and what is around it.
type Place struct {
	Dir      string // for the proxy's own files; may be read by everybody
	Config   string // the path of the first of the files
	Addr     string // 127.0.0.1:port, to listen on
	Backend  string // 127.0.0.1:port
	Resolver string // 127.0.0.1:port, https for the name myapp.authgear.cloud
	Streams  bool   // quiet streams are tested; time-outs that would end them have to be TimeOut
	CA       string // the path of the certificate that signed the resolver's certificate
}

// These texts are in the files of docs/proxies.
const (
	Project    = "myapp.authgear.cloud"
	secret     = "replace-me-openssl-rand-hex-32"
	caBundle   = "/etc/ssl/certs/ca-certificates.crt"
	backend    = "127.0.0.1:8080"
	testSecret = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"
)

// Secret replaces the secret of the files.
func (p Place) Secret() []string { return []string{secret, testSecret} }

// CABundle replaces the path of the system's certificates.
func (p Place) CABundle() []string { return []string{caBundle, p.CA} }

// BackendAddress replaces the backend's address where the file has it as one text.
func (p Place) BackendAddress() []string { return []string{backend, p.Backend} }

// Port is the port of one of the addresses.
func Port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

var frameworks = []string{"gin", "echov5", "fiberv3", "nethttp", "echo", "fiber"}

// Main is called by a TestMain. It removes what the tests have built.
func Main(m *testing.M) {
	os.Exit(func() int {
		defer func() {
			if programs != "" {
				_ = os.RemoveAll(programs)
			}
		}()
		return m.Run()
	}())
}

// programs is the folder of the built example servers.
var programs string

// build builds the example servers once for all tests of a package.
var build = sync.OnceValue(func() error {
	root, err := root()
	if err != nil {
		return err
	}
	if programs, err = os.MkdirTemp("", "examples"); err != nil {
		return err
	}
	args := []string{"build", "-o", programs + "/"}
	for _, framework := range frameworks {
		args = append(args, "./"+framework)
	}
	command := exec.Command("go", args...)
	command.Dir = filepath.Join(root, "examples")
	command.Stderr = os.Stderr
	return command.Run()
})

// root finds the root of the repository from the folder of the package under test.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "docs", "proxies")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", os.ErrNotExist
		}
		dir = parent
	}
}

// Required says whether a missing program is a failure.
func Required() bool { return os.Getenv("AUTHGEAR_E2E") == "required" }

// Run tests a proxy in front of each framework's example server. It skips the
// test when the program is missing, unless the environment says
// AUTHGEAR_E2E=required.
func Run(t *testing.T, proxy Proxy) {
	t.Helper()
	program, missing := proxy.find()
	if missing != "" {
		if Required() {
			t.Fatalf("%s is missing, and AUTHGEAR_E2E=required", missing)
		}
		t.Skipf("%s is missing: install it, see docs", missing)
	}
	if err := build(); err != nil {
		t.Fatalf("building the example servers: %v", err)
	}
	// Not t.Parallel: most of the time is waiting for time-outs, not for a
	// processor.
	var running sync.WaitGroup
	for _, framework := range append(frameworks, recorder, fronted, hanging) {
		running.Go(func() {
			t.Run(framework, func(t *testing.T) { newSuite(t, proxy, program, framework).run(t) })
		})
	}
	running.Wait()
}

// find returns the path of the program, or what is missing.
func (p Proxy) find() (program, missing string) {
	for _, file := range p.Needs {
		if _, err := os.Stat(file); err != nil {
			return "", file
		}
	}
	for _, dir := range []string{"", "/usr/local/sbin/", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + p.Program); err == nil {
			return path, ""
		}
		if strings.ContainsRune(p.Program, '/') {
			break
		}
	}
	return "", p.Program
}
