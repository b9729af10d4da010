package guardtest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

// Constant is an authenticator that takes everybody for the same user.
type Constant struct{ Identity *authgear.Identity }

// Authenticate returns the identity.
func (c Constant) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return c.Identity, nil
}

// Nobody is an authenticator that finds no credentials.
type Nobody struct{}

// Authenticate returns the refusal.
func (Nobody) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
}

// Alice takes everybody for a user with a token.
var Alice = Constant{&authgear.Identity{Kind: authgear.KindUser, ID: "alice", Source: authgear.SourceJWT}}

// Forwarded returns an authenticator for a service behind a proxy, and the headers
// by which the proxy states that alice has sent the request.
func Forwarded(t *testing.T, observer *authgear.Observer) (authgear.Authenticator, http.Header) {
	t.Helper()
	auth, err := authgear.NewForwarded(authgear.ForwardedConfig{Secrets: []string{proxySecret}, Observer: observer})
	header := http.Header{}
	if err := errors.Join(err, authgear.ForwardIdentity(header, Alice.Identity, proxySecret)); err != nil {
		t.Fatal(err)
	}
	return auth, header
}

// Discard is a writer that allocates nothing.
type Discard http.Header

// Header returns the header.
func (d Discard) Header() http.Header { return http.Header(d) }

// Write takes everything.
func (Discard) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader does nothing.
func (Discard) WriteHeader(int) {}

// Allocations fails when the guard's middleware makes more allocations than
// that, as cost measures them: for a token, and for a cookie, of which the
// cross-origin rule costs a safe request nothing.
func Allocations(t *testing.T, most float64, cost func(authgear.Authenticator) float64) {
	t.Helper()
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	cookie := *Alice.Identity
	cookie.Source, cookie.Evidence.Ambient = authgear.SourceResolver, true
	for _, auth := range []Constant{Alice, {&cookie}} {
		if got := cost(auth); got > most {
			t.Errorf("%s: %v allocations, at most %v", auth.Identity.Source, got, most)
		}
	}
}
