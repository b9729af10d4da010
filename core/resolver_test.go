package authgear_test

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

const resolverEndpoint = "https://auth.example.com"

// project is an Authgear in memory that knows the sessions in users. The keys
// are what it is sent, without the canary; the values are the users' ids.
type project struct {
	mu     sync.Mutex
	users  map[string]string
	calls  map[string]int                         // by what was sent
	checks int                                    // of our own
	status int                                    // not 0: of every answer
	err    error                                  // not nil: instead of every answer
	hold   chan struct{}                          // not nil: each answer takes an element, and is made after that
	dead   int                                    // connections to its database that cost one failure each
	odd    func(credential string) *http.Response // not nil: the answer about some credentials
}

func newProject(users map[string]string) *project {
	return &project{users: users, calls: map[string]int{}}
}

// isCheck tells a check's token from those of these tests.
var isCheck = regexp.MustCompile("^Bearer [A-Z2-7]{32}$").MatchString

func (p *project) RoundTrip(r *http.Request) (*http.Response, error) {
	credential, cookies := r.Header.Get("Authorization"), r.Header.Get("Cookie")
	canary := strings.Contains(cookies, "session=~")
	if credential == "" {
		credential, _, _ = strings.Cut(cookies, "; ")
	}
	p.mu.Lock()
	if isCheck(credential) {
		p.checks++
	} else {
		p.calls[credential]++
	}
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
	if p.err != nil {
		return nil, p.err
	}
	if p.dead > 0 {
		p.dead--
		return answered(r, 500, nil, "{}"), nil
	}
	if p.odd != nil {
		if response := p.odd(credential); response != nil {
			return response, nil
		}
	}
	switch id, known := p.users[credential]; {
	case p.status != 0:
		return answered(r, p.status, nil, "{}"), nil
	case known:
		return answered(r, 200, sessionOf(id), ""), nil
	case canary || strings.HasPrefix(credential, "session="):
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

// checked is how often checks have asked.
func (p *project) checked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.checks
}

// total is how often the project was asked with clients' credentials.
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

func refusedSession() http.Header { return http.Header{"X-Authgear-Session-Valid": {"false"}} }

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
	if identity != nil || !ok || e.Outcome() != authgear.OutcomeUnavailable || e.RetryAfter <= 0 || e.RetryAfter > 30*time.Second || e.Err == nil {
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
	if _, err := authgear.NewResolver(authgear.ResolverConfig{Endpoint: resolverEndpoint, TokenCookie: "session"}); err == nil {
		t.Error("the default session cookie is taken for a token cookie, too")
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
			return answered(r, 200, refusedSession(), ""), nil
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

// Ready asks with a token of our own and the canary, since a call without
// credentials would find no fault with the stores. An ordinary error names the
// cause.
func TestResolverReady(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		want   string // in the error, "" for none
		asked  int
	}{
		"refused":    {func(r *http.Request) (*http.Response, error) { return answered(r, 200, refusedSession(), ""), nil }, "", 1},
		"silence":    {func(r *http.Request) (*http.Response, error) { return answered(r, 200, nil, ""), nil }, "", 3},
		"a web page": {func(r *http.Request) (*http.Response, error) { return answered(r, 200, nil, "<html>"), nil }, "something else answering", 1},
		"a session":  {func(r *http.Request) (*http.Response, error) { return answered(r, 200, sessionOf("alice"), ""), nil }, "a cache in front of Authgear", 1},
		"no project": {func(r *http.Request) (*http.Response, error) { return answered(r, 404, nil, ""), nil }, "no Authgear project of this host", 1},
		"a failure":  {func(r *http.Request) (*http.Response, error) { return answered(r, 500, nil, ""), nil }, "status 500", 33},
		"a slow failure": {func(r *http.Request) (*http.Response, error) {
			time.Sleep(251 * time.Millisecond)
			return answered(r, 500, nil, ""), nil
		}, "status 500", 1},
		"too large":   {func(r *http.Request) (*http.Response, error) { return answered(r, 431, nil, ""), nil }, "status 431", 1},
		"bad gateway": {func(r *http.Request) (*http.Response, error) { return answered(r, 502, nil, ""), nil }, "status 502", 1},
		"no answer":   {func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }, "no route", 1},
		"a panic":     {func(*http.Request) (*http.Response, error) { panic("Bearer secret") }, "panic", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
				asked++
				if got := r.Header; !isCheck(got.Get("Authorization")) || got.Get("Cookie") != "app_session=~; session=~" {
					t.Errorf("asked with %q", got)
				}
				return c.answer(r)
			}), authgear.ResolverConfig{Cookies: []string{"app_session"}})
			for range 2 { // an earlier success stands, and within the pause nobody asks
				err := auth.Ready(t.Context())
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret")) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if asked != c.asked {
				t.Errorf("%s: asked %d times", name, asked)
			}
			if c.want != "" { // it is an outage
				_, err := auth.Authenticate(t.Context(), bearer("a"))
				if e, ok := errors.AsType[*authgear.Error](err); !ok || e.Outcome() != authgear.OutcomeUnavailable || asked != c.asked {
					t.Errorf("%s: %v for a client", name, err)
				}
			}
		})
	}
}

// After one success of any kind, the resolver stays ready.
func TestResolverReadyOnce(t *testing.T) {
	t.Parallel()
	p := newProject(map[string]string{"Bearer a": "alice"})
	auth := newResolver(t, p, authgear.ResolverConfig{})
	identity, err := auth.Authenticate(t.Context(), bearer("a"))
	wantUser(t, identity, err, "alice")
	p.change(func() { p.err = errors.New("down") })
	if err := auth.Ready(t.Context()); err != nil || p.checked() != 0 {
		t.Errorf("%v after %d checks", err, p.checked())
	}
}

// What one request does with its clearing cookies does not reach the next one.
func TestClearingBelongsToTheCaller(t *testing.T) {
	t.Parallel()
	p := newProject(nil)
	auth := newResolver(t, p, authgear.ResolverConfig{CacheTTL: time.Hour})
	for range 3 {
		_, err := auth.Authenticate(t.Context(), browser("session=x"))
		e, _ := errors.AsType[*authgear.Error](err)
		if e == nil || len(e.Evidence.ClearCookies) != 1 || !strings.HasPrefix(e.Evidence.ClearCookies[0], "session=;") {
			t.Fatalf("%+v", err)
		}
		e.Evidence.ClearCookies[0], e.Reason = "session=mallory", authgear.ReasonNoCredentials
	}
	if n := p.total(); n != 1 {
		t.Errorf("%d calls", n)
	}
}
