package age_test

import (
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
	"github.com/authgear/authgear-sdk-go/core/internal/age/agetest"
)

// TestOf uses the real clock, since times of synctest have no monotonic reading.
func TestOf(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(-time.Minute)
	for _, c := range []struct {
		name string
		at   time.Time
		want time.Duration
	}{
		{"both clocks", at, time.Minute},
		{"wall clock only", at.Round(0), time.Minute},
		{"slept an hour", agetest.ShiftWall(t, at, -time.Hour), time.Hour + time.Minute},
		{"set back an hour", agetest.ShiftWall(t, at, time.Hour), time.Minute},
	} {
		if got := age.Of(c.at); got < c.want || got > c.want+30*time.Second {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
