package guardtest

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// testIDToken: a framework gives the header to JWT as it came, and no trailer for
// it.
func testIDToken(t *testing.T, mount Mount) {
	server := authgeartest.New(t)
	f := &fixture{record: &record{}}
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint(), IDTokenClients: []string{"spa"}, Observer: f.record.observer()})
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := server.AddUser(authgeartest.User{ID: "alice"}), server.AddUser(authgeartest.User{ID: "bob"})
	token := "Bearer " + server.AccessToken(alice, authgeartest.Token{AuthTime: time.Now().Add(-time.Hour)})
	good := server.IDToken(alice, "spa")
	recent := Step{Policies: []authgear.Policy{authgear.RecentAuth(5 * time.Minute)}}
	f.addr = mount(t, App{
		Guards: []Guard{{Authenticator: auth, Config: f.config()}},
		Routes: []Route{
			{Path: "/recent", Steps: []Step{recent}, Handler: whoAmI},
			{Path: "/inside", Steps: []Step{{Kind: Optional}, recent}, Handler: whoAmI},
			{Path: "/outer", Steps: []Step{recent}, Handler: func(c Context) (int, string) {
				status, body := c.Within("/inside", http.Header{"Authorization": {token}}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1})
				return 200, fmt.Sprint(status, body)
			}},
		},
	})
	tooOld := refusal(authgear.ReasonInsufficientUserAuthentication, "", `max_age="300"`)
	for _, c := range []struct {
		name  string
		lines []string
		good  bool
	}{
		{"none", nil, false},
		{"a good one", []string{"X-ID-Token: " + good}, true},
		{"in lower case", []string{"x-id-token:" + good}, true},
		{"another user's", []string{"X-ID-Token: " + server.IDToken(bob, "spa")}, false},
		{"the access token", []string{"X-ID-Token: " + token[len("Bearer "):]}, false},
		{"twice", []string{"X-ID-Token: " + good, "x-id-token: " + good}, false},
		{"an empty one beside", []string{"X-ID-Token: " + good, "X-ID-Token:"}, false},
		{"a similar name", []string{"X_ID_Token: " + good}, false},
	} {
		for _, path := range []string{"/recent", "/inside"} {
			got := f.raw(t, head("GET", path, append(c.lines, "Authorization: "+token)...))
			if c.good {
				wantBody(t, c.name, got, 200, "alice")
			} else {
				same(t, c.name, got, tooOld)
			}
		}
	}
	wantBody(t, "a sub-request without it", f.raw(t, head("GET", "/outer", "Authorization: "+token, "X-ID-Token: "+good)), 200, fmt.Sprint(401, tooOld.body))
	got := f.raw(t, head("POST", "/inside", "Authorization: "+token, "Transfer-Encoding: chunked", "Trailer: X-ID-Token")+"5\r\nhello\r\n0\r\nX-ID-Token: "+good+"\r\n\r\n")
	if got.status != 401 && got.status != 400 {
		t.Errorf("in a trailer: %d %q", got.status, got.body)
	}
}
