package guardtest

import (
	"net/http"
	"slices"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// wayToFail is what happens to Authgear, and what requests are answered then.
type wayToFail struct {
	name   string
	broken func(*authgeartest.Server)
	want   authgear.Reason
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
	for _, w := range []wayToFail{
		{"no database", func(s *authgeartest.Server) { s.SetOutage(true) }, authgear.ReasonResolverUnavailable},
		{"no connection", func(s *authgeartest.Server) { s.SetDown(true) }, authgear.ReasonResolverUnavailable},
		{"another project", handle(answering(404, "app not found")), authgear.ReasonResolverUnavailable},
		{"a captive portal", handle(answering(200, "<html>")), authgear.ReasonAnswerMalformed},
		{"half an answer", handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Authgear-Session-Valid", "true")
		})), authgear.ReasonAnswerMalformed},
	} {
		for _, kept := range bothKeep {
			t.Run(w.name+", "+string(kept), func(t *testing.T) {
				t.Parallel()
				w.check(t, newResolverFixture(t, mount, kept))
			})
		}
	}
}

func (w wayToFail) check(t *testing.T, f *resolverFixture) {
	credentials := []string{"Authorization: Bearer " + f.server.AccessToken(f.alice), sessionLine(f.server.SessionCookie(f.alice).Value)}
	// From here on Authgear's keys are known.
	client := "Authorization: Bearer " + f.server.ClientToken("m2m", resource)
	if got := f.raw(t, head("GET", "/cached", client)); f.kept == authgear.SourceHybrid {
		same(t, "a client", got, refusal(authgear.ReasonKindNotAllowed, ""))
	}
	w.broken(f.server)
	for _, line := range credentials {
		for _, path := range []string{"/required", "/optional", "/fresh"} {
			got := f.raw(t, head("GET", path, line))
			seconds := "1"
			if slices.Equal(got.header["Retry-After"], []string{"2"}) { // a pause of a second, and a fifth for chance
				seconds = "2"
			}
			same(t, w.name+" at "+path, got, refusal(w.want, seconds))
		}
	}
	same(t, w.name+": no credentials", f.raw(t, head("GET", "/required", "X-Field: a")), refusal(authgear.ReasonNoCredentials, ""))
	wantBody(t, w.name+": no credentials", f.raw(t, head("GET", "/optional", "X-Field: a")), 200, "nobody")
	if w.name != "no database" {
		return
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
			wantBody(t, "after "+w.name+" at "+path, f.raw(t, head("GET", path, line)), 200, f.told(path, line, want))
		}
	}
}
