package keys

import (
	"errors"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age/agetest"
)

// This test uses the real clock, since times of synctest have no monotonic reading.
func TestKeyRemovedWhileSuspended(t *testing.T) {
	t.Parallel()
	for {
		s, p := newSet()
		if err := lookup(t, s, "a", longAgo()); err != nil {
			t.Fatal(err)
		}
		p.set(func(p *server) { p.kids = []string{"b"} })
		old := *s.snapshot.Load()
		old.fetched = agetest.ShiftWall(t, old.fetched, -time.Hour)
		s.snapshot.Store(&old)
		s.lastAttempt = agetest.ShiftWall(t, s.lastAttempt, -time.Hour)
		began := time.Now()
		err := lookup(t, s, "a", longAgo()) // waits for the refresh, as after any idle time
		if err == nil && time.Since(began) >= idleWait {
			continue // the machine is so slow that lookup has stopped waiting: try again
		}
		if !errors.Is(err, ErrUnknownKey) {
			t.Errorf("%v, want unknown", err)
		}
		p.count(t, 1, 2)
		return
	}
}
