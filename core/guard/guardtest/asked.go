package guardtest

import (
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

const resolvePath = "/_resolver/resolve"

// describe answers with all that a session says of its user.
func describe(c Context) (int, string) {
	identity, ok := c.Identity()
	if !ok {
		return http.StatusOK, "nobody"
	}
	return http.StatusOK, fmt.Sprintf("%s %s %v verified=%v cookie=%v", identity.Source, identity.ID, identity.Roles, identity.Verified, identity.Evidence.Ambient)
}

// resolverFixture is an app with a guard whose authenticator asks the embedded
// Authgear each time, one whose authenticator keeps answers, and one that has this
// behind another.
type resolverFixture struct {
	*fixture
	kept        authgear.Source // keeps answers: Resolver or Hybrid
	server      *authgeartest.Server
	alice, bob  string
	mu          sync.Mutex
	credentials []string // that Authgear got since the last call of asked
}

// bothKeep are the authenticators that keep answers.
var bothKeep = []authgear.Source{authgear.SourceResolver, authgear.SourceHybrid}

func newResolverFixture(t *testing.T, mount Mount, kept authgear.Source, routes ...Route) *resolverFixture {
	t.Helper()
	f := &resolverFixture{fixture: &fixture{record: &record{}}, server: authgeartest.New(t), kept: kept}
	f.alice = f.server.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"admin", "editor"}})
	f.bob = f.server.AddUser(authgeartest.User{ID: "bob"})
	f.server.Handle(resolvePath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.note(t, r)
		f.server.ServeHTTP(w, r)
	}))
	observer := f.record.observer()
	asks, err := resolverSource.open(f.server.Endpoint(), observer)
	var keeps authgear.Authenticator
	var errKeeps error
	if kept == authgear.SourceHybrid {
		keeps, errKeeps = authgear.NewHybrid(authgear.HybridConfig{Endpoint: f.server.Endpoint(), TokenCookie: tokenCookie, Resources: []string{resource}, Freshness: time.Hour, Timeout: patience, Observer: observer})
	} else {
		keeps, errKeeps = authgear.NewResolver(authgear.ResolverConfig{Endpoint: f.server.Endpoint(), TokenCookie: tokenCookie, CacheTTL: time.Hour, Timeout: patience, Observer: observer})
	}
	if err != nil || errKeeps != nil {
		t.Fatal(err, errKeeps)
	}
	var app App
	for _, auth := range []authgear.Authenticator{asks, keeps} {
		app.Guards = append(app.Guards, Guard{Authenticator: auth, Config: guard.Config{Observer: observer}})
	}
	app.Guards = append(app.Guards, Guard{Authenticator: authgear.InOrder(Nobody{}, app.Guards[1].Authenticator), Config: app.Guards[1].Config})
	app.Routes = append(routes, []Route{
		{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: describe},
		{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: describe},
		{Path: "/inside", Steps: []Step{{Kind: Optional}, {Kind: Require}, {Kind: Require}}, Handler: describe},
		{Path: "/cached", Steps: []Step{{Kind: Require, Guard: 1}}, Handler: describe},
		{Path: "/cached-optional", Steps: []Step{{Kind: Optional, Guard: 1}}, Handler: describe},
		{Path: "/asks", Steps: []Step{{Kind: RequireFresh, Guard: 1}}, Handler: describe},
		{Path: "/fresh", Steps: []Step{{Kind: Optional, Guard: 1}, {Kind: RequireFresh, Guard: 1}, {Kind: Require, Guard: 1}}, Handler: describe},
	}...)
	f.addr = mount(t, app)
	return f
}

// canary is sent beside each token: a session cookie that can never be one, so
// that Authgear says of a token that it is refused.
const canary = "session=~"

// note keeps what Authgear gets, which is one credential and nothing else of the
// client.
func (f *resolverFixture) note(t *testing.T, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, values := range r.Header {
		switch name {
		case "Cookie":
			if r.Header.Get("Authorization") == "" || !slices.Equal(values, []string{canary}) {
				f.credentials = append(f.credentials, name+": "+strings.Join(values, "\n"))
			}
		case "Authorization":
			f.credentials = append(f.credentials, name+": "+strings.Join(values, "\n"))
		case "User-Agent", "Accept-Encoding":
		default:
			t.Errorf("Authgear got %s: %q", name, values)
		}
	}
	if r.Method != "GET" || r.URL.RawQuery != "" || r.Host != strings.TrimPrefix(f.server.Endpoint(), "http://") || r.ContentLength != 0 {
		t.Errorf("Authgear got %s %s of the host %s with %d bytes", r.Method, r.URL, r.Host, r.ContentLength)
	}
}

func (f *resolverFixture) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.credentials
	f.credentials = nil
	return asked
}

// What the handler answers for alice, and for bob.
const (
	byToken     = "resolver alice [admin editor] verified=true cookie=false"
	byCookie    = "resolver alice [admin editor] verified=true cookie=true"
	bobByCookie = "resolver bob [] verified=false cookie=true"
)

// told is what the handler on a path answers to a line: Hybrid says that a JWT was
// read as well.
func (f *resolverFixture) told(path, line, body string) string {
	asks := slices.Contains([]string{"/required", "/optional", "/inside", "/recent"}, path)
	if f.kept == authgear.SourceHybrid && !asks && strings.Count(line, ".") == 2 {
		return strings.Replace(body, string(authgear.SourceResolver), string(authgear.SourceHybrid), 1)
	}
	return body
}

// sessionLine is a Cookie line with session cookies of these values.
func sessionLine(values ...string) string {
	return "Cookie: session=" + strings.Join(values, "; session=")
}
