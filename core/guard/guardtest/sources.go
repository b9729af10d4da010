package guardtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

const (
	proxySecret = "a-secret-of-the-proxy-in-front-of-the-backend"
	tokenCookie = "token"
	resource    = "https://api.example.com/orders" // for which clients may ask tokens
)

// source is one of the SDK's own authenticators in the place of fake.
type source struct {
	name authgear.Source
	open func(endpoint string, observer *authgear.Observer) (authgear.Authenticator, error)
}

var (
	jwtSource = source{authgear.SourceJWT, func(endpoint string, observer *authgear.Observer) (authgear.Authenticator, error) {
		return authgear.NewJWT(authgear.JWTConfig{Endpoint: endpoint, TokenCookie: tokenCookie, Resources: []string{resource}, Observer: observer})
	}}
	hybridSource = source{authgear.SourceHybrid, func(endpoint string, observer *authgear.Observer) (authgear.Authenticator, error) {
		return authgear.NewHybrid(authgear.HybridConfig{Endpoint: endpoint, TokenCookie: tokenCookie, Resources: []string{resource}, Timeout: patience, Observer: observer})
	}}
	resolverSource = source{authgear.SourceResolver, func(endpoint string, observer *authgear.Observer) (authgear.Authenticator, error) {
		return authgear.NewResolver(authgear.ResolverConfig{Endpoint: endpoint, TokenCookie: tokenCookie, Timeout: patience, Observer: observer})
	}}
	forwardedSource = source{authgear.SourceForwarded, func(_ string, observer *authgear.Observer) (authgear.Authenticator, error) {
		return authgear.NewForwarded(authgear.ForwardedConfig{Secrets: []string{proxySecret}, Observer: observer})
	}}
	sources = []source{jwtSource, hybridSource, resolverSource, forwardedSource}
)

// project is an app that knows the users of an embedded Authgear by each source,
// on the routes /SOURCE/required, /SOURCE/optional and /SOURCE/admin.
type project struct {
	*fixture
	server *authgeartest.Server
}

func newProject(t *testing.T, mount Mount, handler Handler) project {
	t.Helper()
	p := project{&fixture{record: &record{}}, authgeartest.New(t)}
	observer := p.record.observer()
	var app App
	for i, s := range sources {
		authenticator, err := s.open(p.server.Endpoint(), observer)
		if err != nil {
			t.Fatal(err)
		}
		app.Guards = append(app.Guards, Guard{Authenticator: authenticator, Config: guard.Config{Observer: observer}})
		route := func(name string, step Step) Route {
			step.Guard = i
			return Route{Path: fmt.Sprintf("/%s/%s", s.name, name), Steps: []Step{step}, Handler: handler}
		}
		app.Routes = append(app.Routes,
			route("required", Step{Kind: Require}),
			route("optional", Step{Kind: Optional}),
			route("admin", Step{Kind: Require, Policies: []authgear.Policy{authgear.Role("admin")}}),
		)
	}
	p.addr = mount(t, app)
	return p
}

// ask sends a request with these lines to a route of the source.
func (p project) ask(t *testing.T, s source, method, route string, lines ...string) answer {
	t.Helper()
	if s.name == authgear.SourceForwarded {
		lines = p.proxied(t, lines)
	}
	return p.raw(t, head(method, "/"+string(s.name)+"/"+route, lines...))
}

// proxied returns the lines as a reverse proxy forwards them: with what the
// resolver has said of them.
func (p project) proxied(t *testing.T, lines []string) []string {
	t.Helper()
	request, err := http.NewRequest("GET", p.server.URL()+"/_resolver/resolve", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		if name = http.CanonicalHeaderKey(name); name == "Authorization" || name == "Cookie" {
			request.Header.Add(name, strings.Join(strings.Fields(value), " ")) // the resolver knows one space only
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	for name, values := range response.Header {
		if strings.HasPrefix(name, "X-Authgear-") {
			lines = append(lines, name+": "+values[0])
		}
	}
	return append(lines, "X-Authgear-Proxy-Secret: "+proxySecret)
}

// reason returns what the source finds wrong with a token that JWT refuses for
// that reason: Authgear does not tell why a token is not good.
func (s source) reason(jwt authgear.Reason) authgear.Reason {
	switch {
	case jwt.Outcome() != authgear.OutcomeInvalid, s.name == authgear.SourceJWT:
		return jwt
	case s.name == authgear.SourceHybrid && jwt != authgear.ReasonTokenOpaque:
		return jwt // found before Authgear is asked
	}
	return authgear.ReasonTokenRejected
}
