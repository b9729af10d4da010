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
		{raw: "https://\u212aey.example"},       // the Kelvin sign; its lower case is k
		{raw: "https://%e2%84%aaey.example"},    // the same
		{raw: "https://\u017fign.example"},      // the long s
		{raw: "https://\uff4dyapp.example"},     // a wide m
		{raw: "https://myapp\u3002example.com"}, // the ideographic full stop
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
		"myapp.authgear.cloud":   "write https://myapp.authgear.cloud",
		"http://10.0.0.1":        "InsecureHTTP",
		"https:h.example":        "write https://h.example",
		"//H.Example/":           "write https://h.example",
		"localhost:3000":         "write https://localhost:3000",
		"https://h/path":         "scheme and host only: https://h",
		"https://h:8443/?q#f":    "scheme and host only: https://h:8443",
		"https://h:x":            "such as https://myapp.authgear.cloud",
		"ftp://h":                "neither https nor http",
		"https://müller.x":       "Punycode",
		strings.Repeat("x", 999): "…",

		"https://" + strings.Repeat("x", 999) + "/path": "…",
	} {
		if _, err := endpoint.Parse(raw, false); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("Parse(%.20q): %v", raw, err)
		}
	}
}

// An error about the configuration goes into a log. A password must not.
func TestParseKeepsPasswordsBack(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"https://user:hunter2@h", "https://user:hunter2@h:x", "https://user:hunter2%zz@h", "https://hunter2@h/path",
		"user:hunter2@h", "//user:hunter2@h", "https:user:hunter2@h", "ftp://user:hunter2@h", "https://user:hunter2@x@h",
		"http://user:hunter2@10.0.0.1",
	} {
		origin, err := endpoint.Parse(raw, false)
		if err == nil || origin != "" {
			t.Errorf("Parse(%q) = %q, %v", raw, origin, err)
		} else if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "@") {
			t.Errorf("Parse(%q): %v", raw, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range []string{"https://H:443/", "http://[::ffff:127.0.0.1]:80", "https://u:p@h", "localhost:3000", "https://\u212a"} {
		f.Add(raw, true)
		f.Add(raw, false)
	}
	f.Fuzz(func(t *testing.T, raw string, insecure bool) {
		origin, err := endpoint.Parse(raw, insecure)
		if err != nil {
			if origin != "" {
				t.Errorf("Parse(%q) = %q beside %v", raw, origin, err)
			}
			return
		}
		if again, err := endpoint.Parse(origin, insecure); again != origin || err != nil {
			t.Errorf("Parse(%q) = %q, then %q, %v", raw, origin, again, err)
		}
		u, err := url.Parse(origin)
		if err != nil || u.Scheme+"://"+u.Host != origin || endpoint.Of(u) != origin {
			t.Errorf("Parse(%q) = %q, which is no origin: %v", raw, origin, err)
		}
		for i := range len(origin) {
			if c := origin[i]; c <= ' ' || c >= 0x7f || c >= 'A' && c <= 'Z' || c == '@' || c == '%' {
				t.Errorf("Parse(%q) = %q", raw, origin)
			}
		}
	})
}
