package quote_test

import (
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain, é \ufffd\nnext": "plain, é \ufffd\nnext",
		"\x1b[2J\r\x7f\u009b":   "\ufffd[2J\ufffd\ufffd\ufffd",
		"\u202eabc\xff":         "\ufffdabc\ufffd",
	} {
		if got := quote.Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", `""`},
		{"plain", "HS256", `"HS256"`},
		{"quotes", `a"b\c`, `"a\"b\\c"`},
		{"a line break cannot forge a log line", "a\r\nlevel=info", `"a\r\nlevel=info"`},
		{"terminal escapes", "\x1b[2J\x7f", `"\x1b[2J\x7f"`},
		{"direction marks", "\u202eabc", `"\u202eabc"`},
		{"not UTF-8", "\xff", `"\xff"`},
		{"exactly the limit", long, `"` + long + `"`},
		{"one more", long + "b", `"` + long + `"…`},
		{"no character is cut in two", long[:63] + "éé", `"` + long[:63] + `"…`},
		{"continuation bytes only", strings.Repeat("\x80", 70), `"` + strings.Repeat(`\x80`, 64) + `"…`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := quote.Quote(c.in); got != c.want {
				t.Errorf("Quote(%q) = %s, want %s", c.in, got, c.want)
			}
		})
	}
}
