package authgearfiber_test

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgear "github.com/authgear/authgear-sdk-go/core"
)

// reader is an authenticator that reads all names, and the cookies.
type reader struct{}

func (reader) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	r.Names()(func(string) bool { return true })
	_ = r.Values("Cookie")
	return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
}

// A request with eight times as many cookies or headers costs about eight times
// as much, not sixty-four times: else a few requests would use up a processor.
func TestCostOfManyCookiesAndHeaders(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Get("/", authgearfiber.New(reader{}, authgearfiber.Config{Observer: &authgear.Observer{}}).Optional())
	handler := app.Handler()
	cost := func(block string) time.Duration {
		least := time.Hour
		for range 5 {
			var c fasthttp.RequestCtx
			if err := c.Request.Read(bufio.NewReaderSize(strings.NewReader("GET / HTTP/1.1\r\nHost: a\r\n"+block+"\r\n"), 1<<20)); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			handler(&c)
			least = min(least, time.Since(start))
		}
		return least
	}
	for name, block := range map[string]func(n int) string{
		"cookies in one header": func(n int) string { return "Cookie: " + strings.Repeat("a;", n) + "\r\n" },
		"cookie headers":        func(n int) string { return strings.Repeat("Cookie: a=b\r\n", n) },
		"headers": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "X-%d: a\r\n", i)
			}
			return b.String()
		},
	} {
		if few, many := cost(block(500)), cost(block(4000)); many > 30*few {
			t.Errorf("%s: 500 cost %v, 4,000 cost %v", name, few, many)
		}
	}
}
