package redisstore_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	broken = "redis does not work, so each process acts by itself"
	well   = "redis is well again"
	often  = 50 * time.Millisecond // the interval of catching up, in tests
)

// If a user is revoked while Redis is down, every process hears of it when Redis is
// back. Earlier revocations are not lost, whether or not Redis has kept them.
func TestStopped(t *testing.T) {
	t.Parallel()
	for _, durable := range []string{"yes", "no"} {
		t.Run("appendonly="+durable, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, "--appendonly", durable, "--appendfsync", "always")
			all := s.processes(t, 2, never)
			at := second(time.Minute)
			all[0].revoke(t, "alice", at)
			hear(t, "alice", at, all...)
			s.stop()
			all[0].revokeAlone(t, "bob", at)
			all[1].revokeAlone(t, "carol", at)
			if all[0].Forget(t.Context(), "dave") == nil {
				t.Error("Forget returns no error")
			}
			for _, p := range all {
				p.toldOf(t, broken)
			}
			s.start(t)
			hear(t, "bob", at, all...)
			hear(t, "carol", at, all...)
			for _, p := range all {
				p.toldOf(t, broken, well)
				if c := p.Cutoff("alice"); !c.Tokens.Equal(at) {
					t.Errorf("alice comes back in: %v", c)
				}
			}
			eventually(t, "Redis has alice", func() bool { return score(t, s, "alice") == at.UnixMilli() })
			hear(t, "alice", at, newProcess(t, s.client(t, redis.Options{}), never))
		})
	}
}

// Redis need not be running when a process starts.
func TestStartedBefore(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.stop()
	p := newProcess(t, s.client(t, redis.Options{}), never)
	at := second(time.Minute)
	p.revokeAlone(t, "alice", at)
	s.start(t)
	eventually(t, "Redis has alice", func() bool { return score(t, s, "alice") == at.UnixMilli() })
	p.toldOf(t, broken, well)
}

// If Redis was emptied or restored, or evicts keys, it gets back what any process
// knows. A process that has lost a message still learns of its user.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	all := s.processes(t, 2, often)
	at := second(time.Minute)
	all[0].revoke(t, "alice", at)
	s.do(t, "FLUSHALL")
	eventually(t, "Redis has alice", func() bool { return score(t, s, "alice") == at.UnixMilli() })
	s.do(t, "ZADD", "authgear:revocations", at.Add(-time.Minute).UnixMilli(), "alice") // an old backup
	eventually(t, "Redis has the newer time", func() bool { return score(t, s, "alice") == at.UnixMilli() })
	s.do(t, "ZADD", "authgear:revocations", at.UnixMilli(), "bob") // without a message
	hear(t, "bob", at, all...)
	answers := all[1].Cutoff("bob").Answers
	s.do(t, "ZADD", "authgear:revocations", at.UnixMilli(), "carol")
	hear(t, "carol", at, all...)
	if c := all[1].Cutoff("bob"); !c.Answers.Equal(answers) {
		t.Error("what is known is noted anew")
	}
	for _, p := range all {
		p.toldOf(t)
	}
}

// If connections end, no message that was published in the meantime is lost.
func TestDisconnected(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	all := s.processes(t, 2, never)
	at := second(time.Minute)
	s.do(t, "ZADD", "authgear:revocations", at.UnixMilli(), "alice") // without a message, as if it was lost
	s.do(t, "CLIENT", "KILL", "TYPE", "pubsub")
	hear(t, "alice", at, all...)
	for _, p := range all {
		p.toldOf(t, broken, well)
	}
}

// In each case Redis first refuses what it is told, and later accepts it.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breaks, mends []any
		names         string // the error names this
		heard         bool   // whether other processes hear of it nevertheless
	}{
		"full":                {[]any{"CONFIG", "SET", "maxmemory", "1"}, []any{"CONFIG", "SET", "maxmemory", "0"}, "OOM ", true},
		"read-only":           {[]any{"REPLICAOF", "127.0.0.1", "1"}, []any{"REPLICAOF", "NO", "ONE"}, "READONLY ", false},
		"forbidden":           {[]any{"ACL", "SETUSER", "default", "-zadd"}, []any{"ACL", "SETUSER", "default", "+zadd"}, "NOPERM ", true},
		"key of another type": {[]any{"SET", "authgear:revocations", "x"}, []any{"DEL", "authgear:revocations"}, "WRONGTYPE ", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			all := s.processes(t, 2, never)
			at := second(time.Minute)
			s.do(t, c.breaks...)
			all[0].revokeAlone(t, "alice", at)
			if c.heard {
				hear(t, "alice", at, all...)
			}
			all[0].toldOf(t, c.names)
			heard := all[1].Cutoff("alice").Answers
			all[0].revokeAlone(t, "bob", at) // this gives no further notice
			if again := all[1].Cutoff("alice").Answers; c.heard && !again.Equal(heard) {
				t.Error("the others are told once more each time that Redis is tried")
			}
			all[0].toldOf(t, broken)
			s.do(t, c.mends...)
			hear(t, "alice", at, all...)
			hear(t, "bob", at, all...)
			all[0].toldOf(t, broken, well)
			eventually(t, "Redis has both", func() bool { return score(t, s, "alice") == at.UnixMilli() && score(t, s, "bob") == at.UnixMilli() })
		})
	}
}

// Redis does not know the password at first, and later does.
func TestPassword(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.do(t, "CONFIG", "SET", "requirepass", "secret")
	at := second(time.Minute)
	p := newProcess(t, s.client(t, redis.Options{}), never)
	p.revokeAlone(t, "alice", at)
	p.toldOf(t, "NOAUTH ")
	if _, err := s.client(t, redis.Options{Password: "secret"}).Do(t.Context(), "CONFIG", "SET", "requirepass", "").Result(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Redis has alice", func() bool { return score(t, s, "alice") == at.UnixMilli() })
	p.toldOf(t, broken, well)
}

// While Redis reads its file, it answers every command with LOADING.
func TestLoading(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--appendonly", "yes", "--aof-use-rdb-preamble", "yes", "--loading-process-events-interval-bytes", "1024")
	all := s.processes(t, 2, never)
	s.do(t, "EVAL", "for i = 1, 20000 do redis.call('SET', 'k' .. i, string.rep('x', 50)) end return 1", 0)
	s.do(t, "BGREWRITEAOF")
	eventually(t, "the file is written", func() bool {
		return strings.Contains(s.do(t, "INFO", "persistence").(string), "aof_rewrite_in_progress:0")
	})
	s.stop()
	s.args = append(s.args, "--key-load-delay", "5000") // µs for a key, so that all keys take more than a minute
	s.start(t)
	at := second(time.Minute)
	all[0].revokeAlone(t, "alice", at)
	s.do(t, "CONFIG", "SET", "key-load-delay", "0")
	hear(t, "alice", at, all...)
	all[0].toldOf(t, broken, well)
}

// If Redis does not know a command, it repeats the arguments in its error. The store
// must not repeat them.
func TestUnknownCommand(t *testing.T) {
	t.Parallel()
	p := newServer(t, "--rename-command", "ZADD", "").processes(t, 1, never)[0]
	p.revokeAlone(t, "alice", second(time.Minute))
	p.toldOf(t, "ERR unknown command 'zadd'")
}

// Many events at once, from all processes.
func TestMany(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	all := s.processes(t, 3, never)
	at := second(time.Minute)
	var running sync.WaitGroup
	for i := range 3000 {
		running.Go(func() { all[i%3].revoke(t, fmt.Sprint("user", i), at) })
	}
	running.Wait()
	for i := range 3000 {
		hear(t, fmt.Sprint("user", i), at, all...)
	}
	late := newProcess(t, s.client(t, redis.Options{}), never) // it reads several pages
	for i := range 3000 {
		hear(t, fmt.Sprint("user", i), at, late)
	}
	if bytes := s.do(t, "MEMORY", "USAGE", "authgear:revocations", "SAMPLES", "0").(int64) / 3000; bytes > 130 {
		t.Errorf("Redis needs %d bytes for each user", bytes)
	}
}

// If there are more users than a process keeps, it reads the newest. It does not write
// back the older users each time.
func TestTooMany(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	at := second(time.Minute)
	s.do(t, "EVAL", "for i = 1, 100500 do redis.call('ZADD', KEYS[1], ARGV[1] + i, 'user' .. i) end return 1", 1, "authgear:revocations", at.UnixMilli())
	p := s.processes(t, 1, often)[0]
	hear(t, "user501", at.Add(501*time.Millisecond), p)
	p.revoke(t, "alice", at)
	eventually(t, "Redis has alice", func() bool { return score(t, s, "alice") == at.UnixMilli() })
	writes, reads := s.calls(t, "publish"), s.calls(t, "zrange")
	eventually(t, "it has caught up twice", func() bool { return s.calls(t, "zrange") > reads+300 })
	if now := s.calls(t, "publish"); now != writes {
		t.Errorf("%d messages, not %d", now, writes)
	}
}
