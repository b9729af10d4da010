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

// resolverBench is an app with a guard whose authenticator asks the embedded
// Authgear each time, and one whose authenticator keeps answers.
type resolverBench struct {
	*bench
	server      *authgeartest.Server
	alice, bob  string
	mu          sync.Mutex
	credentials []string // that Authgear got since the last call of asked
}

func newResolverBench(t *testing.T, mount Mount) *resolverBench {
	t.Helper()
	b := &resolverBench{bench: &bench{record: &record{}}, server: authgeartest.New(t)}
	b.alice = b.server.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"admin", "editor"}})
	b.bob = b.server.AddUser(authgeartest.User{ID: "bob"})
	b.server.Handle(resolvePath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.note(t, r)
		b.server.ServeHTTP(w, r)
	}))
	observer := b.record.observer()
	var app App
	for _, ttl := range []time.Duration{0, time.Hour} {
		auth, err := authgear.NewResolver(authgear.ResolverConfig{Endpoint: b.server.Endpoint(), TokenCookie: tokenCookie, CacheTTL: ttl, Timeout: patience, Observer: observer})
		if err != nil {
			t.Fatal(err)
		}
		app.Guards = append(app.Guards, Guard{Authenticator: auth, Config: guard.Config{Observer: observer}})
	}
	app.Routes = []Route{
		{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: describe},
		{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: describe},
		{Path: "/inside", Steps: []Step{{Kind: Optional}, {Kind: Require}, {Kind: Require}}, Handler: describe},
		{Path: "/cached", Steps: []Step{{Kind: Require, Guard: 1}}, Handler: describe},
		{Path: "/cached-optional", Steps: []Step{{Kind: Optional, Guard: 1}}, Handler: describe},
		{Path: "/live", Steps: []Step{{Kind: Optional, Guard: 1}, {Kind: RequireFresh, Guard: 1}, {Kind: Require, Guard: 1}}, Handler: describe},
	}
	b.addr = mount(t, app)
	return b
}

// canary is sent beside each token: a session cookie that can never be one, so
// that Authgear says of a token that it is refused.
const canary = "session=~"

// note keeps what Authgear gets, which is one credential and nothing else of the
// client.
func (b *resolverBench) note(t *testing.T, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, values := range r.Header {
		switch name {
		case "Cookie":
			if r.Header.Get("Authorization") == "" || !slices.Equal(values, []string{canary}) {
				b.credentials = append(b.credentials, name+": "+strings.Join(values, "\n"))
			}
		case "Authorization":
			b.credentials = append(b.credentials, name+": "+strings.Join(values, "\n"))
		case "User-Agent", "Accept-Encoding":
		default:
			t.Errorf("Authgear got %s: %q", name, values)
		}
	}
	if r.Method != "GET" || r.URL.RawQuery != "" || r.Host != strings.TrimPrefix(b.server.Endpoint(), "http://") || r.ContentLength != 0 {
		t.Errorf("Authgear got %s %s of the host %s with %d bytes", r.Method, r.URL, r.Host, r.ContentLength)
	}
}

func (b *resolverBench) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := b.credentials
	b.credentials = nil
	return asked
}

// What the handler says of alice, and of bob.
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
	says  string          // of an identity
	want  authgear.Reason // else
	sent  string          // to Authgear; "": it is not asked
}

// resolverCases: one credential decides, whatever stands beside it. carol's
// account is disabled.
var resolverCases = []resolverCase{
	// One credential, as the client may write it.
	{"a JWT", []string{"Authorization: Bearer {alice.jwt}"}, byToken, "", "Authorization: Bearer {alice.jwt}"},
	{"an opaque token", []string{"authorization: Bearer {alice.opaque}"}, byToken, "", "Authorization: Bearer {alice.opaque}"},
	{"a session cookie", []string{sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},
	{"the field's name in lower case", []string{"cookie: session={alice.cookie}"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"among other cookies", []string{"Cookie: a=b; session={alice.cookie};c; app_session={bob.cookie}"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"without spaces", []string{"Cookie:a=b;session={alice.cookie};"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"tabs and spaces", []string{"Cookie: \t a=b ;\t session={alice.cookie} \t"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"several lines", []string{"Cookie: a=b", "cookie: session={alice.cookie}", "COOKIE: c=d"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"another scheme beside a cookie", []string{"Authorization: Basic YTpi", sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},
	{"an empty Authorization beside a cookie", []string{"Authorization:", sessionLine("{alice.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},

	// The token cookie goes before a session, and after a token.
	{"a token cookie", []string{"Cookie: token={alice.jwt}"}, byCookie, "", "Authorization: Bearer {alice.jwt}"},
	{"a token cookie before a session", []string{"Cookie: session={bob.cookie}; token={alice.jwt}"}, byCookie, "", "Authorization: Bearer {alice.jwt}"},
	{"an empty token cookie", []string{"Cookie: token=; session={alice.cookie}"}, byCookie, "", sessionLine("{alice.cookie}")},
	{"a token before all cookies", []string{"Authorization: Bearer {alice.jwt}", "Cookie: token={bob.jwt}; session={bob.cookie}"}, byToken, "", "Authorization: Bearer {alice.jwt}"},
	{"a token cookie twice", []string{"Cookie: token={alice.jwt}; token={alice.jwt}"}, "", authgear.ReasonTokenMalformed, ""},
	{"in two lines", []string{"Cookie: token={alice.jwt}", "Cookie: token={alice.jwt}"}, "", authgear.ReasonTokenMalformed, ""},
	{"once empty", []string{"Cookie: token=; token={alice.jwt}"}, "", authgear.ReasonTokenMalformed, ""},
	{"a token cookie that is no token", []string{"Cookie: token=a,b; session={alice.cookie}"}, "", authgear.ReasonTokenMalformed, ""},
	{"a token cookie too large", []string{"Cookie: token=" + strings.Repeat("a", 16<<10+1)}, "", authgear.ReasonTokenMalformed, ""},
	{"no session rescues a bad token cookie", []string{"Cookie: token=bad; session={alice.cookie}"}, "", authgear.ReasonTokenRejected, "Authorization: Bearer bad"},

	// No credential of ours.
	{"nothing", nil, "", authgear.ReasonNoCredentials, ""},
	{"other cookies", []string{"Cookie: a=b; Session={alice.cookie}; app_session={alice.cookie}; session"}, "", authgear.ReasonNoCredentials, ""},
	{"another field", []string{"Cookie2: session={alice.cookie}", "X-Cookie: session={alice.cookie}", "Set-Cookie: session={alice.cookie}"}, "", authgear.ReasonNoCredentials, ""},
	{"forged identity", []string{"X-Authgear-Session-Valid: true", "X-Authgear-User-Id: alice"}, "", authgear.ReasonNoCredentials, ""},

	// A token that Authgear refuses, or that is none.
	{"an unknown token", []string{"Authorization: Bearer unknown"}, "", authgear.ReasonTokenRejected, "Authorization: Bearer unknown"},
	{"no cookie rescues a bad token", []string{"Authorization: Bearer unknown", sessionLine("{bob.cookie}")}, "", authgear.ReasonTokenRejected, "Authorization: Bearer unknown"},
	{"nor a malformed one", []string{"Authorization: Bearer", sessionLine("{bob.cookie}")}, "", authgear.ReasonAuthorizationMalformed, ""},
	{"nor two of them", []string{"Authorization: Bearer {alice.jwt}", "Authorization: Bearer {alice.jwt}", sessionLine("{bob.cookie}")}, "", authgear.ReasonAuthorizationMalformed, ""},
	{"a disabled user's JWT", []string{"Authorization: Bearer {carol.jwt}"}, "", authgear.ReasonTokenRejected, "Authorization: Bearer {carol.jwt}"},
	{"a disabled user's opaque token", []string{"Authorization: Bearer {carol.opaque}"}, "", authgear.ReasonTokenRejected, "Authorization: Bearer {carol.opaque}"},
	{"a disabled user's cookie", []string{sessionLine("{carol.cookie}")}, "", authgear.ReasonSessionInvalid, sessionLine("{carol.cookie}")},

	// A session that Authgear refuses, or is not asked about.
	{"an empty session cookie", []string{sessionLine("")}, "", authgear.ReasonSessionInvalid, sessionLine("")},
	{"an unknown one", []string{sessionLine("unknown")}, "", authgear.ReasonSessionInvalid, sessionLine("unknown")},
	{"sent as it is", []string{sessionLine("a=b%20+'=")}, "", authgear.ReasonSessionInvalid, sessionLine("a=b%20+'=")},
	{"quotes are not taken off", []string{sessionLine(`"{alice.cookie}"`)}, "", authgear.ReasonSessionInvalid, ""},
	{"not ASCII", []string{sessionLine("{alice.cookie}\xc3\xa9")}, "", authgear.ReasonSessionInvalid, ""},
	{"a space inside", []string{sessionLine("{alice.cookie} a")}, "", authgear.ReasonSessionInvalid, ""},
	{"two cookies, the first counts", []string{sessionLine("{alice.cookie}", "{bob.cookie}")}, byCookie, "", sessionLine("{alice.cookie}")},
	{"in two lines as well", []string{sessionLine("{bob.cookie}"), sessionLine("{alice.cookie}")}, bobByCookie, "", sessionLine("{bob.cookie}")},
	{"two cookies, a bad one first", []string{sessionLine("bad", "{alice.cookie}")}, "", authgear.ReasonSessionInvalid, sessionLine("bad")},
	{"hundreds of them", []string{sessionLine("{alice.cookie}" + strings.Repeat("; session=b", 500))}, byCookie, "", sessionLine("{alice.cookie}")},
	{"too large", []string{sessionLine(strings.Repeat("a", 1<<10+1), "{alice.cookie}")}, "", authgear.ReasonSessionInvalid, ""},
}

func testResolver(t *testing.T, mount Mount) {
	b := newResolverBench(t, mount)
	carol := b.server.AddUser(authgeartest.User{ID: "carol"})
	var pairs []string
	for _, id := range []string{b.alice, b.bob, carol} {
		pairs = append(pairs,
			"{"+id+".jwt}", b.server.AccessToken(id),
			"{"+id+".opaque}", b.server.OpaqueToken(id),
			"{"+id+".cookie}", b.server.SessionCookie(id).Value)
	}
	b.server.DisableUser(carol)
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
			b.check(t, c, path)
		}
	}
	b.checkElsewhere(t)
	b.checkTrailers(t)
}

// check compares the answer, and what Authgear has got.
func (b *resolverBench) check(t *testing.T, c resolverCase, path string) {
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
	b.asked()
	got := b.raw(t, head("GET", path, c.lines...))
	switch {
	case c.want == "":
		says(t, what, got, 200, c.says)
	case path == "/optional" && (stale || c.want == authgear.ReasonNoCredentials):
		says(t, what, got, 200, "nobody")
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
	if asked := b.asked(); !slices.Equal(asked, sent) {
		t.Errorf("%s: Authgear got %q, want %q", what, asked, sent)
	}
}

// checkElsewhere sends what a browser sends by itself, and a token, for another
// website.
func (b *resolverBench) checkElsewhere(t *testing.T) {
	jwt, cookie := b.server.AccessToken(b.alice), b.server.SessionCookie(b.alice).Value
	for line, refused := range map[string]bool{sessionLine(cookie): true, "Cookie: token=" + jwt: true, "Authorization: Bearer " + jwt: false} {
		for _, path := range []string{"/required", "/optional", "/live"} {
			got := b.raw(t, head("POST", path, slices.Concat(elsewhere, []string{line})...))
			if refused {
				same(t, "another website: "+line, got, refusal(authgear.ReasonCrossOrigin, ""))
			} else {
				says(t, "another website: "+line, got, 200, byToken)
			}
		}
	}
}

// checkTrailers: a cookie in a trailer is none (RFC 9110 §6.5.1); a server may
// refuse it.
func (b *resolverBench) checkTrailers(t *testing.T) {
	line, trailer := sessionLine(b.server.SessionCookie(b.alice).Value), sessionLine(b.server.SessionCookie(b.bob).Value)
	for _, declared := range [][]string{nil, {"Trailer: Cookie"}} {
		for who, lines := range map[string][]string{"nobody": nil, byCookie: {line}} {
			lines = slices.Concat(lines, declared, []string{"Transfer-Encoding: chunked"})
			got := b.raw(t, head("POST", "/optional", lines...)+"5\r\nhello\r\n0\r\n"+trailer+"\r\n\r\n")
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
		b := newResolverBench(t, mount)
		credentials := []string{"Authorization: Bearer " + b.server.AccessToken(b.alice), sessionLine(b.server.SessionCookie(b.alice).Value)}
		c.broken(b.server)
		for _, line := range credentials {
			for _, path := range []string{"/required", "/optional", "/live"} {
				got := b.raw(t, head("GET", path, line))
				seconds := "1"
				if slices.Equal(got.header["Retry-After"], []string{"2"}) { // a pause of a second, and a fifth for chance
					seconds = "2"
				}
				same(t, c.name+" at "+path, got, refusal(c.want, seconds))
			}
		}
		same(t, c.name+": no credentials", b.raw(t, head("GET", "/required", "X-Field: a")), refusal(authgear.ReasonNoCredentials, ""))
		says(t, c.name+": no credentials", b.raw(t, head("GET", "/optional", "X-Field: a")), 200, "nobody")
		if c.name != "no database" {
			continue
		}
		b.server.SetOutage(false)
		for _, path := range []string{"/optional", "/live"} { // of two authenticators
			for end := time.Now().Add(time.Minute); b.raw(t, head("GET", path, credentials[0])).status != 200; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("it does not recover")
				}
			}
		}
		for i, line := range credentials {
			want := []string{byToken, byCookie}[i]
			for _, path := range []string{"/optional", "/required", "/live"} {
				says(t, "after "+c.name+" at "+path, b.raw(t, head("GET", path, line)), 200, want)
			}
		}
	}
}

// testFreshness has a guard that keeps answers for an hour, and a live route.
func testFreshness(t *testing.T, mount Mount) {
	b := newResolverBench(t, mount)
	for name, c := range map[string]struct {
		credential string
		line       func(string) string
		says       string
		want       authgear.Reason
	}{
		"a token":  {b.server.OpaqueToken(b.alice), func(s string) string { return "Authorization: Bearer " + s }, byToken, authgear.ReasonTokenRejected},
		"a cookie": {b.server.SessionCookie(b.alice).Value, func(s string) string { return sessionLine(s) }, byCookie, authgear.ReasonSessionInvalid},
	} {
		asked := func(what string, want int) {
			t.Helper()
			if got := len(b.asked()); got != want {
				t.Errorf("%s: %s: Authgear was asked %d times, want %d", name, what, got, want)
			}
		}
		line := c.line(c.credential)
		ask := func(path string) answer { return b.raw(t, head("GET", path, line)) }
		says(t, name+": first", ask("/cached"), 200, c.says)
		says(t, name+": again", ask("/cached"), 200, c.says)
		asked("kept", 1)
		says(t, name+": live", ask("/live"), 200, c.says)
		asked("live", 1)

		b.server.RevokeSession(c.credential)
		says(t, name+": kept beyond its end", ask("/cached"), 200, c.says)
		asked("kept beyond its end", 0)
		want := refusal(c.want, "")
		if c.want == authgear.ReasonSessionInvalid {
			want.header["Set-Cookie"] = clearingCookies[:1]
		}
		same(t, name+": live after its end", ask("/live"), want)
		asked("live after its end", 1)
		same(t, name+": what a live route has found counts for all", ask("/cached"), want)
	}

	// An answer is kept for a token; whether a browser has sent it is a matter of
	// each request.
	good := b.server.OpaqueToken(b.alice)
	for range 2 {
		says(t, "a token", b.raw(t, head("POST", "/cached-optional", "Authorization: Bearer "+good, "Sec-Fetch-Site: cross-site")), 200, byToken)
		says(t, "the same in a cookie", b.raw(t, head("POST", "/cached-optional", "Cookie: token="+good)), 200, byCookie)
		same(t, "from another website", b.raw(t, head("POST", "/cached-optional", "Cookie: token="+good, "Sec-Fetch-Site: cross-site")), refusal(authgear.ReasonCrossOrigin, ""))
		same(t, "a bad token", b.raw(t, head("GET", "/cached-optional", "Authorization: Bearer bad")), refusal(authgear.ReasonTokenRejected, ""))
		says(t, "the same in a cookie", b.raw(t, head("GET", "/cached-optional", "Cookie: token=bad")), 200, "nobody")
	}
}

// testSessions sends many sessions at once, each to several routes.
func testSessions(t *testing.T, mount Mount) {
	b := newResolverBench(t, mount)
	var wg sync.WaitGroup
	for i := range 20 {
		id := fmt.Sprintf("user%d", i)
		b.server.AddUser(authgeartest.User{ID: id})
		line := sessionLine(b.server.SessionCookie(id).Value)
		for _, path := range []string{"/required", "/optional", "/cached", "/live"} {
			wg.Go(func() {
				request, err := http.NewRequest("GET", "http://"+b.addr+path, nil)
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
