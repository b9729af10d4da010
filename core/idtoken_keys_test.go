package authgear_test

import (
	"net/http"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// withKeys is an authenticator that holds the keys of this moment.
func (s signedIn) withKeys(t *testing.T) *authgear.JWT {
	t.Helper()
	auth := s.auth(t, authgear.JWTConfig{})
	if err := auth.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return auth
}

// While the key of an ID token cannot be had, nobody can tell.
func TestIDTokenKeysUnavailable(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.withKeys(t)
	s.server.RotateKeys()
	idToken := s.idToken(nil, nil)
	s.server.SetDown(true)
	identity := authenticated(t, auth, beside(s.access, idToken))
	refused := authgear.IDTokenRefused(identity)
	if refused == nil || refused.Reason != authgear.ReasonKeysUnavailable || refused.Outcome() != authgear.OutcomeUnavailable || refused.RetryAfter <= 0 {
		t.Errorf("refused = %+v", refused)
	}
	if identity.AuthenticatedAt != s.before {
		t.Errorf("AuthenticatedAt = %v", identity.AuthenticatedAt)
	}
}

// A route that asks for no recent login does not wait for an ID token's key,
// but begins the refresh that brings it.
func TestIDTokenDoesNotWait(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.withKeys(t)
	s.server.RotateKeys()
	asked, answer := make(chan struct{}), make(chan struct{})
	s.server.Handle("/oauth2/jwks", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		s.server.ServeHTTP(w, r)
	}))
	request := beside(s.access, s.idToken(nil, nil))
	identity, err := auth.Authenticate(t.Context(), request) // while Authgear does not answer
	if err != nil {
		t.Fatal(err)
	}
	if refused := authgear.IDTokenRefused(identity); refused == nil || refused.Reason != authgear.ReasonKeysUnavailable {
		t.Errorf("refused = %+v", refused)
	}
	<-asked
	close(answer)
	if identity := authenticated(t, auth, request); identity.AuthenticatedAt != s.lately {
		t.Errorf("AuthenticatedAt = %v", identity.AuthenticatedAt)
	}
}

// An ID token that could never be good fetches no keys.
func TestIDTokenFetchesLast(t *testing.T) {
	t.Parallel()
	s := newSignedIn(t)
	auth := s.withKeys(t)
	kid := m{"kid": "made-up"}
	for _, claims := range []m{
		{"iss": "https://other.authgear.cloud"}, {"aud": "third-party"}, {"sub": "bob"}, {"auth_time": nil},
		{"exp": s.before.Unix()}, {"nbf": time.Now().Add(time.Hour).Unix()}, {"iat": time.Now().Add(time.Hour).Unix()},
	} {
		_ = authenticated(t, auth, beside(s.access, s.idToken(kid, claims)))
	}
	if n := s.server.Requests("/oauth2/jwks"); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	_ = authenticated(t, auth, beside(s.access, s.idToken(kid, nil)))
	if n := s.server.Requests("/oauth2/jwks"); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}
