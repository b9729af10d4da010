package authgearecho_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func BenchmarkNewToken(b *testing.B)   { guardtest.BenchmarkNewToken(b, prepare) }
func BenchmarkKnownToken(b *testing.B) { guardtest.BenchmarkKnownToken(b, prepare) }
func BenchmarkParallel(b *testing.B)   { guardtest.BenchmarkParallel(b, prepare) }

func prepare(auth authgear.Authenticator) func(http.Header) func() {
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		authgearecho.MustUser(c)
		return nil
	}, authgearecho.New(auth).Require())
	return func(header http.Header) func() {
		request := httptest.NewRequest("GET", "/", nil)
		request.Header = header
		return func() { e.ServeHTTP(guardtest.Discard{}, request) }
	}
}
