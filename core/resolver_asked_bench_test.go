//go:build unix

package authgear_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// plainClient is the least that anybody could do: the token is sent, the answer's
// headers are believed.
type plainClient struct {
	client *http.Client
	url    string
}

func newPlainClient(origin string) plainClient {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return plainClient{&http.Client{Transport: transport, Timeout: 5 * time.Second}, origin + "/_resolver/resolve"}
}

func (c plainClient) ask(ctx context.Context, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if header := response.Header; header.Get("X-Authgear-Session-Valid") != "true" || header.Get("X-Authgear-User-Id") == "" {
		return fmt.Errorf("%v", header)
	}
	return nil
}

// BenchmarkResolverAsked measures what a request costs when its answer is not kept. It
// takes turns with a plain client. In each turn 16 requests run at once, with a token
// each. "cpu-ratio" is the median of this process's CPU time over the plain client's,
// "rps-ratio" of the requests per second.
func BenchmarkResolverAsked(b *testing.B) {
	for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
		b.Run("after="+delay.String(), func(b *testing.B) {
			origin := startResolver(b, delay)
			auth, plain := newResolver(b, nil, authgear.ResolverConfig{Endpoint: origin}), newPlainClient(origin)
			b.Cleanup(plain.client.CloseIdleConnections)
			var cpu, rps, ours, floor []float64
			for n := 0; b.Loop(); n++ {
				a := turn(b, func(ctx context.Context, r authgear.Request, _ string) error {
					_, err := auth.Authenticate(ctx, r)
					return err
				})
				p := turn(b, func(ctx context.Context, _ authgear.Request, token string) error { return plain.ask(ctx, token) })
				cpu, rps = append(cpu, a.cpu/p.cpu), append(rps, p.wall/a.wall)
				ours, floor = append(ours, a.cpu), append(floor, p.cpu)
			}
			b.ReportMetric(median(cpu), "cpu-ratio")
			b.ReportMetric(median(rps), "rps-ratio")
			b.ReportMetric(median(ours), "µs-cpu/call")
			b.ReportMetric(median(floor), "µs-cpu/plain-call")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cost is of one call, in microseconds.
type cost struct{ cpu, wall float64 }

// turn makes calls from several goroutines.
func turn(b *testing.B, call func(context.Context, authgear.Request, string) error) cost {
	const workers, calls = 16, 100
	var wg sync.WaitGroup
	began, before := time.Now(), cpuTime(b)
	for n := range workers {
		wg.Go(func() {
			token := likeJWT(n)
			request := bearer(token)
			for range calls {
				if err := call(b.Context(), request, token); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	perCall := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / (workers * calls) }
	return cost{perCall(cpuTime(b) - before), perCall(time.Since(began))}
}

// cpuTime is what this process has used, by user and system.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
