package authgear_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// apiKeys is what a user of the SDK writes for clients with keys of their own.
type apiKeys struct {
	keys map[string]string
	down bool
}

func (a apiKeys) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	sent := r.Values("X-Api-Key")
	switch {
	case len(sent) == 0:
		return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
	case a.down:
		return nil, errors.New("the database is down")
	case len(sent) > 1 || a.keys[sent[0]] == "":
		return nil, &authgear.Error{Reason: authgear.ReasonTokenRejected}
	}
	return &authgear.Identity{Kind: authgear.KindClient, ID: a.keys[sent[0]]}, nil
}

// An API key and a token on one route: the first that is there decides, in the
// order that the service has chosen.
func TestInOrder(t *testing.T) {
	t.Parallel()
	server := authgeartest.New(t)
	alice := server.AddUser(authgeartest.User{})
	jwt := newJWT(t, authgear.JWTConfig{Endpoint: server.Endpoint()})
	keys := apiKeys{keys: map[string]string{"good": "billing"}}
	good, bad := "Bearer "+server.AccessToken(alice), "Bearer "+server.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Hour})
	keysFirst, tokensFirst := authgear.InOrder(keys, jwt), authgear.InOrder(jwt, keys)
	for name, c := range map[string]struct {
		auth       authgear.Authenticator
		key, token string
		want       string
		reason     authgear.Reason
	}{
		"a key":                          {keysFirst, "good", "", "billing", ""},
		"a token":                        {keysFirst, "", good, alice, ""},
		"both":                           {keysFirst, "good", good, "billing", ""},
		"both, the other way round":      {tokensFirst, "good", good, alice, ""},
		"neither":                        {keysFirst, "", "", "", "no_credentials"},
		"a bad key":                      {keysFirst, "bad", "", "", "token_rejected"},
		"a bad key and a good token":     {keysFirst, "bad", good, "", "token_rejected"},
		"a bad token and a good key":     {tokensFirst, "good", bad, "", "token_expired"},
		"a malformed token, a good key":  {tokensFirst, "good", "Bearer a b", "", "authorization_malformed"},
		"another scheme, and a good key": {tokensFirst, "good", "Basic YTpi", "billing", ""},
		"the keys are down":              {authgear.InOrder(apiKeys{down: true}, jwt), "good", good, "", "internal"},
		"the keys are down, a token":     {authgear.InOrder(apiKeys{down: true}, jwt), "", good, alice, ""},
		"neither identity nor error":     {authgear.InOrder(broken{}, jwt), "", good, "", "internal"},
		"a nil error":                    {authgear.InOrder(broken{typed: true}, jwt), "", good, "", "internal"},
		"an identity beside an error":    {authgear.InOrder(broken{both: true}, jwt), "", good, "", "token_rejected"},
		"lists in lists":                 {authgear.InOrder(keysFirst, broken{}), "", good, alice, ""},
	} {
		header := http.Header{}
		for name, value := range map[string]string{"X-Api-Key": c.key, "Authorization": c.token} {
			if value != "" {
				header.Set(name, value)
			}
		}
		r := guard.HTTP(&http.Request{Method: http.MethodGet, Host: "app.example.com", Header: header})
		identity, err := c.auth.Authenticate(t.Context(), r)
		if c.reason != "" {
			wantReason(t, err, c.reason)
			if identity != nil {
				t.Errorf("%s: an identity beside the error", name)
			}
			continue
		}
		if err != nil || identity.ID != c.want {
			t.Errorf("%s: %+v, %v, want %s", name, identity, err, c.want)
		}
	}
}

// broken is an authenticator that breaks its contract.
type broken struct{ typed, both bool }

func (b broken) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	switch {
	case b.typed:
		var err *authgear.Error
		return nil, err
	case b.both:
		return &authgear.Identity{Kind: authgear.KindUser, ID: "alice"}, &authgear.Error{Reason: authgear.ReasonTokenRejected}
	}
	return nil, nil
}

// InOrder can ask freshly only if all of its authenticators can.
func TestInOrderFresh(t *testing.T) {
	t.Parallel()
	accepted := &stub{answer: good()}
	observer := &authgear.Observer{}
	resolver := asking(t, accepted, authgear.ResolverConfig{CacheTTL: time.Hour})
	for _, list := range []authgear.Authenticator{authgear.InOrder(apiKeys{}, resolver), authgear.InOrder(resolver, apiKeys{})} {
		if _, ok := list.(authgear.FreshAuthenticator); ok {
			t.Error("a list with one that cannot ask anew can")
		}
	}
	list, ok := authgear.InOrder(resolver, resolver).(authgear.FreshAuthenticator)
	if !ok {
		t.Fatal("a list of resolvers cannot ask anew")
	}
	for i, want := range []int{1, 1, 2} {
		ask := list.Authenticate
		if i == 2 {
			ask = list.AuthenticateFresh
		}
		identity, err := ask(t.Context(), bearer("token"))
		wantUser(t, identity, err, "alice")
		if got := len(accepted.asked); got != want {
			t.Errorf("request %d: %d calls, want %d", i+1, got, want)
		}
	}
	jwt := newJWT(t, authgear.JWTConfig{Endpoint: "https://myapp.authgear.cloud", Observer: observer})
	if got := authgear.InOrder(apiKeys{}, jwt).(interface{ Observer() *authgear.Observer }).Observer(); got != observer {
		t.Error("the observer is not that of the first that has one")
	}
	if got := authgear.InOrder(apiKeys{}).(interface{ Observer() *authgear.Observer }).Observer(); got != nil {
		t.Error("there is an observer where none has one")
	}
}

func TestInOrderPanics(t *testing.T) {
	t.Parallel()
	var unchecked *authgear.JWT
	for want, f := range map[string]func(){
		"there is no authenticator":     func() { authgear.InOrder() },
		"authenticator number 2 is nil": func() { authgear.InOrder(apiKeys{}, nil) },
		"authenticator number 1 is nil": func() { authgear.InOrder(unchecked) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, want) {
					t.Errorf("panics with %q, want %q", text, want)
				}
			}()
			f()
		}()
	}
}
