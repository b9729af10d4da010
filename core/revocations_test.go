package authgear_test

import (
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
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
		_ = store.Revoke(t.Context(), "alice", disabled.Add(-time.Second)) // came late
		if c := store.Cutoff("alice"); c != want {
			t.Errorf("after an older event %v, not %v", c, want)
		}
		_ = store.Forget(t.Context(), "alice")
		want.Answers = time.Now()
		if c := store.Cutoff("alice"); c != want {
			t.Errorf("after Forget %v, not %v", c, want)
		}
	})
}
