package authgear_test

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// sent is a request with these lines of Authorization and Cookie.
func sent(authorization, cookie []string) authgear.Request {
	return guard.HTTP(&http.Request{Method: http.MethodGet, Host: "app.example.com", RemoteAddr: "192.0.2.1:1234", Header: http.Header{
		"Authorization": authorization, "Cookie": cookie,
	}})
}

// stub is a resolver that gives one answer, and keeps what it was asked.
type stub struct {
	answer http.Header

	mu    sync.Mutex
	asked []http.Header
}

func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Header.Clone())
	return &http.Response{StatusCode: http.StatusOK, Header: s.answer.Clone(), Body: http.NoBody, Request: r}, nil
}

// good is the answer about a valid session.
func good() http.Header {
	return http.Header{
		"X-Authgear-Session-Valid":           {"true"},
		"X-Authgear-User-Id":                 {"alice"},
		"X-Authgear-User-Anonymous":          {"false"},
		"X-Authgear-User-Verified":           {"true"},
		"X-Authgear-User-Can-Reauthenticate": {"true"},
		"X-Authgear-User-Roles":              {"reporter,admin,reporter"},
		"X-Authgear-Session-Amr":             {"pwd otp"},
	}
}

// asking is an authenticator that asks the stub.
func asking(t *testing.T, s *stub, config authgear.ResolverConfig) *authgear.Resolver {
	t.Helper()
	config.Endpoint = "https://auth.example.com"
	config.HTTPClient = &http.Client{Transport: s}
	config.Observer = &authgear.Observer{}
	auth, err := authgear.NewResolver(config)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// wantRefusal asserts the reason, and whether a browser sends such credentials
// by itself.
func wantRefusal(t *testing.T, identity *authgear.Identity, err error, reason authgear.Reason, cookie bool) {
	t.Helper()
	if identity != nil {
		t.Errorf("identity = %+v beside %v", identity, err)
	}
	wantReason(t, err, reason)
	if e, ok := errors.AsType[*authgear.Error](err); ok && e.Evidence.Ambient != cookie {
		t.Errorf("%v: Cookie = %v", err, e.Evidence.Ambient)
	}
}

// Of Authorization, token cookie and session cookies the first that is present
// decides, and it alone is sent on.
func TestCredentialsOrder(t *testing.T) {
	t.Parallel()
	const (
		authorization = "Authorization"
		cookies       = "Cookie"
	)
	large := strings.Repeat("a", 16<<10+1)
	for _, c := range []struct {
		name                  string
		authorization, cookie []string
		field, line           string // what goes to the resolver
		want                  authgear.Reason
		byBrowser             bool
	}{
		{name: "nothing", want: authgear.ReasonNoCredentials},
		{name: "empty lines", authorization: []string{""}, cookie: []string{""}, want: authgear.ReasonNoCredentials},
		{name: "another scheme", authorization: []string{"Basic dXNlcjpwYXNz"}, want: authgear.ReasonNoCredentials},
		{name: "other cookies", cookie: []string{"foo=bar; csp_nonce=x"}, want: authgear.ReasonNoCredentials},
		{name: "an empty token cookie", cookie: []string{"token="}, want: authgear.ReasonNoCredentials},

		{name: "all three", authorization: []string{"Bearer b"}, cookie: []string{"session=s; token=t"}, field: authorization, line: "Bearer b"},
		{name: "Bearer, rebuilt", authorization: []string{"bEARER   b"}, field: authorization, line: "Bearer b"},
		{name: "Bearer beside bad cookies", authorization: []string{"Bearer b"}, cookie: []string{`session="; token=a b`, "token=c"}, field: authorization, line: "Bearer b"},
		{name: "token cookie before session", cookie: []string{"session=s; token=t"}, field: authorization, line: "Bearer t", byBrowser: true},
		{name: "token cookie in another line", cookie: []string{"session=s", "token=t"}, field: authorization, line: "Bearer t", byBrowser: true},
		{name: "token cookie beside bad sessions", cookie: []string{`session="; token=t`}, field: authorization, line: "Bearer t", byBrowser: true},
		{name: "token cookie beside another scheme", authorization: []string{"Basic dXNlcjpwYXNz"}, cookie: []string{"token=t"}, field: authorization, line: "Bearer t", byBrowser: true},
		{name: "sessions beside an empty token cookie", cookie: []string{"token=; session=s"}, field: cookies, line: "session=s", byBrowser: true},
		{name: "sessions beside another scheme", authorization: []string{"Basic dXNlcjpwYXNz"}, cookie: []string{"session=s"}, field: cookies, line: "session=s", byBrowser: true},
		{name: "sessions beside an empty Authorization", authorization: []string{""}, cookie: []string{"session=s"}, field: cookies, line: "session=s", byBrowser: true},
		{name: "sessions only of what is sent", cookie: []string{"foo=bar; session=s", "app_session=x; bar=foo"}, field: cookies, line: "session=s; app_session=x", byBrowser: true},
		{name: "an empty session", cookie: []string{"session="}, field: cookies, line: "session=", byBrowser: true},

		// No credential rescues another.
		{name: "malformed Bearer", authorization: []string{"Bearer"}, cookie: []string{"token=t; session=s"}, want: authgear.ReasonAuthorizationMalformed},
		{name: "two lines of Authorization", authorization: []string{"Basic a", "Basic b"}, cookie: []string{"token=t"}, want: authgear.ReasonAuthorizationMalformed},
		{name: "Bearer too large", authorization: []string{"Bearer " + large}, cookie: []string{"session=s"}, want: authgear.ReasonTokenTooLarge},
		{name: "bad token cookie", cookie: []string{"token=a b; session=s"}, want: authgear.ReasonTokenMalformed, byBrowser: true},
		{name: "token cookie twice", cookie: []string{"token=t; session=s", "token=t"}, want: authgear.ReasonTokenMalformed, byBrowser: true},
		{name: "token cookie too large", cookie: []string{"token=" + large + "; session=s"}, want: authgear.ReasonTokenMalformed, byBrowser: true},
		{name: "bad session", cookie: []string{"session=s; app_session=a b"}, want: authgear.ReasonSessionInvalid, byBrowser: true},
		{name: "too many sessions", cookie: []string{strings.Repeat("session=s; ", 5)}, want: authgear.ReasonSessionInvalid, byBrowser: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resolver := &stub{answer: good()}
			auth := asking(t, resolver, authgear.ResolverConfig{Cookies: []string{"app_session", "session"}, TokenCookie: "token"})
			identity, err := auth.Authenticate(t.Context(), sent(c.authorization, c.cookie))
			if c.want != "" {
				wantRefusal(t, identity, err, c.want, c.byBrowser)
				if len(resolver.asked) != 0 {
					t.Errorf("asked with %v", resolver.asked)
				}
				return
			}
			if err != nil || identity.ID != "alice" || identity.Evidence.Ambient != c.byBrowser {
				t.Fatalf("%+v, %v", identity, err)
			}
			if len(resolver.asked) != 1 {
				t.Fatalf("asked %d times", len(resolver.asked))
			}
			other := map[string]string{authorization: cookies, cookies: authorization}[c.field]
			if got := resolver.asked[0]; !slices.Equal(got[c.field], []string{c.line}) || got[other] != nil {
				t.Errorf("asked with %q, want %s: %s", got, c.field, c.line)
			}
		})
	}
}

// What a refusal means depends on what was sent.
func TestCredentialsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                  string
		authorization, cookie []string
		answer                http.Header
		want                  authgear.Reason
		byBrowser             bool
	}{
		{"Bearer, nothing said", []string{"Bearer b"}, nil, http.Header{}, authgear.ReasonTokenRejected, false},
		{"Bearer, false", []string{"Bearer b"}, nil, http.Header{"X-Authgear-Session-Valid": {"false"}}, authgear.ReasonTokenRejected, false},
		{"token cookie, nothing said", nil, []string{"token=t"}, http.Header{}, authgear.ReasonTokenRejected, true},
		{"token cookie, false", nil, []string{"token=t"}, http.Header{"X-Authgear-Session-Valid": {"false"}}, authgear.ReasonTokenRejected, true},
		{"session, nothing said", nil, []string{"session=s"}, http.Header{}, authgear.ReasonNoCredentials, true},
		{"session, false", nil, []string{"session=s"}, http.Header{"X-Authgear-Session-Valid": {"false"}}, authgear.ReasonSessionInvalid, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			auth := asking(t, &stub{answer: c.answer}, authgear.ResolverConfig{TokenCookie: "token"})
			identity, err := auth.Authenticate(t.Context(), sent(c.authorization, c.cookie))
			wantRefusal(t, identity, err, c.want, c.byBrowser)
		})
	}
}

// An answer is kept for a token, wherever it stands; whether a browser sends it by
// itself is the request's. An identity belongs to the caller.
func TestCredentialsShareAnAnswer(t *testing.T) {
	t.Parallel()
	resolver := &stub{answer: good()}
	auth := asking(t, resolver, authgear.ResolverConfig{TokenCookie: "token", CacheTTL: time.Minute})
	want := func(request authgear.Request, cookie bool) {
		t.Helper()
		identity, err := auth.Authenticate(t.Context(), request)
		if err != nil || identity.Evidence.Ambient != cookie || !slices.Equal(identity.Roles, []string{"admin", "reporter"}) || !slices.Equal(identity.AMR, []string{"pwd", "otp"}) {
			t.Fatalf("%+v, %v", identity, err)
		}
		identity.Roles[0], identity.AMR[0], identity.ID = "owner", "hwk", "mallory"
	}
	bearer, cookie := sent([]string{"Bearer t"}, nil), sent(nil, []string{"token=t"})
	want(bearer, false)
	want(cookie, true)
	want(bearer, false)
	if len(resolver.asked) != 1 {
		t.Errorf("asked %d times", len(resolver.asked))
	}
	// A session cookie of the same value is another credential.
	want(sent(nil, []string{"session=t"}), true)
	if len(resolver.asked) != 2 || !reflect.DeepEqual(resolver.asked[1]["Cookie"], []string{"session=t"}) {
		t.Errorf("asked with %v", resolver.asked)
	}

	resolver = &stub{answer: http.Header{}}
	auth = asking(t, resolver, authgear.ResolverConfig{TokenCookie: "token", CacheTTL: time.Minute})
	for _, c := range []struct {
		request authgear.Request
		cookie  bool
	}{{cookie, true}, {bearer, false}, {cookie, true}} {
		identity, err := auth.Authenticate(t.Context(), c.request)
		wantRefusal(t, identity, err, authgear.ReasonTokenRejected, c.cookie)
	}
}

// A JWT counts from Authorization and from the token cookie, no other cookie does.
func TestCredentialsOfJWT(t *testing.T) {
	t.Parallel()
	server := authgeartest.New(t)
	alice := server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	bobID := server.AddUser(authgeartest.User{ID: "bob"})
	bob := server.AccessToken(bobID)
	expired := server.AccessToken(bobID, authgeartest.Token{ExpiresIn: -time.Hour})
	withCookie := newJWT(t, authgear.JWTConfig{Endpoint: server.Endpoint(), TokenCookie: "token"})
	without := newJWT(t, authgear.JWTConfig{Endpoint: server.Endpoint()})
	for _, c := range []struct {
		name                  string
		auth                  *authgear.JWT
		authorization, cookie []string
		id                    string
		want                  authgear.Reason
		byBrowser             bool
	}{
		{"Bearer", withCookie, []string{"Bearer " + alice}, nil, "alice", "", false},
		{"Bearer before the cookie", withCookie, []string{"Bearer " + alice}, []string{"token=" + bob}, "alice", "", false},
		{"Bearer beside a bad cookie", withCookie, []string{"Bearer " + alice}, []string{"token=a b"}, "alice", "", false},
		{"cookie", withCookie, nil, []string{"foo=bar; token=" + bob}, "bob", "", true},
		{"cookie beside another scheme", withCookie, []string{"Basic dXNlcjpwYXNz"}, []string{"token=" + bob}, "bob", "", true},

		{"nothing", withCookie, nil, nil, "", authgear.ReasonNoCredentials, false},
		{"an empty cookie", withCookie, nil, []string{"token="}, "", authgear.ReasonNoCredentials, false},
		{"a session cookie", withCookie, nil, []string{"session=" + bob}, "", authgear.ReasonNoCredentials, false},
		{"no token cookie configured", without, nil, []string{"token=" + bob}, "", authgear.ReasonNoCredentials, false},
		{"no token cookie configured, and bad", without, nil, []string{"token=a b"}, "", authgear.ReasonNoCredentials, false},
		{"an expired Bearer is not rescued", withCookie, []string{"Bearer " + expired}, []string{"token=" + alice}, "", authgear.ReasonTokenExpired, false},
		{"a malformed Bearer is not rescued", withCookie, []string{"Bearer a, b"}, []string{"token=" + alice}, "", authgear.ReasonAuthorizationMalformed, false},
		{"expired in the cookie", withCookie, nil, []string{"token=" + expired}, "", authgear.ReasonTokenExpired, true},
		{"opaque in the cookie", withCookie, nil, []string{"token=" + server.OpaqueToken(bobID)}, "", authgear.ReasonTokenOpaque, true},
		{"the cookie twice", withCookie, nil, []string{"token=" + bob, "token=" + alice}, "", authgear.ReasonTokenMalformed, true},
		{"the cookie in quotes", withCookie, nil, []string{`token="` + bob + `"`}, "", authgear.ReasonTokenMalformed, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			identity, err := c.auth.Authenticate(t.Context(), sent(c.authorization, c.cookie))
			if c.want != "" {
				wantRefusal(t, identity, err, c.want, c.byBrowser)
			} else if err != nil || identity.ID != c.id || identity.Evidence.Ambient != c.byBrowser {
				t.Errorf("%+v, %v", identity, err)
			}
		})
	}
}

func TestCookieNameMistakes(t *testing.T) {
	t.Parallel()
	_, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: "https://auth.example.com", TokenCookie: "a b"})
	if err == nil || !strings.Contains(err.Error(), `TokenCookie: "a b"`) {
		t.Errorf("err = %v", err)
	}
	_, err = authgear.NewResolver(authgear.ResolverConfig{Endpoint: "https://auth.example.com", Cookies: []string{"session", "", "a=b", "session"}, TokenCookie: "session"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`Cookies: "" `, `Cookies: "a=b" `, `Cookies: "session" stands there twice`, `TokenCookie: "session" is a session cookie`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in the error:\n%v", want, err)
		}
	}
	// The default is a session cookie, too.
	if _, err := authgear.NewResolver(authgear.ResolverConfig{Endpoint: "https://auth.example.com", TokenCookie: "session"}); err == nil {
		t.Error("one cookie is accepted as token and session")
	}
}
