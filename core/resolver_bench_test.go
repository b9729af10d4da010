package authgear_test

import (
	"fmt"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// What a request costs whose answer is known, and one for which a server without
// any delay is asked.
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
