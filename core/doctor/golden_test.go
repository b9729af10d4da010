package doctor_test

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// changing are parts of a report that differ from run to run.
var changing = []struct {
	pattern *regexp.Regexp
	in      string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d{5}`), "127.0.0.1:12345"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`), "11111111-2222-3333-4444-555555555555"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:]+Z`), "2026-11-25T12:00:00Z"},
	{regexp.MustCompile(`(in )?\d+m\d+s( ago)?|\d+s ago`), "some time away"},
	{regexp.MustCompile(`of \d+ bytes`), "of 1000 bytes"},
}

// Whole reports, as a person sees them.
func TestText(t *testing.T) {
	t.Parallel()
	s := authgeartest.New(t)
	alice := s.AddUser(authgeartest.User{Verified: true, Roles: []string{"editor", "admin"}})
	other := authgeartest.New(t)
	prefixed := authgeartest.New(t, authgeartest.Config{CookiePrefix: "myapp_"})
	for name, config := range map[string]doctor.Config{
		"good":           {Endpoint: s.Endpoint(), Token: s.AccessToken(alice)},
		"expired":        {Endpoint: s.Endpoint(), Token: s.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Minute})},
		"other_project":  {Endpoint: s.Endpoint(), Token: other.AccessToken(other.AddUser(authgeartest.User{}))},
		"opaque":         {Endpoint: s.Endpoint(), Token: s.OpaqueToken(alice)},
		"cookie_name":    {Endpoint: prefixed.Endpoint(), Cookie: "a=b"},
		"wrong_endpoint": {Endpoint: "myapp.authgear.cloud/"},
	} {
		got := doctor.Run(t.Context(), config).String()
		for _, c := range changing {
			got = c.pattern.ReplaceAllString(got, c.in)
		}
		path := "testdata/" + name + ".txt"
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}
