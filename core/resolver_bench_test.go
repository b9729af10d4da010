package authgear_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

// What a request costs when its answer is known, and when a server without any delay is
// asked.
func BenchmarkResolver(b *testing.B) {
	for name, config := range map[string]authgear.ResolverConfig{"cached": {CacheTTL: time.Hour}, "asked": {}} {
		b.Run(name, func(b *testing.B) {
			auth := newResolver(b, newProject(map[string]string{"Bearer a": "alice"}), config)
			request := bearer("a")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := auth.Authenticate(b.Context(), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkResolverKnown measures what a request costs whose answer is known, in turns
// with the least that anybody could do: a hash of the token, and a look into a map.
// "over-ns" is the median of what Authenticate costs beyond that.
func BenchmarkResolverKnown(b *testing.B) {
	token := likeJWT(0)
	request, key := bearer(token), sha256.Sum256([]byte(token))
	auth := newResolver(b, newProject(map[string]string{"Bearer " + token: "alice"}), authgear.ResolverConfig{CacheTTL: time.Hour})
	var lock sync.RWMutex
	known := map[[sha256.Size]byte]authgear.Identity{key: {ID: "alice"}}
	const turn = 200
	var over []float64
	for b.Loop() {
		start := time.Now()
		for range turn {
			if _, err := auth.Authenticate(b.Context(), request); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for range turn {
			key := sha256.Sum256([]byte(token))
			lock.RLock()
			identity := known[key]
			lock.RUnlock()
			if identity.ID == "" {
				b.Fatal("unknown")
			}
		}
		over = append(over, float64(middle.Sub(start)-time.Since(middle))/turn)
	}
	slices.Sort(over)
	b.ReportMetric(over[len(over)/2], "over-ns")
	b.ReportMetric(0, "ns/op")
}

// A known answer allocates only the identity that belongs to the caller, and its roles.
func TestResolverAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	auth := newResolver(t, newProject(map[string]string{"Bearer a": "alice", "session=a": "alice"}), authgear.ResolverConfig{CacheTTL: time.Hour})
	for _, request := range []authgear.Request{bearer("a"), browser("session=a")} {
		if got := testing.AllocsPerRun(1000, func() {
			if _, err := auth.Authenticate(t.Context(), request); err != nil {
				t.Fatal(err)
			}
		}); got > 3 {
			t.Errorf("%v allocations, at most 3", got)
		}
	}
}

// Many goroutines, many users, all known.
func BenchmarkResolverParallel(b *testing.B) {
	const users = 1000
	sessions, requests := map[string]string{}, make([]authgear.Request, users)
	for n := range users {
		sessions[fmt.Sprintf("Bearer t%d", n)] = fmt.Sprint(n)
		requests[n] = bearer(fmt.Sprintf("t%d", n))
	}
	auth := newResolver(b, newProject(sessions), authgear.ResolverConfig{CacheTTL: time.Hour})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			if _, err := auth.Authenticate(b.Context(), requests[n%users]); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
