package doctor_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// tunnel is an egress proxy (RFC 9110 §9.3.6) that takes every name for this address.
func tunnel(address string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		server, err := net.Dial("tcp", address)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer server.Close()
		w.WriteHeader(http.StatusOK)
		client, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		go func() {
			_, _ = io.Copy(server, buffered)
			_ = server.Close()
		}()
		_, _ = io.Copy(client, server)
	}
}

func TestEgressProxy(t *testing.T) {
	t.Parallel()
	const name = "auth.example.com"
	ca := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(ca.certificate)
	project := authgeartest.New(t, authgeartest.Config{Endpoint: "https://" + name})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Forwarded-Proto", "https")
		project.ServeHTTP(w, r)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue(t, name, -time.Hour, time.Hour)}, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	defer server.Close()
	through := func(h http.HandlerFunc) doctor.Report {
		proxy := httptest.NewServer(h)
		defer proxy.Close()
		address := &url.URL{Scheme: "http", Host: strings.Replace(proxy.Listener.Addr().String(), "127.0.0.1", "localhost", 1)}
		transport := &http.Transport{Proxy: http.ProxyURL(address), TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
		defer transport.CloseIdleConnections()
		return doctor.Run(t.Context(), doctor.Config{Endpoint: "https://" + name, HTTPClient: &http.Client{Transport: transport}})
	}
	r := through(tunnel(server.Listener.Addr().String()))
	wantStep(t, r, "dns", doctor.StatusOK, "localhost, an egress proxy, is")
	wantStep(t, r, "connection", doctor.StatusOK, "answers")
	wantStep(t, r, "tls", doctor.StatusOK, "TLS 1.3, certificate until")
	if !r.OK() {
		t.Errorf("%s", r)
	}
	r = through(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) })
	wantStep(t, r, "connection", doctor.StatusOK)
	wantStep(t, r, "tls", doctor.StatusSkipped)
	wantStep(t, r, "discovery", doctor.StatusFailed, "Proxy Authentication Required", "egress proxy")
}
