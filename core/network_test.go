package authgear_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// An internal address is asked in the endpoint's name.
func TestInternalURL(t *testing.T) {
	t.Parallel()
	const endpoint = "https://auth.example.com"
	server := authgeartest.New(t, authgeartest.Config{Endpoint: endpoint})
	auth := newJWT(t, authgear.JWTConfig{Endpoint: endpoint, InternalURL: server.URL()})
	identity, err := auth.Verify(t.Context(), server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"})))
	wantUser(t, identity, err, "alice")
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
			identity, err := auth.Verify(t.Context(), alice.AccessToken.Raw)
			wantUnavailable(t, identity, err, authgear.ReasonKeysUnavailable)
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
