package guardtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// testFreshness has a guard that keeps answers for an hour, and a fresh route.
func testFreshness(t *testing.T, mount Mount) {
	for _, kept := range bothKeep {
		newResolverFixture(t, mount, kept).checkFreshness(t)
	}
}

func (f *resolverFixture) checkFreshness(t *testing.T) {
	for name, c := range map[string]struct {
		credential string
		line       func(string) string
		body       string
		want       authgear.Reason
	}{
		"a JWT":    {f.server.AccessToken(f.alice), func(s string) string { return "Authorization: Bearer " + s }, byToken, authgear.ReasonTokenRejected},
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
		c.body = f.told("/cached", line, c.body)
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
	f := newResolverFixture(t, mount, authgear.SourceHybrid)
	var wg sync.WaitGroup
	for i := range 20 {
		id := fmt.Sprintf("user%d", i)
		f.server.AddUser(authgeartest.User{ID: id})
		line, ambient := sessionLine(f.server.SessionCookie(id).Value), true
		if i%2 == 0 {
			line, ambient = "Authorization: Bearer "+f.server.AccessToken(id), false
		}
		name, value, _ := strings.Cut(line, ": ")
		for _, path := range []string{"/required", "/optional", "/cached", "/fresh"} {
			wg.Go(func() {
				request, err := http.NewRequest("GET", "http://"+f.addr+path, nil)
				if err != nil {
					t.Error(err)
					return
				}
				request.Close = true
				request.Header.Set(name, value)
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = response.Body.Close() }()
				body, err := io.ReadAll(response.Body)
				if want := f.told(path, line, fmt.Sprintf("resolver %s [] verified=false cookie=%v", id, ambient)); err != nil || string(body) != want {
					t.Errorf("%s: %q, %v, want %q", path, body, err, want)
				}
			})
		}
	}
	wg.Wait()
}
