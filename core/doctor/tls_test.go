package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
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

// authority is a private CA.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-999 * time.Hour), NotAfter: time.Now().Add(999 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key}
}

// issue returns a server's certificate.
func (a authority) issue(t *testing.T, name string, from, until time.Duration) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// dialer returns a client that takes each name for this address, but fails for a name
// that begins with "missing".
func dialer(address string, roots *x509.CertPool) *http.Client {
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no DNS in this test") }}
	real := &net.Dialer{Resolver: resolver}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, asked string) (net.Conn, error) {
			if !strings.HasPrefix(asked, "missing") {
				asked = address
			}
			return real.DialContext(ctx, network, asked)
		},
	}}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	const name, hour = "auth.example.com", time.Hour
	ca, stranger := newAuthority(t), newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(ca.certificate)
	project := authgeartest.New(t, authgeartest.Config{Endpoint: "https://" + name})
	proxied := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Forwarded-Proto", "https")
		project.ServeHTTP(w, r)
	})
	for _, c := range []struct {
		name        string
		certificate tls.Certificate
		step        string
		status      doctor.Status
		says        []string
	}{
		{"good", ca.issue(t, name, -hour, hour), "tls", doctor.StatusOK, []string{"TLS 1.3, certificate until"}},
		{"expired", ca.issue(t, name, -9*hour, -hour), "tls", doctor.StatusFailed, []string{"the certificate has expired at", "Renew"}},
		{"not yet good", ca.issue(t, name, hour, 9*hour), "tls", doctor.StatusFailed, []string{"good from", "clock"}},
		{"another name", ca.issue(t, "other.example.com", -hour, hour), "tls", doctor.StatusFailed, []string{`for "other.example.com", not for auth.example.com`, "InternalURL"}},
		{"another CA", stranger.issue(t, name, -hour, hour), "tls", doctor.StatusFailed, []string{"does not know", "SSL_CERT_FILE"}},
		{"no TLS", tls.Certificate{}, "tls", doctor.StatusFailed, []string{"speaks plain HTTP"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(proxied)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			if c.certificate.Certificate == nil {
				server.Start()
			} else {
				server.TLS = &tls.Config{Certificates: []tls.Certificate{c.certificate}, MinVersion: tls.VersionTLS13}
				server.StartTLS()
			}
			defer server.Close()
			r := doctor.Run(t.Context(), doctor.Config{Endpoint: "https://" + name, HTTPClient: dialer(server.Listener.Addr().String(), roots)})
			wantStep(t, r, c.step, c.status, c.says...)
			if r.OK() != (c.status == doctor.StatusOK) {
				t.Errorf("%s", r)
			}
		})
	}
}

// closedAddress returns an address on which nobody listens before the test ends: the
// client's end of an open connection has it.
func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().String()
}

func TestConnection(t *testing.T) {
	t.Parallel()
	address := closedAddress(t)
	r := doctor.Run(t.Context(), doctor.Config{Endpoint: "https://missing.example.com", HTTPClient: dialer(address, nil)})
	wantStep(t, r, "dns", doctor.StatusFailed, `the name "missing.example.com" cannot be looked up`, "Look at the spelling")
	wantStep(t, r, "discovery", doctor.StatusSkipped)
	proxied := dialer(address, nil)
	proxied.Transport.(*http.Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "missing.example.com:3128"})
	r = doctor.Run(t.Context(), doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: proxied})
	wantStep(t, r, "dns", doctor.StatusFailed, "missing.example.com", "egress proxy")
	r = doctor.Run(t.Context(), doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: dialer(address, nil)})
	wantStep(t, r, "connection", doctor.StatusFailed, "refused", "HTTPS_PROXY")
	wantStep(t, r, "tls", doctor.StatusSkipped, "since connection has failed")
	r = doctor.Run(t.Context(), doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: &http.Client{Transport: roundTripper{}}})
	wantStep(t, r, "dns", doctor.StatusSkipped, "connects by itself")
	wantStep(t, r, "discovery", doctor.StatusFailed, "no network here")
}

// A server that accepts the connection may still say nothing.
func TestHandshakeWithoutEnd(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = conn.Read(make([]byte, 1))
			giveUp()
			<-ended
			_ = conn.Close()
		}
	}()
	r := doctor.Run(ctx, doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: dialer(listener.Addr().String(), nil)})
	wantStep(t, r, "tls", doctor.StatusFailed, "the handshake does not end")
	close(ended)
	_ = listener.Close()
}

// roundTripper is a transport of the user's own.
type roundTripper struct{}

func (roundTripper) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network here")
}
