package authgeartest_test

import (
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// Pages of allowed origins may read answers with cookies, and nobody else may.
func TestCORS(t *testing.T) {
	this := authgeartest.New(t)
	named := authgeartest.New(t, authgeartest.Config{
		AllowedOrigins: []string{"https://admin.example.com:443", "https://Other.example.com"},
		Clients: []authgeartest.Client{{ID: "spa", RedirectURIs: []string{
			"https://App.example.com/callback", "http://localhost:80/callback", "https://port.example.com:80/callback",
		}}},
	})
	for _, c := range []struct {
		server  *authgeartest.Server
		origin  string
		allowed bool
	}{
		{this, "http://localhost:5173", true}, {this, "http://127.0.0.1:8080", true}, {this, "https://app.localhost", true}, {this, this.Endpoint(), true},
		{this, "https://app.example.com", false}, {this, "null", false}, {this, "http://localhost.example.com", false}, {this, "http://localhost:5173/", false},
		{this, "http://user@localhost", false}, {this, "", false},
		{named, "https://admin.example.com", true}, {named, "https://app.example.com", true}, {named, named.Endpoint(), true},
		{named, "http://localhost", true}, {named, "https://other.example.com", true}, {named, "https://port.example.com:80", true},
		{named, "https://port.example.com", false}, {named, "http://localhost:5173", false}, {named, "http://app.example.com", false}, {named, "https://app.example.com:8443", false},
	} {
		for _, path := range []string{"/oauth2/token", "/oauth2/userinfo", "/oauth2/revoke", "/oauth2/app_session_token", "/api/anonymous_user/signup"} {
			for _, method := range []string{"OPTIONS", "POST"} {
				fields := [][2]string{{"Host", c.server.Endpoint()[len("http://"):]}, {"Origin", c.origin}}
				if method == "OPTIONS" {
					fields = append(fields, [2]string{"Access-Control-Request-Method", "POST"}, [2]string{"Access-Control-Request-Headers", "authorization"})
				}
				res, _ := send(t, c.server.URL(), method, path, fields, "")
				want := map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "", "Access-Control-Max-Age": "", "Access-Control-Allow-Methods": "", "Access-Control-Allow-Headers": ""}
				if c.allowed {
					want["Access-Control-Allow-Origin"], want["Access-Control-Allow-Credentials"], want["Access-Control-Max-Age"] = c.origin, "true", "900"
					if method == "OPTIONS" {
						want["Access-Control-Allow-Methods"], want["Access-Control-Allow-Headers"] = "POST", "authorization"
					}
				}
				for name, value := range want {
					expect(t, c.origin+" "+method+" "+path+" "+name, res.Header.Get(name), value)
				}
				if method == "OPTIONS" && res.StatusCode != 200 {
					t.Errorf("%s: %d", path, res.StatusCode)
				}
			}
		}
	}
}

// Start refuses an allowed origin that is not an origin: no page could have it.
func TestAllowedOriginsAreOrigins(t *testing.T) {
	for _, origin := range []string{"", "*", "null", "app.example.com", "https://app.example.com/", "https://app.example.com/x", " https://app.example.com", "https://u:p@app.example.com", "ftp://app.example.com", "://"} {
		s, err := authgeartest.Start(authgeartest.Config{AllowedOrigins: []string{"https://app.example.com", origin}})
		if err == nil {
			s.Close()
			t.Errorf("%q counts", origin)
		} else if !strings.Contains(err.Error(), "Config.AllowedOrigins") {
			t.Error(err)
		}
	}
}
