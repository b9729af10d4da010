package answers

import (
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/age/agetest"
)

// The age counts by both clocks, the expiry by the wall clock. This test uses the real
// clock, since times of synctest have no monotonic reading.
func TestAge(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		name        string
		at, expires time.Time
		want        bool
	}{
		{"just now", now, time.Time{}, true},
		{"before the limit", now.Add(-20 * time.Second), time.Time{}, true},
		{"at the limit", now.Add(-time.Minute), time.Time{}, false},
		{"the machine has slept", agetest.ShiftWall(t, now, -2*time.Minute), time.Time{}, false},
		{"the clock was set back", agetest.ShiftWall(t, now, 24*time.Hour), time.Time{}, true},
		{"the clock was set back, long ago", agetest.ShiftWall(t, now.Add(-2*time.Minute), 24*time.Hour), time.Time{}, false},
		{"before it expires", now, now.Add(time.Minute), true},
		{"expires", now, now, false},
		{"has expired", now, now.Add(-time.Hour), false},
	} {
		table := New[string](10)
		table.Set(Key{1}, "alice", c.at, c.expires)
		if got, ok := table.Get(Key{1}, time.Minute); ok != c.want || ok != (got == "alice") {
			t.Errorf("%s: %q, %t", c.name, got, ok)
		}
		if _, ok := table.Get(Key{1}, 0); ok {
			t.Errorf("%s: younger than nothing", c.name)
		}
		if got, ok := table.Last(Key{1}); got != "alice" || !ok {
			t.Errorf("%s: the last one is %q, %t", c.name, got, ok)
		}
	}
}

// The last answer replaces the earlier answers of its key, and of no other key.
func TestReplace(t *testing.T) {
	t.Parallel()
	table, now := New[string](10), time.Now()
	table.Set(Key{1}, "alice", now, time.Time{})
	table.Set(Key{2}, "bob", now, time.Time{})
	table.Set(Key{1}, "carol", now, time.Time{})
	if got, ok := table.Get(Key{1}, time.Hour); got != "carol" || !ok {
		t.Errorf("%q, %t", got, ok)
	}
	table.Delete(Key{1})
	if got, ok := table.Last(Key{1}); ok || got != "" {
		t.Errorf("%q is not forgotten", got)
	}
	if got, ok := table.Get(Key{2}, time.Hour); got != "bob" || !ok {
		t.Errorf("%q, %t", got, ok)
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	table := New[int](100)
	for n := range 5000 {
		table.Set(Key{byte(n), byte(n >> 8)}, n, time.Now(), time.Time{})
	}
	table.entries.CleanUp()
	if n := table.entries.EstimatedSize(); n == 0 || n > 100 {
		t.Errorf("%d entries", n)
	}
}
