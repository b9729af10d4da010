package guard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// What a browser sends as Origin (RFC 6454 §6.2) is accepted, and nothing that
// would never match.
func TestTrustedOrigins(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{
		"https://app.example.com",
		"http://localhost:3000",
		"http://127.0.0.1:8080",
		"https://[2001:db8::1]",
		"https://[2001:db8::1]:8443",
		"https://xn--bcher-kva.example",
		"https://my_app.example.com:65535",
		"https://app.example.com:80",
		"http://app.example.com:443",
		"capacitor://localhost",
		"ionic://localhost",
		"chrome-extension://abcdefghijklmnopabcdefghijklmnop",
	} {
		if text := newPanics(origin); text != "" {
			t.Errorf("%s: %s", origin, text)
		}
		// What is accepted does match.
		protection := http.NewCrossOriginProtection()
		if err := protection.AddTrustedOrigin(origin); err != nil {
			t.Errorf("%s: %v", origin, err)
		}
		r := httptest.NewRequest(http.MethodPost, "https://api.example.com/", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if err := protection.Check(r); err != nil {
			t.Errorf("%s: %v", origin, err)
		}
	}
	for _, origin := range []string{
		"",
		"*",
		"null",
		"app.example.com",
		"//app.example.com",
		"https://",
		"https://app.example.com/",
		"https://app.example.com/page",
		"https://app.example.com?",
		"https://app.example.com?a=b",
		"https://app.example.com#",
		"https://app.example.com#top",
		"https://user@app.example.com",
		"https://user:secret@app.example.com",
		"HTTPS://app.example.com",
		"https://App.Example.com",
		"https://app.example.com:443",
		"http://app.example.com:80",
		"https://app.example.com:",
		"https://app.example.com:0",
		"https://app.example.com:08443",
		"https://app.example.com:65536",
		"https://*.example.com",
		"https://.example.com",
		"https://app..example.com",
		"https://bücher.example",
		"https://[2001:DB8::1]",
		"https://[2001:db8:0::1]",
		"https://2001:db8::1",
		" https://app.example.com",
		"https://app.example.com ",
		"https://app.example.com,https://www.example.com",
		"https://app.example.com https://www.example.com",
		"file:///index.html",
		"mailto:a@example.com",
	} {
		if text := newPanics(origin); !strings.HasPrefix(text, "authgear: Config: TrustedOrigins: ") {
			t.Errorf("%q: %s", origin, text)
		}
	}
}

// All mistakes are told at once, and cut.
func TestAllWrongOriginsAreNamed(t *testing.T) {
	t.Parallel()
	text := newPanics("https://good.example.com", "app.example.com", "https://www.example.com/", strings.Repeat("x", 1000))
	for _, want := range []string{`"app.example.com"`, `"https://www.example.com/"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in the panic:\n%s", want, text)
		}
	}
	if strings.Contains(text, "good.example.com") || len(text) > 600 {
		t.Errorf("the panic is %s", text)
	}
}

// newPanics returns what New panics with for these origins, "" when it does not.
func newPanics(origins ...string) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(p)
		}
	}()
	guard.New(none{}, guard.Config{TrustedOrigins: origins})
	return ""
}
