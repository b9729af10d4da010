package authgearhttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func BenchmarkNewToken(b *testing.B)   { guardtest.BenchmarkNewToken(b, prepare) }
func BenchmarkKnownToken(b *testing.B) { guardtest.BenchmarkKnownToken(b, prepare) }
func BenchmarkParallel(b *testing.B)   { guardtest.BenchmarkParallel(b, prepare) }

func prepare(auth authgear.Authenticator) func(http.Header) func() {
	mux := http.NewServeMux()
	mux.Handle("/", authgearhttp.New(auth).Require()(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		authgearhttp.MustUser(r)
	})))
	return func(header http.Header) func() {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = header
		return func() { mux.ServeHTTP(guardtest.Discard{}, r) }
	}
}
