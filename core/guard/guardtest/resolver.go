package guardtest

import (
	"fmt"
	"io"
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
	server      *authgeartest.Server
	alice, bob  string
	mu          sync.Mutex
	credentials []string // that Authgear got since the last call of asked
}

func newResolverFixture(t *testing.T, mount Mount, routes ...Route) *resolverFixture {
	t.Helper()
	f := &resolverFixture{fixture: &fixture{record: &record{}}, server: authgeartest.New(t)}
	f.alice = f.server.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"admin", "editor"}})
	f.bob = f.server.AddUser(authgeartest.User{ID: "bob"})
	f.server.Handle(resolvePath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.note(t, r)
		f.server.ServeHTTP(w, r)
	}))
	observer := f.record.observer()
	var app App
	for _, ttl := range []time.Duration{0, time.Hour} {
		auth, err := authgear.NewResolver(authgear.ResolverConfig{Endpoint: f.server.Endpoint(), TokenCookie: tokenCookie, CacheTTL: ttl, Timeout: patience, Observer: observer})
		if err != nil {
			t.Fatal(err)
		}
		app.Guards = append(app.Guards, Guard{Authenticator: auth, Config: guard.Config{Observer: observer}})
	}
	app.Guards = append(app.Guards, Guard{Authenticator: authgear.InOrder(Nobody{}, app.Guards[1].Authenticator), Config: app.Guards[1].Config})
	app.Routes = append(routes, []Route{
		{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: describe},
		{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: describe},
		{Path: "/inside", Steps: []Step{{Kind: Optional}, {Kind: Require}, {Kind: Require}}, Handler: describe},
		{Path: "/cached", Steps: []Step{{Kind: Require, Guard: 1}}, Handler: describe},
		{Path: "/cached-optional", Steps: []Step{{Kind: Optional, Guard: 1}}, Handler: describe},
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

// sessionLine is a Cookie line with session cookies of these values.
func sessionLine(values ...string) string {
	return "Cookie: session=" + strings.Join(values, "; session=")
}

// resolverCase is what lines must lead to, where {alice.jwt}, {alice.opaque} and
// {alice.cookie} stand for alice's credentials, and so for bob's and carol's.
type resolverCase struct {
	name  string
	lines []string
	body  string          // of an identity
	want  authgear.Reason // else
	sent  string          // to Authgear; "": it is not asked
}

// resolverCases: one credential decides, whatever stands beside it. carol's
// account is disabled.
var resolverCases = []resolverCase{
	// As the client may write it.
	{"a JWT", []string{"Authorization: Bearer {alice.jwt}"}, byToken, "", "Authorization: Bearer {alice.jwt}"},
	{"an opaque token", []string{"authorization: Bearer {alice.opaque}"}, byToken, "", "Authorization: Bearer {alice.opaque}"},
	{"a session cookie", []string{sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},
	{"the name in lower case", []string{"cookie: session={alice.cookie}"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"among other cookies", []string{"Cookie: a=b; session={alice.cookie};c; app_session={bob.cookie}"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"without spaces", []string{"Cookie:a=b;session={alice.cookie};"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"tabs and spaces", []string{"Cookie: \t a=b ;\t session={alice.cookie} \t"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"several lines", []string{"Cookie: a=b", "cookie: session={alice.cookie}", "COOKIE: c=d"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"another scheme beside a cookie", []string{"Authorization: Basic YTpi", sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},
	{"an empty Authorization beside a cookie", []string{"Authorization:", sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},

	// What stands beside it, or is wrong with it.
	{"a token cookie", []string{"Cookie: token={alice.jwt}"}, byCookie, "", "Authorization: Bearer {alice.jwt}"},
	{"a token cookie before a session", []string{"Cookie: session={bob.cookie}; token={alice.jwt}"}, byCookie, "", "Authorization: Bearer {alice.jwt}"},
	{"no session rescues a bad token cookie", []string{"Cookie: token=bad; session={alice.cookie}"}, "", authgear.ReasonTokenRejected, "Authorization: Bearer bad"},
	{"other cookies", []string{"Cookie: a=b; Session={alice.cookie}; app_session={alice.cookie}; session"}, "", authgear.ReasonNoCredentials, ""},
	{"forged identity", []string{"X-Authgear-Session-Valid: true", "X-Authgear-User-Id: alice"}, "", authgear.ReasonNoCredentials, ""},
	{"no cookie rescues a bad token", []string{"Authorization: Bearer unknown", sessionLine("{bob.cookie}")}, "", authgear.ReasonTokenRejected, "Authorization: Bearer unknown"},
	{"nor one of two tokens", []string{"Authorization: Bearer {alice.jwt}", "Authorization: Bearer {alice.jwt}", sessionLine("{bob.cookie}")}, "", authgear.ReasonAuthorizationMalformed, ""},
	{"a disabled user's cookie", []string{sessionLine("{carol.cookie}")}, "", authgear.ReasonSessionInvalid, sessionLine("{carol.cookie}")},
	{"an unknown one", []string{sessionLine("unknown")}, "", authgear.ReasonSessionInvalid, sessionLine("unknown")},
	{"not ASCII", []string{sessionLine("{alice.cookie}\xc3\xa9")}, "", authgear.ReasonSessionInvalid, ""},
	{"two in two lines, the first counts", []string{sessionLine("{bob.cookie}"), sessionLine("{alice.cookie}")}, bobByCookie, "", sessionLine("{bob.cookie}")},
	{"two cookies, a bad one first", []string{sessionLine("bad", "{alice.cookie}")}, "", authgear.ReasonSessionInvalid, sessionLine("bad")},
	{"too large", []string{sessionLine(strings.Repeat("a", 1<<10+1), "{alice.cookie}")}, "", authgear.ReasonSessionInvalid, ""},
}

func testResolver(t *testing.T, mount Mount) {
	f := newResolverFixture(t, mount)
	carol := f.server.AddUser(authgeartest.User{ID: "carol"})
	var pairs []string
	for _, id := range []string{f.alice, f.bob, carol} {
		pairs = append(pairs,
			"{"+id+".jwt}", f.server.AccessToken(id),
			"{"+id+".opaque}", f.server.OpaqueToken(id),
			"{"+id+".cookie}", f.server.SessionCookie(id).Value)
	}
	f.server.DisableUser(carol)
	credentials := strings.NewReplacer(pairs...)

	for _, c := range resolverCases {
		c.lines = slices.Clone(c.lines)
		for i, line := range c.lines {
			c.lines[i] = credentials.Replace(line)
		}
		c.sent = credentials.Replace(c.sent)
		if strings.Contains(strings.Join(c.lines, "")+c.sent, "{") {
			t.Fatalf("%s: %q stands for nothing", c.name, append(c.lines, c.sent))
		}
		for _, path := range []string{"/required", "/inside", "/optional"} {
			f.check(t, c, path)
		}
	}
	f.checkElsewhere(t)
	f.checkTrailers(t)
}

// check compares the answer, and what Authgear has got.
func (f *resolverFixture) check(t *testing.T, c resolverCase, path string) {
	byHeader := slices.ContainsFunc(c.lines, func(line string) bool { return strings.HasPrefix(line, "Authorization: Bearer") })
	stale := c.want.Outcome() == authgear.OutcomeInvalid && !byHeader
	var sent, clear []string
	if c.sent != "" {
		sent = []string{c.sent}
		// Only what Authgear has refused is taken away, and only where a browser
		// could not drop another cookie of that name.
		if c.want == authgear.ReasonSessionInvalid && strings.Count(strings.Join(c.lines, ";"), "session=") == 1 {
			clear = clearingCookies[:1]
		}
	}
	what := c.name + " at " + path
	f.asked()
	got := f.raw(t, head("GET", path, c.lines...))
	switch {
	case c.want == "":
		wantBody(t, what, got, 200, c.body)
	case path == "/optional" && (stale || c.want == authgear.ReasonNoCredentials):
		wantBody(t, what, got, 200, "nobody")
	default:
		want := refusal(c.want, "")
		if clear != nil {
			want.header["Set-Cookie"] = clear
		}
		same(t, what, got, want)
	}
	if lines := got.header["Set-Cookie"]; !slices.Equal(lines, clear) {
		t.Errorf("%s: Set-Cookie %q, want %q", what, lines, clear)
	}
	if asked := f.asked(); !slices.Equal(asked, sent) {
		t.Errorf("%s: Authgear got %q, want %q", what, asked, sent)
	}
}

// checkElsewhere sends what a browser sends by itself, and a token, for another
// website.
func (f *resolverFixture) checkElsewhere(t *testing.T) {
	jwt, cookie := f.server.AccessToken(f.alice), f.server.SessionCookie(f.alice).Value
	for line, refused := range map[string]bool{sessionLine(cookie): true, "Cookie: token=" + jwt: true, "Authorization: Bearer " + jwt: false} {
		for _, path := range []string{"/required", "/optional", "/fresh"} {
			got := f.raw(t, head("POST", path, slices.Concat(elsewhere, []string{line})...))
			if refused {
				same(t, "another website: "+line, got, refusal(authgear.ReasonCrossOrigin, ""))
			} else {
				wantBody(t, "another website: "+line, got, 200, byToken)
			}
		}
	}
}

// checkTrailers: a cookie in a trailer is none (RFC 9110 §6.5.1); a server may
// refuse it.
func (f *resolverFixture) checkTrailers(t *testing.T) {
	line, trailer := sessionLine(f.server.SessionCookie(f.alice).Value), sessionLine(f.server.SessionCookie(f.bob).Value)
	for _, declared := range [][]string{nil, {"Trailer: Cookie"}} {
		for who, lines := range map[string][]string{"nobody": nil, byCookie: {line}} {
			lines = slices.Concat(lines, declared, []string{"Transfer-Encoding: chunked"})
			got := f.raw(t, head("POST", "/optional", lines...)+"5\r\nhello\r\n0\r\n"+trailer+"\r\n\r\n")
			if got.status != 400 && (got.status != 200 || got.body != who) {
				t.Errorf("a cookie in a trailer, declared %q: %d %q, want %q", declared, got.status, got.body, who)
			}
		}
	}
}

// testOutage takes Authgear away in several ways, and gives it back.
func testOutage(t *testing.T, mount Mount) {
	answering := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	handle := func(handler http.Handler) func(*authgeartest.Server) {
		return func(s *authgeartest.Server) { s.Handle(resolvePath, handler) }
	}
	for _, c := range []struct {
		name   string
		broken func(*authgeartest.Server)
		want   authgear.Reason
	}{
		{"no database", func(s *authgeartest.Server) { s.SetOutage(true) }, authgear.ReasonResolverUnavailable},
		{"no connection", func(s *authgeartest.Server) { s.SetDown(true) }, authgear.ReasonResolverUnavailable},
		{"another project", handle(answering(404, "app not found")), authgear.ReasonResolverUnavailable},
		{"a captive portal", handle(answering(200, "<html>")), authgear.ReasonAnswerMalformed},
		{"half an answer", handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Authgear-Session-Valid", "true")
		})), authgear.ReasonAnswerMalformed},
	} {
		f := newResolverFixture(t, mount)
		credentials := []string{"Authorization: Bearer " + f.server.AccessToken(f.alice), sessionLine(f.server.SessionCookie(f.alice).Value)}
		c.broken(f.server)
		for _, line := range credentials {
			for _, path := range []string{"/required", "/optional", "/fresh"} {
				got := f.raw(t, head("GET", path, line))
				seconds := "1"
				if slices.Equal(got.header["Retry-After"], []string{"2"}) { // a pause of a second, and a fifth for chance
					seconds = "2"
				}
				same(t, c.name+" at "+path, got, refusal(c.want, seconds))
			}
		}
		same(t, c.name+": no credentials", f.raw(t, head("GET", "/required", "X-Field: a")), refusal(authgear.ReasonNoCredentials, ""))
		wantBody(t, c.name+": no credentials", f.raw(t, head("GET", "/optional", "X-Field: a")), 200, "nobody")
		if c.name != "no database" {
			continue
		}
		f.server.SetOutage(false)
		for _, path := range []string{"/optional", "/fresh"} { // of two authenticators
			for end := time.Now().Add(time.Minute); f.raw(t, head("GET", path, credentials[0])).status != 200; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("it does not recover")
				}
			}
		}
		for i, line := range credentials {
			want := []string{byToken, byCookie}[i]
			for _, path := range []string{"/optional", "/required", "/fresh"} {
				wantBody(t, "after "+c.name+" at "+path, f.raw(t, head("GET", path, line)), 200, want)
			}
		}
	}
}

// testFreshness has a guard that keeps answers for an hour, and a fresh route.
func testFreshness(t *testing.T, mount Mount) {
	f := newResolverFixture(t, mount)
	for name, c := range map[string]struct {
		credential string
		line       func(string) string
		body       string
		want       authgear.Reason
	}{
		"a token":  {f.server.OpaqueToken(f.alice), func(s string) string { return "Authorization: Bearer " + s }, byToken, authgear.ReasonTokenRejected},
		"a cookie": {f.server.SessionCookie(f.alice).Value, func(s string) string { return sessionLine(s) }, byCookie, authgear.ReasonSessionInvalid},
	} {
		asked := func(what string, want int) {
			t.Helper()
			if got := len(f.asked()); got != want {
				t.Errorf("%s: %s: Authgear was asked %d times, want %d", name, what, got, want)
			}
		}
		line := c.line(c.credential)
		ask := func(path string) answer { return f.raw(t, head("GET", path, line)) }
		wantBody(t, name+": first", ask("/cached"), 200, c.body)
		wantBody(t, name+": again", ask("/cached"), 200, c.body)
		asked("kept", 1)
		wantBody(t, name+": fresh", ask("/fresh"), 200, c.body)
		asked("fresh", 1)

		f.server.RevokeSession(c.credential)
		wantBody(t, name+": kept beyond its end", ask("/cached"), 200, c.body)
		asked("kept beyond its end", 0)
		want := refusal(c.want, "")
		if c.want == authgear.ReasonSessionInvalid {
			want.header["Set-Cookie"] = clearingCookies[:1]
		}
		same(t, name+": fresh after its end", ask("/fresh"), want)
		asked("fresh after its end", 1)
		same(t, name+": what a fresh route has found counts for all", ask("/cached"), want)
	}

	// An answer is kept for a token; whether a browser has sent it is a matter of
	// each request.
	good := f.server.OpaqueToken(f.alice)
	for range 2 {
		wantBody(t, "a token", f.raw(t, head("POST", "/cached-optional", "Authorization: Bearer "+good, "Sec-Fetch-Site: cross-site")), 200, byToken)
		wantBody(t, "the same in a cookie", f.raw(t, head("POST", "/cached-optional", "Cookie: token="+good)), 200, byCookie)
		same(t, "from another website", f.raw(t, head("POST", "/cached-optional", "Cookie: token="+good, "Sec-Fetch-Site: cross-site")), refusal(authgear.ReasonCrossOrigin, ""))
		same(t, "a bad token", f.raw(t, head("GET", "/cached-optional", "Authorization: Bearer bad")), refusal(authgear.ReasonTokenRejected, ""))
		wantBody(t, "the same in a cookie", f.raw(t, head("GET", "/cached-optional", "Cookie: token=bad")), 200, "nobody")
	}
}

// testSessions sends many sessions at once, each to several routes.
func testSessions(t *testing.T, mount Mount) {
	f := newResolverFixture(t, mount)
	var wg sync.WaitGroup
	for i := range 20 {
		id := fmt.Sprintf("user%d", i)
		f.server.AddUser(authgeartest.User{ID: id})
		line := sessionLine(f.server.SessionCookie(id).Value)
		for _, path := range []string{"/required", "/optional", "/cached", "/fresh"} {
			wg.Go(func() {
				request, err := http.NewRequest("GET", "http://"+f.addr+path, nil)
				if err != nil {
					t.Error(err)
					return
				}
				request.Close = true
				request.Header.Set("Cookie", strings.TrimPrefix(line, "Cookie: "))
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = response.Body.Close() }()
				body, err := io.ReadAll(response.Body)
				if want := "resolver " + id + " [] verified=false cookie=true"; err != nil || string(body) != want {
					t.Errorf("%s: %q, %v, want %q", path, body, err, want)
				}
			})
		}
	}
	wg.Wait()
}
