package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/webhook"
)

// A repeated event is answered but not acted upon. An event that failed can be repeated.
func TestReplay(t *testing.T) {
	t.Parallel()
	var events []string
	r := newReceiver(t, webhook.Config{OnEvent: func(_ context.Context, e webhook.Event) error {
		events = append(events, e.Type)
		return nil
	}})
	disabled := event("user.disabled", "alice", 5)
	for range 3 {
		r.send(t, disabled)
	}
	if told, _ := r.took(); told != "revoke alice 5" || len(events) != 1 {
		t.Errorf("told %q, events %v", told, events)
	}
	r.send(t, event("user.disabled", "bob", 5)) // the same id, as after a restored backup
	if told, _ := r.took(); told != "revoke bob 5" {
		t.Errorf("told %q", told)
	}
	for i := range 1022 {
		r.send(t, event("user.created", "bob", int64(i+1)))
	}
	r.send(t, disabled)
	if told, _ := r.took(); told != "" {
		t.Errorf("after 1,023 others: %q", told)
	}
	r.send(t, event("user.created", "bob", 2000))
	r.send(t, disabled)
	if told, _ := r.took(); told != "revoke alice 5" {
		t.Errorf("after 1,024 others: %q", told)
	}

	r.store = func() error { return errors.New("Redis is down") }
	for range 2 {
		r.send(t, event("user.deleted", "alice", 6))
		told, notices := r.took()
		if told != "revoke alice 6" || len(notices) != 1 || notices[0].Kind != authgear.NoticeEvent || !strings.Contains(notices[0].Err.Error(), "Redis is down") {
			t.Errorf("told %q, notices %v", told, notices)
		}
	}
	r.store = nil
	r.send(t, event("user.deleted", "alice", 6)) // this event failed before; now it is remembered as long as any other
	for i := range 1023 {
		r.send(t, event("user.created", "bob", int64(3000+i)))
	}
	_, _ = r.took()
	r.send(t, event("user.deleted", "alice", 6))
	if told, _ := r.took(); told != "" {
		t.Errorf("a known event was acted upon again: %q", told)
	}
	r.store = func() error { panic("no Redis") }
	r.send(t, event("user.deleted", "alice", 7))
	if _, notices := r.took(); len(notices) != 1 || !strings.Contains(notices[0].Err.Error(), "no Redis") {
		t.Errorf("notices %v", notices)
	}
}

// Events come in any order. The latest end of sessions counts.
func TestEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	var store authgear.MemoryRevocations
	h, err := webhook.New(webhook.Config{Secrets: []string{secret}, Revocations: &store})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{Handler: h}
	for _, body := range []string{
		event("user.reenabled", "alice", 9), event("user.disabled", "alice", 10),
		event("user.disabled", "alice", 8), event("user.reenabled", "alice", 11),
	} {
		r.send(t, body)
	}
	if c := store.Cutoff("alice"); c.Tokens.Unix() != 10 || c.Answers.IsZero() {
		t.Errorf("%v", c)
	}
}

// Events come at the same time, each of them twice.
func TestParallel(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, webhook.Config{})
	var group sync.WaitGroup
	for i := range 400 {
		group.Go(func() { r.send(t, event("user.disabled", fmt.Sprint("user", i%200), 5)) })
	}
	group.Wait()
	slices.Sort(r.told)
	if n := len(slices.Compact(r.told)); n != 200 || len(r.told) != 200 || r.notices != nil {
		t.Errorf("told of %d users %d times, notices %v", n, len(r.told), r.notices)
	}
}
