package guardtest

import (
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// Prepare builds an application with one route behind the guard's Require. The route's
// handler reads the user. Prepare returns a function that makes a request of a header.
// That function returns serve, which serves the request each time it is called, without a
// network.
type Prepare func(authgear.Authenticator) func(http.Header) (serve func())

// BenchmarkNewToken measures a token that was not seen before: with nothing kept, and
// with a cache that is full and has to drop another token. It takes turns with [Floor],
// since machines change their speed while they measure. "ratio" is the median of what a
// request costs, divided by the floor.
func BenchmarkNewToken(b *testing.B, prepare Prepare) {
	b.Run("none kept", func(b *testing.B) { benchmark(b, prepare, -1, 4096, 4) })
	b.Run("cache full", func(b *testing.B) { benchmark(b, prepare, 256, 4096, 4) })
}

// BenchmarkKnownToken is the same for tokens that were seen before: a few that come
// often, and as many as are kept by default, each in its turn.
func BenchmarkKnownToken(b *testing.B, prepare Prepare) {
	for _, tokens := range []int{64, 10_000} {
		b.Run(strconv.Itoa(tokens)+" tokens", func(b *testing.B) { benchmark(b, prepare, 0, tokens, 64) })
	}
}

// benchmark serves so many requests in each turn.
func benchmark(b *testing.B, prepare Prepare, cacheSize, tokens, turn int) {
	serve, floor := requests(b, prepare, cacheSize, tokens)
	const floors = 4 // in each turn, which is short, so that few are interrupted
	var ratios []float64
	var served time.Duration
	next := 0
	for b.Loop() {
		start := time.Now()
		for range turn {
			serve[next%tokens]()
			next++
		}
		middle := time.Now()
		for i := range floors {
			floor[(next+tokens/2+i)%tokens]()
		}
		end := time.Now()
		served += middle.Sub(start)
		ratios = append(ratios, float64(middle.Sub(start))/float64(end.Sub(middle))*floors/float64(turn))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(float64(served.Nanoseconds())/float64(next), "ns/request")
	b.ReportMetric(testing.AllocsPerRun(100, func() { serve[next%tokens](); next++ }), "allocs/request")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkParallel is for -cpu 1,2: what a known token costs each core, when all of
// them work.
func BenchmarkParallel(b *testing.B, prepare Prepare) {
	serve, _ := requests(b, prepare, 0, 64)
	b.RunParallel(func(pb *testing.PB) {
		for next := 0; pb.Next(); next++ {
			serve[next%len(serve)]()
		}
	})
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())*float64(runtime.GOMAXPROCS(0))/float64(b.N), "ns/request")
	b.ReportMetric(0, "ns/op")
}

// requests returns a request for each of so many tokens, all served once, and the floor
// of each.
func requests(b *testing.B, prepare Prepare, cacheSize, tokens int) (serve, floor []func()) {
	server := authgeartest.New(b)
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint(), CacheSize: cacheSize})
	if err != nil {
		b.Fatal(err)
	}
	user := server.AddUser(authgeartest.User{Verified: true, Roles: []string{"editor"}})
	key := publishedKey(b, server.Endpoint())
	request := prepare(auth)
	for range tokens {
		token := server.AccessToken(user)
		header := http.Header{
			"Authorization":   {"Bearer " + token},
			"Accept":          {"application/json"},
			"Accept-Encoding": {"gzip"},
			"User-Agent":      {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
		}
		s := request(header)
		s()
		serve = append(serve, s)
		floor = append(floor, func() {
			if err := Floor(token, key); err != nil {
				b.Fatal(err)
			}
		})
	}
	return serve, floor
}
