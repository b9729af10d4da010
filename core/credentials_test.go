package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	const canaries = "app_session=~; session=~"
	for _, c := range []struct {
		name                  string
		authorization, cookie []string
		authorized, line      string // Authorization and Cookie that go to the resolver
		want                  authgear.Reason
		byBrowser             bool
	}{
		{name: "nothing", want: authgear.ReasonNoCredentials},

		{name: "all three", authorization: []string{"Bearer b"}, cookie: []string{"session=s; token=t"}, authorized: "Bearer b"},
		{name: "Bearer, rebuilt", authorization: []string{"bEARER   b"}, authorized: "Bearer b"},
		{name: "Bearer beside bad cookies", authorization: []string{"Bearer b"}, cookie: []string{`session="; token=a b`, "token=c"}, authorized: "Bearer b"},
		{name: "token cookie before session", cookie: []string{"session=s; token=t"}, authorized: "Bearer t", byBrowser: true},
		{name: "token cookie beside bad sessions", cookie: []string{`session="; token=t`}, authorized: "Bearer t", byBrowser: true},
		{name: "token cookie beside another scheme", authorization: []string{"Basic dXNlcjpwYXNz"}, cookie: []string{"token=t"}, authorized: "Bearer t", byBrowser: true},
		{name: "sessions beside an empty token cookie", cookie: []string{"token=; session=s"}, line: "session=s; app_session=~", byBrowser: true},
		{name: "sessions beside another scheme", authorization: []string{"Basic dXNlcjpwYXNz"}, cookie: []string{"session=s"}, line: "session=s; app_session=~", byBrowser: true},
		{name: "the first session of the option", cookie: []string{"foo=bar; session=s", "app_session=x; bar=foo"}, line: "app_session=x; session=~", byBrowser: true},
		{name: "the first of a name", cookie: []string{"session=; session=s"}, line: "session=; app_session=~", byBrowser: true},

		// No credential rescues another.
		{name: "malformed Bearer", authorization: []string{"Bearer"}, cookie: []string{"token=t; session=s"}, want: authgear.ReasonAuthorizationMalformed},
		{name: "two lines of Authorization", authorization: []string{"Basic a", "Basic b"}, cookie: []string{"token=t"}, want: authgear.ReasonAuthorizationMalformed},
		{name: "bad token cookie", cookie: []string{"token=a b; session=s"}, want: authgear.ReasonTokenMalformed, byBrowser: true},
		{name: "token cookie twice", cookie: []string{"token=t; session=s", "token=t"}, want: authgear.ReasonTokenMalformed, byBrowser: true},
		{name: "bad session", cookie: []string{"session=s; app_session=a b"}, want: authgear.ReasonSessionInvalid, byBrowser: true},
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
			line := c.line
			if c.authorized != "" {
				line = canaries
			}
			if got := resolver.asked[0]; got.Get("Authorization") != c.authorized || !slices.Equal(got["Cookie"], []string{line}) {
				t.Errorf("asked with %q, want %s and %s", got, c.authorized, line)
			}
		})
	}
}

// one is the only value of a header, or none.
func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// recordedToken is the token of a recording's request.
func recordedToken(t *testing.T, name string) string {
	t.Helper()
	e, ok := resolverExchanges(t)[name]
	if !ok {
		t.Fatalf("there is no recording %s", name)
	}
	return strings.TrimPrefix(headerOf(e.Request.Headers).Get("Authorization"), "Bearer ")
}

// What an operator should mend although the request is answered rightly.
func TestCredentialsNotices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		authorization, cookie string
		want                  authgear.NoticeKind
	}{
		{"Bearer a", "", ""},
		{"Basic dXNlcjpwYXNzd29yZDp3aXRob3V0", "", ""},
		{"Negotiate", "", ""},
		{"", "session=a", ""},
		{"Bearer a", "session=a; session=b", ""},
		{"eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "", authgear.NoticeMissingBearer},
		{"eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "session=a", authgear.NoticeMissingBearer},
		{"", "session=a; session=b", authgear.NoticeRepeatedCookie},
	} {
		var kinds []authgear.NoticeKind
		observer := &authgear.Observer{Notice: func(_ context.Context, n authgear.Notice) {
			kinds = append(kinds, n.Kind)
			if strings.Contains(n.Err.Error(), "eyJ") {
				t.Errorf("the token is told: %v", n.Err)
			}
		}}
		jwt := newJWT(t, authgear.JWTConfig{Endpoint: "https://auth.example.com", Observer: observer, HTTPClient: &http.Client{Transport: &stub{}}})
		for _, auth := range []authgear.Authenticator{newResolver(t, &stub{answer: good()}, authgear.ResolverConfig{Observer: observer}), jwt} {
			kinds = nil
			_, _ = auth.Authenticate(t.Context(), sent(one(c.authorization), one(c.cookie)))
			want := c.want
			if auth == jwt && want == authgear.NoticeRepeatedCookie {
				want = "" // it reads no session cookies
			}
			if want == "" && len(kinds) > 0 || want != "" && !slices.Equal(kinds, []authgear.NoticeKind{want}) {
				t.Errorf("%T, %s %s: %v", auth, c.authorization, c.cookie, kinds)
			}
		}
	}
}

// A refused cookie is cleared only when no other cookie can be meant. It is not
// cleared when the canary was refused under another name. Nor are two cookies
// with one name, since the browser would drop either.
func TestCredentialsCleared(t *testing.T) {
	t.Parallel()
	server := authgeartest.New(t)
	good := server.SessionCookie(server.AddUser(authgeartest.User{})).Value
	auth := newResolver(t, nil, authgear.ResolverConfig{Endpoint: server.Endpoint(), Cookies: []string{"session", "app_session"}, TokenCookie: "token", CacheTTL: time.Hour})
	for range 2 { // the second time from the table
		for _, c := range []struct {
			authorization, cookie string
			clears                bool
		}{
			{"", "session=x", true},
			{"", "session=x; session=" + good, false},
			{"Bearer x", "session=" + good, false},
			{"", "token=x; session=" + good, false},
			{"", "app_session=x; foo=" + good, false},
		} {
			_, err := auth.Authenticate(t.Context(), sent(one(c.authorization), one(c.cookie)))
			e, ok := errors.AsType[*authgear.Error](err)
			if !ok || e.Outcome() != authgear.OutcomeInvalid || (len(e.Evidence.ClearCookies) == 1) != c.clears {
				t.Errorf("%s %.30s: %+v", c.authorization, c.cookie, e)
			}
		}
	}
}

// Tokens and cookies of one session, however many, are one entry and one call
// each, and evict nobody else's.
func TestManyCookiesOfOneName(t *testing.T) {
	t.Parallel()
	p := newProject(map[string]string{"session=mine": "mallory"})
	for n := range 1000 {
		p.users[fmt.Sprint("session=", n)] = fmt.Sprint(n)
	}
	auth := newResolver(t, p, authgear.ResolverConfig{CacheTTL: time.Hour})
	ask := func(cookie, id string) {
		t.Helper()
		identity, err := auth.Authenticate(t.Context(), browser(cookie))
		wantUser(t, identity, err, id)
	}
	for range 2 {
		for n := range 1000 {
			ask(fmt.Sprint("session=", n), fmt.Sprint(n))
		}
		for n := range 12_000 {
			ask(fmt.Sprint("session=mine; session=", n), "mallory")
		}
	}
	if n := p.total(); n != 1001 {
		t.Errorf("%d calls for 1,001 sessions", n)
	}
}

// The resolver judges a token without a request, too.
func TestResolverVerify(t *testing.T) {
	t.Parallel()
	server := authgeartest.New(t)
	id := server.AddUser(authgeartest.User{})
	var decisions []authgear.Decision
	auth := newResolver(t, nil, authgear.ResolverConfig{Endpoint: server.Endpoint(), CacheTTL: time.Hour, Observer: &authgear.Observer{
		Decision: func(_ context.Context, d authgear.Decision) { decisions = append(decisions, d) },
	}})
	token := server.OpaqueToken(id)
	for range 2 {
		identity, err := auth.Verify(t.Context(), token)
		wantUser(t, identity, err, id)
		if identity.Evidence.Ambient || identity.Evidence.CheckedAt.IsZero() {
			t.Errorf("%+v", identity.Evidence)
		}
	}
	wants := []authgear.Reason{"", ""}
	for token, want := range map[string]authgear.Reason{
		"": authgear.ReasonNoCredentials, "x": authgear.ReasonTokenRejected, "Bearer " + token: authgear.ReasonTokenMalformed,
		"a\r\nCookie: session=x": authgear.ReasonTokenMalformed, strings.Repeat("a", 16<<10+1): authgear.ReasonTokenTooLarge, "null": authgear.ReasonTokenMalformed,
	} {
		identity, err := auth.Verify(t.Context(), token)
		wantRefusal(t, identity, err, want, false)
		wants = append(wants, want)
	}
	for n, d := range decisions {
		if d.Reason != wants[n] || (d.Source == authgear.SourceResolver) != (n < 2) || d.Cached != (n == 1) || (d.Err == nil) != (n < 2) {
			t.Errorf("decision %d: %+v", n, d)
		}
	}
	if len(decisions) != len(wants) {
		t.Errorf("%d decisions for %d calls", len(decisions), len(wants))
	}
}

// An answer is kept for a token, whether it is in a header or a cookie. Whether
// a browser sends it by itself depends on the request. An identity belongs to
// the caller.
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
	if len(resolver.asked) != 2 || !slices.Equal(resolver.asked[1]["Cookie"], []string{"session=t"}) {
		t.Errorf("asked with %v", resolver.asked)
	}

	resolver = &stub{answer: refusedSession()}
	auth = asking(t, resolver, authgear.ResolverConfig{TokenCookie: "token", CacheTTL: time.Minute})
	for _, c := range []struct {
		request authgear.Request
		cookie  bool
	}{{cookie, true}, {bearer, false}, {cookie, true}} {
		identity, err := auth.Authenticate(t.Context(), c.request)
		wantRefusal(t, identity, err, authgear.ReasonTokenRejected, c.cookie)
	}
}

// A JWT counts in Authorization and in the token cookie. No other cookie
// counts.
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
		{"cookie", withCookie, nil, []string{"foo=bar; token=" + bob}, "bob", "", true},

		{"nothing", withCookie, nil, nil, "", authgear.ReasonNoCredentials, false},
		{"a session cookie", withCookie, nil, []string{"session=" + bob}, "", authgear.ReasonNoCredentials, false},
		{"no token cookie configured", without, nil, []string{"token=" + bob}, "", authgear.ReasonNoCredentials, false},
		{"an expired Bearer is not rescued", withCookie, []string{"Bearer " + expired}, []string{"token=" + alice}, "", authgear.ReasonTokenExpired, false},
		{"expired in the cookie", withCookie, nil, []string{"token=" + expired}, "", authgear.ReasonTokenExpired, true},
		{"opaque in the cookie", withCookie, nil, []string{"token=" + server.OpaqueToken(bobID)}, "", authgear.ReasonTokenOpaque, true},
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
