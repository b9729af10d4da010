package claims_test

import (
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

func BenchmarkParse(b *testing.B) {
	payload := recorded(b, "user")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := claims.Parse(payload); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAllocations guards against needless allocations, such as a string for every
// member name.
func TestAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	payload := recorded(t, "user")
	if n := testing.AllocsPerRun(100, func() { _, _ = claims.Parse(payload) }); n > 18 {
		t.Errorf("%v allocations, over 18", n)
	}
}
