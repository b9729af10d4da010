package authgearfiber_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func BenchmarkNewToken(b *testing.B)   { guardtest.BenchmarkNewToken(b, prepare) }
func BenchmarkKnownToken(b *testing.B) { guardtest.BenchmarkKnownToken(b, prepare) }

func prepare(auth authgear.Authenticator) func(http.Header) func() {
	app := fiber.New()
	app.Get("/", authgearfiber.New(auth).Require(), func(c *fiber.Ctx) error {
		authgearfiber.MustUser(c)
		return nil
	})
	handler := app.Handler()
	return func(header http.Header) func() {
		var raw strings.Builder
		raw.WriteString("GET / HTTP/1.1\r\nHost: api.example.com\r\n")
		_ = header.Write(&raw)
		raw.WriteString("\r\n")
		c := &fasthttp.RequestCtx{}
		if err := c.Request.Read(bufio.NewReader(strings.NewReader(raw.String()))); err != nil {
			panic(err)
		}
		return func() {
			c.ResetUserValues()
			handler(c)
		}
	}
}
