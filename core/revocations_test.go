package authgear_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

func TestMemoryRevocations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store authgear.MemoryRevocations
		if c := store.Cutoff("alice"); c != (authgear.Cutoff{}) {
			t.Errorf("nothing was noted, but %v", c)
		}
		disabled := time.Now().Truncate(time.Second)
		if err := store.Revoke(t.Context(), "alice", disabled); err != nil {
			t.Fatal(err)
		}
		want := authgear.Cutoff{Answers: time.Now(), Tokens: disabled}
		if c := store.Cutoff("alice"); c != want {
			t.Errorf("%v, not %v", c, want)
		}
		if c := store.Cutoff("bob"); c != (authgear.Cutoff{}) {
			t.Errorf("nothing was noted about bob, but %v", c)
		}
		time.Sleep(time.Second)
		_ = store.Revoke(t.Context(), "alice", disabled.Add(-time.Second)) // came late, or of a slow clock
		want.Answers = time.Now()
		if c := store.Cutoff("alice"); c != want {
			t.Errorf("after an older event %v, not %v", c, want)
		}
		_ = store.Forget(t.Context(), "alice")
		want.Answers = time.Now()
		if c := store.Cutoff("alice"); c != want {
			t.Errorf("after Forget %v, not %v", c, want)
		}
		time.Sleep(time.Second)
		_ = store.Revoke(t.Context(), "alice", disabled) // the same once more
		want.Answers = time.Now()
		if c := store.Cutoff("alice"); c != want {
			t.Errorf("after the same event %v, not %v", c, want)
		}
		_ = store.Forget(t.Context(), "bob")
		if c := store.Cutoff("bob"); c != (authgear.Cutoff{Answers: time.Now()}) {
			t.Errorf("Forget alone: %v", c)
		}
		all := map[string]authgear.Cutoff{"alice": want, "bob": {Answers: time.Now()}}
		if got := maps.Collect(store.All()); !maps.Equal(got, all) {
			t.Errorf("noted was %v, not %v", got, all)
		}
		for range store.All() {
			break
		}
	})
}

// A user is forgotten when no token that the note is about can count any longer, and not
// a moment before. Users are forgotten only in the order of their last notes.
func TestRevocationsExpire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ set, lifetime time.Duration }{{0, 24 * time.Hour}, {30 * time.Minute, 30 * time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			store := authgear.MemoryRevocations{TokenLifetime: c.set}
			known := func(userID string) bool { return store.Cutoff(userID) != (authgear.Cutoff{}) }
			_ = store.Revoke(t.Context(), "alice", time.Now())
			_ = store.Revoke(t.Context(), "bob", time.Now())
			time.Sleep(time.Minute)
			_ = store.Forget(t.Context(), "alice")
			time.Sleep(c.lifetime + time.Minute) // with leeway, bob's last token counts until now
			_ = store.Forget(t.Context(), "carol")
			if !known("bob") {
				t.Errorf("%v: bob is forgotten too early", c.set)
			}
			time.Sleep(time.Nanosecond)
			_ = store.Forget(t.Context(), "carol")
			if known("bob") || !known("alice") {
				t.Errorf("%v: bob is known %t, alice %t", c.set, known("bob"), known("alice"))
			}
		})
	}
}

const maxUsers = 100_000 // of the store

// fill notes as many users as there is room for, each with a second more.
func fill(store *authgear.MemoryRevocations, at time.Time) (names []string) {
	for i := range maxUsers {
		names = append(names, fmt.Sprint("user", i))
		_ = store.Revoke(context.Background(), names[i], at.Add(time.Duration(i)*time.Second))
	}
	return names
}

// With one user too many, the note of the first one counts for everybody.
func TestRevocationsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store authgear.MemoryRevocations
		first := authgear.Cutoff{Answers: time.Now(), Tokens: time.Now().Add(-time.Second)}
		_ = store.Revoke(t.Context(), "alice", first.Tokens)
		time.Sleep(time.Minute)
		fill(&store, first.Tokens.Add(-time.Hour))
		if rest := store.Cutoff("nobody"); rest != first || store.Cutoff("alice") != first {
			t.Errorf("for the rest %v, for alice %v, not %v", rest, store.Cutoff("alice"), first)
		}
		if c := store.Cutoff("user0"); c != (authgear.Cutoff{Answers: time.Now(), Tokens: first.Tokens}) {
			t.Errorf("not the later times of both: %v", c)
		}
		_ = store.Forget(t.Context(), "user1") // known, so there is no need for room
		if c := store.Cutoff("nobody"); c != first {
			t.Errorf("no user was left out, but %v", c)
		}
	})
}

// A note counts at every moment, even while it moves from its user to everybody: readers
// ask about the very user who is left out next.
func TestRevocationsParallel(t *testing.T) {
	t.Parallel()
	var store authgear.MemoryRevocations
	at := time.Unix(1795468403, 0)
	names := fill(&store, at)
	var next atomic.Int64
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				i := next.Load()
				if i < 0 {
					return
				}
				if c := store.Cutoff(names[i]); c.Tokens.Before(at.Add(time.Duration(i) * time.Second)) {
					t.Errorf("%s is back in: %v", names[i], c)
					return
				}
			}
		})
	}
	for i := range 10_000 {
		next.Store(int64(i))
		_ = store.Revoke(t.Context(), fmt.Sprint("new", i), at)
		_ = store.Forget(t.Context(), names[maxUsers-1])
	}
	next.Store(-1)
	readers.Wait()
}

func TestCutoffAllocations(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates")
	}
	var store authgear.MemoryRevocations
	fill(&store, time.Now())
	for _, userID := range []string{"user7", "nobody"} {
		if n := testing.AllocsPerRun(1000, func() { store.Cutoff(userID) }); n != 0 {
			t.Errorf("%v allocations for %s", n, userID)
		}
	}
}

func BenchmarkCutoff(b *testing.B) {
	var store authgear.MemoryRevocations
	fill(&store, time.Now())
	b.ReportAllocs()
	for b.Loop() {
		store.Cutoff("user7")
	}
}
