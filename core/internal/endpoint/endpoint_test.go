package endpoint_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw, want string
		insecure  bool
	}{
		{raw: "https://myapp.authgear.cloud", want: "https://myapp.authgear.cloud"},
		{raw: "HTTPS://MyApp.Authgear.Cloud", want: "https://myapp.authgear.cloud"},
		{raw: "https://myapp.authgear.cloud/", want: "https://myapp.authgear.cloud"},
		{raw: "https://myapp.authgear.cloud:443", want: "https://myapp.authgear.cloud"},
		{raw: "https://myapp.authgear.cloud:0443", want: "https://myapp.authgear.cloud"},
		{raw: "https://myapp.authgear.cloud:80", want: "https://myapp.authgear.cloud:80"},
		{raw: "https://my_app:8443", want: "https://my_app:8443"},
		{raw: "https://[::1]:8443", want: "https://[::1]:8443"},
		{raw: "https://[2001:DB8:0::1]", want: "https://[2001:db8::1]"},
		{raw: "http://localhost:3100", want: "http://localhost:3100"},
		{raw: "http://app.localhost", want: "http://app.localhost"},
		{raw: "http://127.0.0.1:80", want: "http://127.0.0.1"},
		{raw: "http://127.8.9.1:3100", want: "http://127.8.9.1:3100"},
		{raw: "http://[::1]", want: "http://[::1]"},
		{raw: "http://10.0.0.1", want: "http://10.0.0.1", insecure: true},
		{raw: "http://auth.internal", want: "http://auth.internal", insecure: true},

		{raw: ""},
		{raw: "myapp.authgear.cloud"},
		{raw: "//myapp.authgear.cloud"},
		{raw: "https:myapp.authgear.cloud"},
		{raw: "ftp://myapp.authgear.cloud"},
		{raw: "https://"},
		{raw: "https://:443"},
		{raw: "https://h:"},
		{raw: "https://h:0"},
		{raw: "https://h:65536"},
		{raw: "https://h:x"},
		{raw: "https://h//"},
		{raw: "https://h/path"},
		{raw: "https://h?"},
		{raw: "https://h?q"},
		{raw: "https://h#"},
		{raw: "https://h#f"},
		{raw: "https://user@h"},
		{raw: "https://user:password@h"},
		{raw: "https://h."},
		{raw: "https://a..b"},
		{raw: "https://a b"},
		{raw: "https://a%20b"},
		{raw: "https://müller.example"},
		{raw: "https://[fe80::1%25eth0]"},
		{raw: "https://[::1"},
		{raw: "https://h\n"},
		{raw: " https://h"},
		{raw: "http://10.0.0.1"},
		{raw: "http://127.0.0.1.evil.com"},
		{raw: "http://localhost.evil.com"},
		{raw: "http://notlocalhost"},
	} {
		got, err := endpoint.Parse(c.raw, c.insecure)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("Parse(%q) = %q, %v, want %q", c.raw, got, err, c.want)
		}
		if c.want == "" {
			continue
		}
		if again, err := endpoint.Parse(got, c.insecure); again != got || err != nil {
			t.Errorf("Parse(%q) = %q, %v: not stable", got, again, err)
		}
		if u, _ := url.Parse(c.raw); endpoint.Of(u) != c.want {
			t.Errorf("Of(%q) = %q", c.raw, endpoint.Of(u))
		}
	}
}

func TestParseAdvises(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"myapp.authgear.cloud":   "https://",
		"http://10.0.0.1":        "InsecureHTTP",
		"https://h/path":         "scheme and host only",
		"https://müller.x":       "Punycode",
		strings.Repeat("x", 999): "…",
	} {
		if _, err := endpoint.Parse(raw, false); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("Parse(%.20q): %v", raw, err)
		}
	}
}
