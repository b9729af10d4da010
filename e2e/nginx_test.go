package e2e_test

import (
	"os/exec"
	"testing"

	"github.com/authgear/authgear-sdk-go/e2e/proxytest"
)

func TestMain(m *testing.M) { proxytest.Main(m) }

func TestNginx(t *testing.T) {
	t.Parallel()
	proxy := nginx("nginx.conf")
	proxy.KeepsUnknown = true // it removes by exact names only
	proxytest.Run(t, proxy)
}

func TestNginxHeadersMore(t *testing.T) {
	t.Parallel()
	const module = "/usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so"
	proxy := nginx("nginx-headers-more.conf")
	proxy.Needs = []string{module}
	proxytest.Run(t, proxy)
}

// nginx returns a proxy with what the two files of nginx share.
func nginx(file string) proxytest.Proxy {
	return proxytest.Proxy{
		Program: "nginx",
		Files:   []string{file},
		Replace: func(p proxytest.Place) []string {
			timeOuts := ""
			if p.Streams {
				timeOuts = "proxy_read_timeout " + proxytest.TimeOut + "; proxy_send_timeout " + proxytest.TimeOut + ";"
			}
			pairs := []string{
				"listen 8000;", "listen " + p.Addr + ";",
				// A second address of the name, whose failures count.
				"server    " + proxytest.Project + ":443", "server " + p.Resolver + "; server " + p.Resolver,
				"user www-data;", "", // run as the user who runs the test
				"worker_processes auto;", "worker_processes 1; pid " + p.Dir + "/pid; error_log stderr;",
				"location / {", "location / { client_max_body_size 100m;",
				"events {}", "events { worker_connections 64; }",
				"http {", "http { access_log off; " + timeOuts +
					" client_body_temp_path " + p.Dir + "/body; proxy_temp_path " + p.Dir + "/proxy;" +
					" fastcgi_temp_path " + p.Dir + "/fastcgi; uwsgi_temp_path " + p.Dir + "/uwsgi; scgi_temp_path " + p.Dir + "/scgi;",
			}
			return append(append(append(pairs, p.Secret()...), p.CABundle()...), p.BackendAddress()...)
		},
		Command: func(program string, p proxytest.Place) *exec.Cmd {
			return exec.Command(program, "-g", "daemon off;", "-c", p.Config)
		},
		LongTimeouts:     nginxLongTimeouts,
		AnySuccess:       true,
		RefusesTwoTokens: true,
	}
}

// nginxLongTimeouts makes nginx wait up to a minute for the resolver.
var nginxLongTimeouts = []string{
	"proxy_connect_timeout       2s;", "proxy_connect_timeout 1m;",
	"proxy_send_timeout          3s;", "proxy_send_timeout 1m;",
	"proxy_read_timeout          3s;", "proxy_read_timeout 1m;",
	"proxy_next_upstream_timeout 2s;", "proxy_next_upstream_timeout 1m;",
}
