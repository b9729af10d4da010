package authgeargin_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func BenchmarkNewToken(b *testing.B)   { guardtest.BenchmarkNewToken(b, prepare) }
func BenchmarkKnownToken(b *testing.B) { guardtest.BenchmarkKnownToken(b, prepare) }
func BenchmarkParallel(b *testing.B)   { guardtest.BenchmarkParallel(b, prepare) }

func prepare(auth authgear.Authenticator) func(http.Header) func() {
	r := gin.New()
	r.GET("/", authgeargin.New(auth).Require(), func(c *gin.Context) { authgeargin.MustUser(c) })
	return func(header http.Header) func() {
		request := httptest.NewRequest("GET", "/", nil)
		request.Header = header
		return func() { r.ServeHTTP(guardtest.Discard{}, request) }
	}
}
