package redisstore_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// The ACL of docs/processes.md is sufficient.
func TestACL(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/processes.md")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?m)^user (authgear .*)$`).FindSubmatch(doc)
	if rule == nil {
		t.Fatal("no ACL in docs/processes.md")
	}
	s := newServer(t)
	set := []any{"ACL", "SETUSER"}
	for _, word := range strings.Fields(string(rule[1])) {
		set = append(set, word)
	}
	s.do(t, set...)
	all := make([]*process, 2)
	for i := range all {
		all[i] = newProcess(t, s.client(t, redis.Options{Username: "authgear", Password: "secret"}), often)
	}
	at := second(time.Minute)
	all[0].revoke(t, "alice", at)
	hear(t, "alice", at, all...)
	s.do(t, "FLUSHALL")
	eventually(t, "Redis has alice", func() bool { return score(t, s, "alice") == at.UnixMilli() })
	for _, p := range all {
		p.toldOf(t)
	}
}
