package authgear_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An internal address is asked with the endpoint's Host and X-Forwarded-Proto,
// by the user's own client with a private CA; TLS is verified against the
// address's own name.
func TestInternalURL(t *testing.T) {
	t.Parallel()
	const endpoint = "https://auth.example.com"
	server := authgeartest.New(t, authgeartest.Config{Endpoint: endpoint})
	alice := server.AddUser(authgeartest.User{ID: "alice"})

	var mu sync.Mutex
	asked := map[string]bool{}
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.Host+" "+r.Header.Get("X-Forwarded-Proto")] = true
		mu.Unlock()
		server.ServeHTTP(w, r)
	}))
	front.StartTLS() // its certificate is for example.com and 127.0.0.1
	t.Cleanup(front.Close)
	roots := x509.NewCertPool()
	roots.AddCert(front.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)

	auth := newJWT(t, authgear.JWTConfig{Endpoint: endpoint, InternalURL: front.URL, HTTPClient: &http.Client{Transport: transport}})
	if identity, err := auth.Verify(t.Context(), server.AccessToken(alice)); err != nil || identity.ID != "alice" {
		t.Errorf("identity = %v, %v", identity, err)
	}
	if len(asked) != 1 || !asked["auth.example.com https"] {
		t.Errorf("asked with %v", asked)
	}

	// Another name than the certificate's, and a client without the CA.
	localhost := strings.Replace(front.URL, "127.0.0.1", "localhost", 1)
	for _, config := range []authgear.JWTConfig{
		{Endpoint: endpoint, InternalURL: localhost, HTTPClient: &http.Client{Transport: transport}},
		{Endpoint: endpoint, InternalURL: front.URL},
	} {
		_, err := newJWT(t, config).Verify(t.Context(), server.AccessToken(alice))
		wantReason(t, err, authgear.ReasonKeysUnavailable)
	}
}

// What can be wrong with an endpoint is told to the operator by name, and the
// service recovers by itself.
func TestBadEndpoints(t *testing.T) {
	t.Parallel()
	server := authgeartest.New(t)
	token := server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	const discovery, jwks = "/.well-known/openid-configuration", "/oauth2/jwks"
	answer := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	for _, c := range []struct {
		name, path string
		handler    http.Handler
		want       string
	}{
		{"a web page", discovery, answer(200, "<!DOCTYPE html><html></html>"), "web page"},
		{"a redirect", discovery, http.RedirectHandler("https://other.example.com/login?secret=x", http.StatusFound), "https://other.example.com,"},
		{"another issuer", discovery, answer(200, `{"issuer":"https://evil.example.com","jwks_uri":"https://evil.example.com/jwks"}`), `"https://evil.example.com"`},
		{"keys elsewhere", discovery, answer(200, `{"issuer":"`+server.Endpoint()+`","jwks_uri":"https://evil.example.com/jwks"}`), "jwks_uri"},
		{"not found", discovery, answer(404, `{}`), "404"},
		{"keys fail", jwks, answer(500, `{}`), "500"},
		{"no keys", jwks, answer(200, `{"keys":[]}`), "no usable"},
	} {
		server.Handle(c.path, c.handler)
		auth := newJWT(t, authgear.JWTConfig{Endpoint: server.Endpoint()})
		ready := auth.Ready(t.Context())
		_, err := auth.Verify(t.Context(), token)
		wantReason(t, err, authgear.ReasonKeysUnavailable)
		failure, _ := err.(*authgear.Error)
		for _, text := range []string{ready.Error(), failure.Err.Error()} {
			if !strings.Contains(text, c.want) || !strings.Contains(text, server.Endpoint()+c.path) || strings.Contains(text, "secret") {
				t.Errorf("%s: %s", c.name, text)
			}
		}
		if failure.RetryAfter <= 0 || failure.RetryAfter > time.Second {
			t.Errorf("%s: RetryAfter = %v", c.name, failure.RetryAfter)
		}
		server.Handle(c.path, nil)
	}
}

// A service that starts while Authgear is down recovers within the pause after
// it is back.
func TestRecovers(t *testing.T) {
	t.Parallel()
	alice := golden(t, "token-jwt-alice")
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(alice.RecordedAt))
		up := recorded{
			discovery: golden(t, "discovery-openid-configuration").Response.Body,
			jwks:      golden(t, "jwks").Response.Body,
		}
		var network switchable
		auth := newJWT(t, authgear.JWTConfig{Endpoint: liveEndpoint, HTTPClient: &http.Client{Transport: &network}})
		for range 20 { // twenty seconds of requests
			_, err := auth.Verify(t.Context(), alice.AccessToken.Raw)
			wantReason(t, err, authgear.ReasonKeysUnavailable)
			time.Sleep(time.Second)
		}
		if network.asked > 6 {
			t.Errorf("asked %d times in 20 seconds", network.asked)
		}
		network.RoundTripper = up
		time.Sleep(10 * time.Second)
		if _, err := auth.Verify(t.Context(), alice.AccessToken.Raw); err != nil {
			t.Error(err)
		}
	})
}

// switchable is a network that can be down.
type switchable struct {
	http.RoundTripper
	asked int
}

func (s *switchable) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	if s.RoundTripper == nil {
		return nil, context.DeadlineExceeded
	}
	return s.RoundTripper.RoundTrip(r)
}

// A thousand authenticators, used and dropped, leave nothing behind: TestMain
// sees every goroutine, and a connection has two.
func TestNothingToClose(t *testing.T) {
	t.Parallel()
	server := authgeartest.New(t)
	dead := httptest.NewServer(nil)
	dead.Close()
	for range 500 {
		if err := newJWT(t, authgear.JWTConfig{Endpoint: server.Endpoint()}).Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := newJWT(t, authgear.JWTConfig{Endpoint: dead.URL}).Ready(t.Context()); err == nil {
			t.Fatal("a dead endpoint is ready")
		}
	}
}
