package keys

import (
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age/agetest"
)

// On the real clock, since that of synctest has no monotonic reading.
func TestKeyRemovedWhileSuspended(t *testing.T) {
	t.Parallel()
	p := &project{kids: []string{"a"}, path: jwks}
	s := New(Config{Endpoint: origin, Client: p})
	if err := lookup(t, s, "a"); err != nil {
		t.Fatal(err)
	}
	p.set(func(p *project) { p.kids = []string{"b"} })
	old := s.snapshot.Load()
	s.snapshot.Store(&snapshot{keys: old.keys, fetched: agetest.ShiftWall(t, old.fetched, -time.Hour)})
	s.lastAttempt = agetest.ShiftWall(t, s.lastAttempt, -time.Hour)
	unknown(t, s, "a") // waits for the refresh, as after any idle time
	p.count(t, 1, 2)
}
