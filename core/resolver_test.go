package authgear_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

const resolverEndpoint = "https://auth.example.com"

// project is an Authgear in memory that knows the sessions in users: the value
// of the one field that it is sent, and the user's id.
type project struct {
	mu     sync.Mutex
	users  map[string]string
	calls  map[string]int // by that value
	status int            // not 0: of every answer
	err    error          // not nil: instead of every answer
	hold   chan struct{}  // not nil: each answer takes an element, and is made after that
}

func newProject(users map[string]string) *project {
	return &project{users: users, calls: map[string]int{}}
}

func (p *project) RoundTrip(r *http.Request) (*http.Response, error) {
	credential := r.Header.Get("Authorization") + r.Header.Get("Cookie")
	p.mu.Lock()
	p.calls[credential]++
	hold := p.hold
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch id, known := p.users[credential]; {
	case p.err != nil:
		return nil, p.err
	case p.status != 0:
		return answered(r, p.status, nil, "{}"), nil
	case known:
		return answered(r, 200, sessionOf(id), ""), nil
	case strings.HasPrefix(credential, "session="):
		return answered(r, 200, http.Header{"X-Authgear-Session-Valid": {"false"}, "Set-Cookie": {"session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}}, ""), nil
	default:
		return answered(r, 200, nil, ""), nil
	}
}

// change changes the project between two answers.
func (p *project) change(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *project) total() (total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.calls {
		total += n
	}
	return total
}

func sessionOf(id string) http.Header {
	return http.Header{
		"X-Authgear-Session-Valid":           {"true"},
		"X-Authgear-User-Id":                 {id},
		"X-Authgear-User-Anonymous":          {"false"},
		"X-Authgear-User-Verified":           {"true"},
		"X-Authgear-User-Can-Reauthenticate": {"false"},
		"X-Authgear-User-Roles":              {"role:" + id + ",editor"},
	}
}

func answered(r *http.Request, status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// newResolver asks that transport.
func newResolver(t testing.TB, transport http.RoundTripper, config authgear.ResolverConfig) *authgear.Resolver {
	t.Helper()
	if config.Endpoint == "" {
		config.Endpoint = resolverEndpoint
	}
	if transport != nil {
		config.HTTPClient = &http.Client{Transport: transport}
	}
	if config.Observer == nil {
		config.Observer = &authgear.Observer{}
	}
	auth, err := authgear.NewResolver(config)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

func bearer(token string) authgear.Request { return sent([]string{"Bearer " + token}, nil) }
func browser(cookie string) authgear.Request {
	return sent(nil, []string{cookie})
}

// wantUser checks the answer of an authenticator: the user with that id.
func wantUser(t *testing.T, identity *authgear.Identity, err error, id string) {
	t.Helper()
	if err != nil || identity == nil || identity.ID != id {
		t.Errorf("%+v, %v (cause: %v), want %s", identity, err, errors.Unwrap(err), id)
	}
}

// wantUnavailable checks that a request is refused with 503 for that reason, and
// that the operator is told something.
func wantUnavailable(t *testing.T, identity *authgear.Identity, err error, reason authgear.Reason) {
	t.Helper()
	wantReason(t, err, reason)
	e, ok := errors.AsType[*authgear.Error](err)
	if identity != nil || !ok || e.Outcome() != authgear.OutcomeUnavailable || e.RetryAfter <= 0 || e.RetryAfter > 10*time.Second || e.Err == nil {
		t.Errorf("identity %+v beside %+v", identity, err)
	}
}

// All mistakes are named at once, each by its field.
func TestNewResolverMistakes(t *testing.T) {
	t.Parallel()
	_, err := authgear.NewResolver(authgear.ResolverConfig{
		Endpoint:     "myapp.authgear.cloud",
		InternalURL:  "http://10.0.0.1",
		ResolverURL:  "http://10.0.0.1/resolve",
		Cookies:      []string{"", "session", "a b", "session"},
		TokenCookie:  "session",
		CacheTTL:     -1,
		StaleIfError: -2,
		Timeout:      -3,
	})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, want := range []string{
		"Endpoint: ", "InternalURL: ", "ResolverURL: ", "ResolverURL: stands beside InternalURL", `Cookies: "" is not`, `Cookies: "a b" is not`,
		`Cookies: "session" stands there twice`, `TokenCookie: "session" is a session cookie too`, "CacheTTL: -1ns", "StaleIfError: -2ns", "Timeout: -3ns",
	} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("%q is not in the error:\n%v", want, err)
		}
	}
	if len(lines) != 11 {
		t.Errorf("%d mistakes, want 11:\n%v", len(lines), err)
	}
}

func TestNewResolverAddresses(t *testing.T) {
	t.Parallel()
	const own = "/_resolver/resolve"
	for _, c := range []struct {
		config        authgear.ResolverConfig
		asked, failed string // one of them
	}{
		{config: authgear.ResolverConfig{Endpoint: "HTTPS://Auth.Example.Com:443/"}, asked: resolverEndpoint + own},
		{config: authgear.ResolverConfig{InternalURL: "https://10.0.0.1:8443/"}, asked: "https://10.0.0.1:8443" + own},
		{config: authgear.ResolverConfig{InternalURL: "http://127.0.0.1:3000"}, asked: "http://127.0.0.1:3000" + own},
		{config: authgear.ResolverConfig{ResolverURL: "https://Resolver.Internal:443/resolve"}, asked: "https://resolver.internal/resolve"},
		{config: authgear.ResolverConfig{ResolverURL: "http://10.0.0.1:3001/a/b%2Fc", InsecureHTTP: true}, asked: "http://10.0.0.1:3001/a/b%2Fc"},
		{config: authgear.ResolverConfig{}, asked: resolverEndpoint + own},

		{config: authgear.ResolverConfig{Endpoint: "http://10.0.0.1"}, failed: "Endpoint: "},
		{config: authgear.ResolverConfig{InternalURL: "http://10.0.0.1"}, failed: "InternalURL: "},
		{config: authgear.ResolverConfig{InternalURL: "https://10.0.0.1/resolve"}, failed: "InternalURL: "},
		{config: authgear.ResolverConfig{ResolverURL: "http://10.0.0.1/resolve"}, failed: "ResolverURL: "},
		{config: authgear.ResolverConfig{ResolverURL: "https://10.0.0.1"}, failed: "use InternalURL"},
		{config: authgear.ResolverConfig{ResolverURL: "https://10.0.0.1/"}, failed: "use InternalURL"},
		{config: authgear.ResolverConfig{ResolverURL: "https://10.0.0.1/resolve?a=b"}, failed: "query"},
		{config: authgear.ResolverConfig{ResolverURL: "https://10.0.0.1/resolve?"}, failed: "query"},
		{config: authgear.ResolverConfig{ResolverURL: "https://10.0.0.1/resolve#a"}, failed: "fragment"},
		{config: authgear.ResolverConfig{ResolverURL: "https://user:hidden@10.0.0.1/resolve"}, failed: "user information"},
		{config: authgear.ResolverConfig{ResolverURL: "ftp://10.0.0.1/resolve"}, failed: "ResolverURL: "},
		{config: authgear.ResolverConfig{ResolverURL: "/resolve"}, failed: "is not a URL"},
		{config: authgear.ResolverConfig{ResolverURL: "resolver.internal:3001/resolve"}, failed: "ResolverURL: "},
		{config: authgear.ResolverConfig{ResolverURL: "http://[::1/resolve"}, failed: "is not a URL"},
	} {
		if c.config.Endpoint == "" {
			c.config.Endpoint = resolverEndpoint
		}
		var asked string
		c.config.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			asked = r.URL.String()
			return answered(r, 200, nil, ""), nil
		})}
		auth, err := authgear.NewResolver(c.config)
		if c.failed != "" {
			if err == nil || !strings.Contains(err.Error(), c.failed) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%+v: %v, want %q", c.config, err, c.failed)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", c.config, err)
			continue
		}
		if err := auth.Ready(t.Context()); err != nil || asked != c.asked {
			t.Errorf("%+v: asked %s, %v", c.config, asked, err)
		}
	}
}

// transport is a transport of the user's own.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The configuration's lists belong to the caller.
func TestResolverCopiesItsConfiguration(t *testing.T) {
	t.Parallel()
	p := newProject(map[string]string{"session=1": "alice"})
	cookies := []string{"session"}
	auth := newResolver(t, p, authgear.ResolverConfig{Cookies: cookies})
	cookies[0] = "other"
	identity, err := auth.Authenticate(t.Context(), browser("other=2; session=1"))
	wantUser(t, identity, err, "alice")
}

func TestResolverReady(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer func(*http.Request) (*http.Response, error)
		want   authgear.Reason
	}{
		{"nobody", func(r *http.Request) (*http.Response, error) { return answered(r, 200, nil, ""), nil }, ""},
		{"a web page", func(r *http.Request) (*http.Response, error) { return answered(r, 200, nil, "<html>"), nil }, authgear.ReasonAnswerMalformed},
		{"a session", func(r *http.Request) (*http.Response, error) { return answered(r, 200, sessionOf("alice"), ""), nil }, authgear.ReasonAnswerMalformed},
		{"no session", func(r *http.Request) (*http.Response, error) {
			return answered(r, 200, http.Header{"X-Authgear-Session-Valid": {"false"}}, ""), nil
		}, authgear.ReasonAnswerMalformed},
		{"no project", func(r *http.Request) (*http.Response, error) { return answered(r, 404, nil, ""), nil }, authgear.ReasonResolverUnavailable},
		{"a failure", func(r *http.Request) (*http.Response, error) { return answered(r, 500, nil, ""), nil }, authgear.ReasonResolverUnavailable},
		{"no answer", func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }, authgear.ReasonResolverUnavailable},
	} {
		asked := 0
		auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
			asked++
			if r.Header.Get("Authorization")+r.Header.Get("Cookie") != "" {
				t.Error("credentials are sent")
			}
			return c.answer(r)
		}), authgear.ResolverConfig{})
		for range 2 {
			err := auth.Ready(t.Context())
			if c.want == "" && err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if c.want != "" {
				wantUnavailable(t, nil, err, c.want)
			}
		}
		if c.want == "" && asked != 1 || c.want != "" && asked < 2 {
			t.Errorf("%s: asked %d times", c.name, asked)
		}
	}
}

// Probes share a call, and a success of any kind stands.
func TestResolverReadyOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		p.hold = make(chan struct{})
		auth := newResolver(t, p, authgear.ResolverConfig{})
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if err := auth.Ready(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(p.hold)
		wg.Wait()
		p.change(func() { p.err = errors.New("down") })
		if err := auth.Ready(t.Context()); err != nil || p.total() != 1 {
			t.Errorf("%v after %d calls", err, p.total())
		}
	})
	p := newProject(map[string]string{"Bearer a": "alice"})
	auth := newResolver(t, p, authgear.ResolverConfig{})
	identity, err := auth.Authenticate(t.Context(), bearer("a"))
	wantUser(t, identity, err, "alice")
	p.change(func() { p.err = errors.New("down") })
	if err := auth.Ready(t.Context()); err != nil || p.total() != 1 {
		t.Errorf("%v after %d calls", err, p.total())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p = newProject(nil)
	p.hold = make(chan struct{}) // until the call's own time is over
	wantUnavailable(t, nil, newResolver(t, p, authgear.ResolverConfig{Timeout: time.Millisecond}).Ready(ctx), authgear.ReasonResolverUnavailable)
}

// What one request does with its identity does not reach the next one.
func TestResolverIdentityBelongsToTheCaller(t *testing.T) {
	t.Parallel()
	p := newProject(map[string]string{"Bearer a": "alice"})
	auth := newResolver(t, p, authgear.ResolverConfig{CacheTTL: time.Hour, Cookies: []string{"session", "s2", "s3"}})
	for range 3 {
		identity, err := auth.Authenticate(t.Context(), bearer("a"))
		wantUser(t, identity, err, "alice")
		if !slices.Equal(identity.Roles, []string{"editor", "role:alice"}) || identity.Evidence.Ambient {
			t.Fatalf("identity = %+v", identity)
		}
		identity.ID, identity.Roles[0], identity.Evidence.Ambient = "mallory", "admin", true
		_ = append(identity.Roles[:0], "admin", "owner")
	}
	for range 3 { // the clearing lines too
		_, err := auth.Authenticate(t.Context(), browser("session=x"))
		e, _ := errors.AsType[*authgear.Error](err)
		if e == nil || len(e.Evidence.ClearCookies) != 1 || !strings.HasPrefix(e.Evidence.ClearCookies[0], "session=;") {
			t.Fatalf("%+v", err)
		}
		e.Evidence.ClearCookies[0], e.Reason = "session=mallory", authgear.ReasonNoCredentials
	}
	if n := p.total(); n != 2 {
		t.Errorf("%d calls", n)
	}
}
