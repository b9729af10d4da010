package authgeartest_test

import (
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// Start refuses clients that could never work.
func TestClientsThatCannotWork(t *testing.T) {
	with := func(uri string) authgeartest.Client { return authgeartest.Client{ID: "a", RedirectURIs: []string{uri}} }
	for want, client := range map[string]authgeartest.Client{
		`client "": `:               {},
		`client "spa": another one`: {ID: "spa"},
		`client "m": `:              {ID: "m", Resources: map[string][]string{}},
		`"*"`:                       with("*"),
		`"ftp//x"`:                  with("ftp//x"),
		`"%zz"`:                     with("%zz"),
		`"localhost:3000/callback"`: with("localhost:3000/callback"),
		`"javascript:alert(1)"`:     with("javascript:alert(1)"),
		`"http:///callback"`:        with("http:///callback"),
		`"https:/callback"`:         with("https:/callback"),
		`"https://a.example/#"`:     with("https://a.example/#"), // RFC 6749 §3.1.2
		`"/bye"`:                    {ID: "a", PostLogoutRedirectURIs: []string{"/bye"}},
		"":                          {ID: "a", RedirectURIs: []string{"com.example.app:/callback", "https://a.example/?x=y"}},
	} {
		s, err := authgeartest.Start(authgeartest.Config{Clients: []authgeartest.Client{{ID: "spa"}, client}})
		if err == nil {
			s.Close()
		}
		if (err == nil) != (want == "") || err != nil && !(strings.HasPrefix(err.Error(), "authgeartest: Config.Clients: ") && strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
