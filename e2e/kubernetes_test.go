package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/e2e/proxytest"
)

// No cluster runs here, but everything that decides about a request does: Traefik with
// the specifications of the Middleware resources, which have the same form in a file,
// and nginx with the configuration of the relay.
func TestTraefikMiddlewareOfKubernetes(t *testing.T) {
	t.Parallel()
	program := os.Getenv("TRAEFIK")
	if program == "" {
		t.Skip("TRAEFIK names no program: run make e2e-traefik")
	}
	proxytest.Run(t, proxytest.Proxy{
		Program: program,
		Files:   []string{"traefik.yaml", "kubernetes/traefik-middleware.yaml", "kubernetes/resolver-relay.yaml"},
		Needs:   []string{"/usr/sbin/nginx"},
		Replace: func(p proxytest.Place) []string {
			pairs := []string{
				`":8000"`, `"` + p.Addr + `"` + readTimeout(p),
				`"127.0.0.1:8001"`, `"127.0.0.3:` + proxytest.Port(p.Addr) + `"`,
				"/etc/traefik/", p.Dir + "/",
				"http://authgear-relay.default.svc.cluster.local/", "http://" + relay(p) + "/",
				// A second address of the name, whose failures count.
				"server    " + proxytest.Project + ":443", "server " + p.Resolver + "; server " + p.Resolver,
				"listen 8080;", "listen " + relay(p) + ";",
				"worker_processes auto;", "worker_processes 1; pid " + p.Dir + "/pid; error_log stderr;",
				"access_log off;", "access_log off;" +
					" client_body_temp_path " + p.Dir + "/body; proxy_temp_path " + p.Dir + "/proxy;" +
					" fastcgi_temp_path " + p.Dir + "/fastcgi; uwsgi_temp_path " + p.Dir + "/uwsgi; scgi_temp_path " + p.Dir + "/scgi;",
			}
			return append(append(pairs, p.Secret()...), p.CABundle()...)
		},
		Command: func(program string, p proxytest.Place) *exec.Cmd {
			startRelay(t, p)
			writeDynamic(t, p)
			return exec.Command(program, "--configFile="+p.Config)
		},
		LongTimeouts:     nginxLongTimeouts,
		AnyUpgrade:       true,
		AnySuccess:       true,
		RefusesTwoTokens: true,
	})
}

// relay returns an address that no other program has, since only Traefik has the port.
func relay(p proxytest.Place) string { return "127.0.0.2:" + proxytest.Port(p.Addr) }

// startRelay starts nginx with the configuration in the ConfigMap.
func startRelay(t *testing.T, p proxytest.Place) {
	_, configuration, found := strings.Cut(installed(t, p, "resolver-relay.yaml"), "nginx.conf: |\n")
	configuration, _, ended := strings.Cut(configuration, "---\n")
	if !found || !ended {
		t.Error("resolver-relay.yaml has no nginx.conf")
	}
	file := filepath.Join(p.Dir, "relay.conf")
	if err := os.WriteFile(file, []byte(configuration), 0o644); err != nil {
		t.Error(err)
	}
	command := exec.Command("/usr/sbin/nginx", "-g", "daemon off;", "-c", file)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
	})
}

// writeDynamic writes the Middleware resources, and the router of the IngressRoute, in
// the form of Traefik's file provider.
func writeDynamic(t *testing.T, p proxytest.Place) {
	text := "http:\n  middlewares:\n"
	names := []string{}
	for _, resource := range strings.Split(installed(t, p, "traefik-middleware.yaml"), "---\n") {
		if !strings.Contains(resource, "kind: Middleware\n") {
			continue
		}
		_, name, _ := strings.Cut(resource, "  name: ")
		name, _, _ = strings.Cut(name, "\n")
		names = append(names, name)
		_, spec, _ := strings.Cut(resource, "\nspec:\n")
		text += "    " + name + ":\n"
		for line := range strings.Lines(spec) {
			text += "    " + line
		}
	}
	if !strings.Contains(installed(t, p, "traefik-middleware.yaml"), "- name: "+strings.Join(names, "\n        - name: ")+"\n") {
		t.Errorf("the IngressRoute does not have the middlewares %q", names)
	}
	text += "  routers:\n    backend:\n      entryPoints: [web]\n      rule: PathPrefix(`/`)\n      service: backend\n" +
		"      middlewares: [" + strings.Join(names, ", ") + "]\n" +
		"  services:\n    backend:\n      loadBalancer:\n        servers:\n          - url: http://" + p.Backend + "\n"
	if err := os.WriteFile(filepath.Join(p.Dir, "traefik-dynamic.yaml"), []byte(text), 0o644); err != nil {
		t.Error(err)
	}
}

// installed returns one of the copied files.
func installed(t *testing.T, p proxytest.Place, name string) string {
	content, err := os.ReadFile(filepath.Join(p.Dir, name))
	if err != nil {
		t.Error(err)
	}
	return string(content)
}
