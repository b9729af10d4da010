package docs

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
	"github.com/gofiber/fiber/v3"
)

// journal is the log of a service.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.String()
}

func (j *journal) observer() *authgear.Observer {
	return authgear.LogObserver(slog.New(slog.NewTextHandler(j, nil)))
}

// owner is the owner of a service, who sets it up, sends it a request, and reads the
// log.
type owner struct {
	*testing.T
	project *authgeartest.Server
	alice   string
	journal journal
}

func newOwner(t *testing.T, config ...authgeartest.Config) *owner {
	p := &owner{T: t, project: authgeartest.New(t, config...)}
	p.alice = p.project.AddUser(authgeartest.User{Roles: []string{"admin"}})
	return p
}

func (p *owner) bearer(t ...authgeartest.Token) string {
	return "Authorization: Bearer " + p.project.AccessToken(p.alice, t...)
}

// withoutTrustProxy makes Authgear answer a path as if X-Forwarded-Proto were not set.
func (p *owner) withoutTrustProxy(path string) {
	p.project.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("X-Forwarded-Proto")
		p.project.ServeHTTP(w, r)
	}))
}

func (p *owner) jwt(c authgear.JWTConfig) (authgear.Authenticator, error) {
	if c.Endpoint == "" {
		c.Endpoint = p.project.Endpoint()
	}
	c.Observer = p.journal.observer()
	return authgear.NewJWT(c)
}

func (p *owner) hybrid(c authgear.HybridConfig) (authgear.Authenticator, error) {
	if c.Endpoint == "" {
		c.Endpoint = p.project.Endpoint()
	}
	c.Observer, c.Timeout = p.journal.observer(), time.Minute
	return authgear.NewHybrid(c)
}

func (p *owner) resolver(c authgear.ResolverConfig) (authgear.Authenticator, error) {
	if c.Endpoint == "" {
		c.Endpoint = p.project.Endpoint()
	}
	c.Observer, c.Timeout = p.journal.observer(), time.Minute
	return authgear.NewResolver(c)
}

func (p *owner) forwarded() (authgear.Authenticator, error) {
	return authgear.NewForwarded(authgear.ForwardedConfig{Secrets: []string{strings.Repeat("s", 32)}, Observer: p.journal.observer()})
}

// serve runs the service, and returns its address.
func (p *owner) serve(h http.Handler) string {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(&p.journal, "", 0)
	server.Start()
	p.Cleanup(server.Close)
	return server.URL
}

// ask sends a request with these headers, and returns the log. If the service does not
// even start, ask returns the error.
func (p *owner) ask(auth authgear.Authenticator, err error, headers ...string) string {
	if err != nil {
		return err.Error()
	}
	return p.send("GET", p.serve(authgearhttp.New(auth).Require()(http.NotFoundHandler())), headers...)
}

func (p *owner) send(method, url string, headers ...string) string {
	request, err := http.NewRequestWithContext(p.Context(), method, url, nil)
	if err != nil {
		p.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	if response, err := http.DefaultClient.Do(request); err == nil { // a panic ends the connection
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	return p.journal.String()
}

// The owner of a service finds each of these mistakes in the log or the error: the text
// names its cause and what to do about it.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const session, discovery, public = "/_resolver/resolve", "/.well-known/openid-configuration", "https://auth.example.com"
	proven := "X-Authgear-Proxy-Secret: " + strings.Repeat("s", 32)
	for _, c := range []struct {
		name    string
		project authgeartest.Config
		make    func(p *owner) string // makes the mistake, and returns what the owner reads
		cause   string
		fix     string
	}{
		{"Authgear is down", authgeartest.Config{}, func(p *owner) string {
			token := p.bearer()
			p.project.SetDown(true)
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, token)
		}, "can this machine reach it?", "Look at whether this machine reaches Authgear at Endpoint"},
		{"wrong path", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{Endpoint: public + "/auth"})
			return p.ask(auth, err)
		}, `"https://auth.example.com/auth" has a path`, "write scheme and host only: " + public},
		{"http", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{Endpoint: "http://auth.example.com"})
			return p.ask(auth, err)
		}, `"http://auth.example.com" `, "use https"},
		{"another project's endpoint", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.jwt(authgear.JWTConfig{Endpoint: newOwner(p.T).project.Endpoint()})
			return p.ask(auth, err, p.bearer())
		}, "the token's issuer is ", "Set Endpoint to the project that the client signs in to"},
		{"a web page instead of Authgear", authgeartest.Config{}, func(p *owner) string {
			p.project.Handle(discovery, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
			auth, err := p.jwt(authgear.JWTConfig{})
			return p.ask(auth, err, p.bearer())
		}, "a web page; is the endpoint that of an Authgear project?", "whether Endpoint is the project's public origin"},
		{"the clock is 2 minutes off", authgeartest.Config{Now: func() time.Time { return time.Now().Add(2 * time.Minute) }}, func(p *owner) string {
			auth, err := p.jwt(authgear.JWTConfig{})
			return p.ask(auth, err, p.bearer())
		}, "is the clock of this machine right?", "Look at the clock of this machine."},
		{"an opaque token at NewJWT", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.jwt(authgear.JWTConfig{})
			return p.ask(auth, err, "Authorization: Bearer "+p.project.OpaqueToken(p.alice))
		}, "token is opaque, not a JWT", `Turn on \"Issue JWT as access token\"`},
		{"an ID token", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, "Authorization: Bearer "+p.project.IDToken(p.alice, "spa"))
		}, `typ is \"JWT\", not at+jwt`, "Send the access token, not the ID token"},
		{"a refresh token", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, "Authorization: Bearer "+p.project.SessionCookie(p.alice).Value) // a refresh token has the same form
		}, "it looks like a refresh token", "clients send their access token"},
		{"another project's token", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.resolver(authgear.ResolverConfig{})
			return p.ask(auth, err, newOwner(p.T).bearer())
		}, "the token's issuer is ", "set Endpoint to the project that the client signs in to"},
		{"an expired token", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, p.bearer(authgeartest.Token{ExpiresIn: -time.Hour}))
		}, "expired at ", "Let the client refresh its token"},
		{"wrong audience", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, p.bearer(authgeartest.Token{Claims: map[string]any{"aud": "https://api.example.com"}}))
		}, `the token's audience is \"https://api.example.com\"`, "Set Endpoint to the project's public origin"},
		{"no Bearer", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, strings.Replace(p.bearer(), "Bearer ", "", 1))
		}, "looks like a token without its scheme", `the client has to send \"Bearer \" and the token`},
		{"Bearer undefined", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, "Authorization: Bearer undefined")
		}, `the client sent the word \"undefined\" in place of a token: it made the request before it had one`, "Look at how the client stores and sends the token."},
		{"two headers", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, p.bearer(), p.bearer())
		}, "2 Authorization headers", "Send one Authorization header"},
		{"a cookie of another domain", authgeartest.Config{}, func(p *owner) string {
			return doctor.Run(p.Context(), doctor.Config{Endpoint: p.project.Endpoint(), Service: "https://api.example.com"}).String()
		}, `the service at "https://api.example.com" never gets it`, "http.cookie_domain"},
		{"wrong cookie name", authgeartest.Config{CookiePrefix: "myapp_"}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, "Cookie: "+p.project.SessionCookie(p.alice).String())
		}, `the cookie \"myapp_session\" has the form of Authgear's session cookie, but Cookies names [\"session\"] only`, "add its name to Cookies"},
		{"TRUST_PROXY is missing", authgeartest.Config{Endpoint: public}, func(p *owner) string {
			p.withoutTrustProxy(discovery)
			auth, err := p.jwt(authgear.JWTConfig{InternalURL: p.project.URL()})
			return p.ask(auth, err, p.bearer())
		}, "a redirect to " + public + ", is not followed", "needs TRUST_PROXY=true"},
		{"an internal address without TRUST_PROXY", authgeartest.Config{Endpoint: public}, func(p *owner) string {
			p.withoutTrustProxy(session)
			auth, err := p.resolver(authgear.ResolverConfig{InternalURL: p.project.URL()})
			return p.ask(auth, err, p.bearer())
		}, "Authgear does not know by which origin it is asked", "set its TRUST_PROXY=true"},
		{"wrong proxy secret", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.forwarded()
			return p.ask(auth, err, "X-Authgear-Proxy-Secret: "+strings.Repeat("x", 32), p.bearer())
		}, "X-Authgear-Proxy-Secret is none of Secrets", "Give this service the secret of the proxy"},
		{"a proxy that adds nothing", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.forwarded()
			return p.ask(auth, err, proven, "Cookie: "+p.project.SessionCookie(p.alice).String())
		}, "the reverse proxy has added no X-Authgear-* header", "compare its configuration with docs/proxies.md"},
		{"the guard before CORS", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			if err != nil {
				p.Fatal(err)
			}
			return p.send("OPTIONS", p.serve(authgearhttp.New(auth).Require()(http.NotFoundHandler())), "Origin: https://app.example.com", "Access-Control-Request-Method: POST")
		}, "a CORS preflight was refused", "mount the CORS middleware before the guard"},
		{"a machine without Resources", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, "Authorization: Bearer "+p.project.ClientToken("worker", "https://api.example.com"))
		}, `the audience of this machine's token is \"https://api.example.com\", which is not one of Resources`, "for clients, Resources to the resource URI"},
		{"a misspelt role", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			if err != nil {
				p.Fatal(err)
			}
			return p.send("GET", p.serve(authgearhttp.New(auth).Require(authgear.Role("Admin"))(http.NotFoundHandler())), p.bearer())
		}, `the role [\"Admin\"] is needed, the user has \"admin\"`, "Write the role's key at the route as the Authgear portal has it"},
		{"the custom domain was switched", authgeartest.Config{Endpoint: public}, func(p *owner) string {
			return doctor.Run(p.Context(), doctor.Config{Endpoint: p.moved()}).String()
		}, `the issuer is "https://auth.example.com", the endpoint is`, "if it is the right project, set Endpoint to that"},
		{"the custom domain was switched, in the log", authgeartest.Config{Endpoint: public}, func(p *owner) string {
			old := p.moved()
			auth, err := p.jwt(authgear.JWTConfig{Endpoint: old})
			return p.ask(auth, err, p.bearer(authgeartest.Token{Claims: map[string]any{"iss": old, "aud": old}}))
		}, `the issuer is \"https://auth.example.com\", the endpoint is`, "whether Endpoint is the project's public origin"},
		{"the key was rotated and removed", authgeartest.Config{}, func(p *owner) string {
			token := p.bearer(authgeartest.Token{Claims: map[string]any{"iat": time.Now().Add(-10 * time.Minute).Unix()}})
			p.project.RotateKeys()
			p.project.RemoveOldKeys()
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, token)
		}, "the project does not publish this key", "let the client refresh its token"},
		{"the resolver is down", authgeartest.Config{}, func(p *owner) string {
			p.project.Handle(session, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
			auth, err := p.hybrid(authgear.HybridConfig{})
			return p.ask(auth, err, p.bearer())
		}, "/_resolver/resolve: status 502, not 200", "Look at whether this machine reaches Authgear"},
		{"Redis is down at Authgear", authgeartest.Config{}, func(p *owner) string {
			p.project.SetRedisDown(true)
			auth, err := p.resolver(authgear.ResolverConfig{})
			return p.ask(auth, err, p.bearer())
		}, "/_resolver/resolve: status 500, not 200", "the health of Authgear, its PostgreSQL and its Redis"},
		{"fiber's header buffer", authgeartest.Config{}, func(p *owner) string {
			auth, err := p.hybrid(authgear.HybridConfig{})
			if err != nil {
				p.Fatal(err)
			}
			app := fiber.New()
			app.Use(authgearfiberv3.New(auth).Require())
			return p.send("GET", p.serveFiber(app), p.bearer())
		}, "a request whose headers have more than 4096 bytes gets 431 before any middleware runs", "set ReadBufferSize of fiber.Config to 32 << 10"},
		{"the guard is not mounted", authgeartest.Config{}, func(p *owner) string {
			return p.send("GET", p.serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { authgearhttp.MustUser(r) })), p.bearer())
		}, "MustUser: no user sent this request", "put the guard's Require before this handler"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newOwner(t, c.project)
			read := c.make(p)
			if words := strings.Join(strings.Fields(read), " "); !strings.Contains(words, c.cause) || !strings.Contains(words, c.fix) {
				t.Errorf("no %q or no %q in\n%s", c.cause, c.fix, read)
			}
			if logged := p.journal.String(); strings.Contains(logged, "level=") && !strings.Contains(logged, "docs=https://github.com/authgear/authgear-sdk-go/blob/main/docs/") {
				t.Errorf("no link into the documentation in\n%s", logged)
			}
			t.Logf("| %s | %s | %s |", c.name, c.cause, c.fix)
		})
	}
}

// moved returns an old address of the project: its origin is now another.
func (p *owner) moved() string {
	return p.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "auth.example.com"
		r.Header.Set("X-Forwarded-Proto", "https")
		p.project.ServeHTTP(w, r)
	}))
}

func (p *owner) serveFiber(app *fiber.App) string {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		p.Fatal(err)
	}
	go func() { _ = app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	p.Cleanup(func() { _ = app.Shutdown() })
	return "http://" + listener.Addr().String()
}
