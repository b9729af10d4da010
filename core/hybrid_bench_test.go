package authgear_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// BenchmarkKnownSession measures Hybrid with a token that was seen before and an answer
// that counts, in turns with JWT and with the floor. "ratio" is the median over the
// floor, and "jwt" that of JWT.
func BenchmarkKnownSession(b *testing.B) {
	h := newHybrid(b, authgear.HybridConfig{Freshness: time.Hour})
	token := h.token(b, "alice", m{aUser + "roles": []string{"editor", "role:alice"}})
	h.users["Bearer "+token] = "alice"
	alone := newJWT(b, authgear.JWTConfig{Endpoint: liveEndpoint, HTTPClient: &http.Client{Transport: h}})
	ctx, request := context.Background(), bearer(token)
	var hybrids, jwts []float64
	const turn = 50
	for b.Loop() {
		var took [3]time.Duration
		for i, f := range [3]func() error{
			func() error { return guardtest.Floor(token, &h.key.PublicKey) },
			func() error { _, err := alone.Authenticate(ctx, request); return err },
			func() error { _, err := h.Authenticate(ctx, request); return err },
		} {
			start := time.Now()
			for range turn {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
			took[i] = time.Since(start)
		}
		jwts = append(jwts, float64(took[1])/float64(took[0]))
		hybrids = append(hybrids, float64(took[2])/float64(took[0]))
	}
	slices.Sort(hybrids)
	slices.Sort(jwts)
	b.ReportMetric(hybrids[len(hybrids)/2], "ratio")
	b.ReportMetric(jwts[len(jwts)/2], "jwt")
	b.ReportMetric(0, "ns/op")
}
