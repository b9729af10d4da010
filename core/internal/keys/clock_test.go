package keys

import (
	"testing"
	"time"
	"unsafe"

	"github.com/authgear/authgear-sdk-go/core/internal/age"
)

// shiftWall moves the wall clock of a reading only, as when the clock was set or
// the machine slept since. It knows how package time keeps both readings.
func shiftWall(t *testing.T, at time.Time, by time.Duration) time.Time {
	t.Helper()
	shifted := at
	(*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&shifted)).wall += uint64(by/time.Second) << 30 //nolint:gosec // wraps on purpose
	if shifted.Sub(at) != 0 || shifted.Round(0).Sub(at.Round(0)) != by {
		t.Skip("package time keeps its readings in another way")
	}
	return shifted
}

// On the real clock, since that of synctest has no monotonic reading.
func TestSince(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(-time.Minute)
	for _, c := range []struct {
		name string
		at   time.Time
		want time.Duration
	}{
		{"both clocks", at, time.Minute},
		{"wall clock only", at.Round(0), time.Minute},
		{"slept an hour", shiftWall(t, at, -time.Hour), time.Hour + time.Minute},
		{"set back an hour", shiftWall(t, at, time.Hour), time.Minute},
	} {
		if got := age.Of(c.at); got < c.want || got > c.want+30*time.Second {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestKeyRemovedWhileSuspended(t *testing.T) {
	t.Parallel()
	p := &project{kids: []string{"a"}, path: jwks}
	s := New(Config{Endpoint: origin, Client: p})
	if err := lookup(t, s, "a"); err != nil {
		t.Fatal(err)
	}
	p.set(func(p *project) { p.kids = []string{"b"} })
	old := s.snapshot.Load()
	s.snapshot.Store(&snapshot{keys: old.keys, fetched: shiftWall(t, old.fetched, -time.Hour)})
	s.lastAttempt = shiftWall(t, s.lastAttempt, -time.Hour)
	unknown(t, s, "a") // waits for the refresh, as after any idle time
	p.count(t, 1, 2)
}
