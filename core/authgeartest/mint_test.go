package authgeartest_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func TestTokenForAShell(t *testing.T) {
	s := authgeartest.New(t)
	s.AddUser(authgeartest.User{ID: "alice", Roles: []string{"editor"}})
	status, first := get(t, s.URL()+"/token/alice")
	expect(t, strconv.Itoa(status)+", and it is alice's", resolve(t, s, "Authorization", "Bearer "+first).Get("X-Authgear-User-Id"), "alice")
	_, second := get(t, s.URL()+"/token/alice?client_id=mobile")
	if expect(t, "client", read(t, second).Claims["client_id"].(string), "mobile"); first == second {
		t.Error("the same token again")
	}
	_, expired := get(t, s.URL()+"/token/alice?expires_in=-60")
	expect(t, "an expired token", valid(t, s, expired), "")

	for name, c := range map[string]struct {
		method, path, host, forwarded string
		want                          int
	}{
		"nobody":             {"GET", "/token/bob", "127.0.0.1", "", 404},
		"no name":            {"GET", "/token/", "127.0.0.1", "", 404},
		"another host":       {"GET", "/token/alice", "rebound.example", "", 404},
		"its own word":       {"GET", "/token/alice", "rebound.example", "127.0.0.1", 404},
		"POST":               {"POST", "/token/alice", "127.0.0.1", "", 405},
		"no number":          {"GET", "/token/alice?expires_in=soon", "127.0.0.1", "", 400},
		"well, and uncached": {"GET", "/token/alice", "localhost:1", "", 200},
	} {
		res, body := send(t, s.URL(), c.method, c.path, [][2]string{{"Host", c.host}, {"X-Forwarded-Host", c.forwarded}}, "")
		if res.StatusCode != c.want || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") ||
			(res.Header.Get("Cache-Control") == "no-store") != (c.want == 200) || strings.Contains(body, "eyJ") != (c.want == 200) {
			t.Errorf("%s: %d %v %q", name, res.StatusCode, res.Header, body)
		}
	}
}
