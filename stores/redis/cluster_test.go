package redisstore_test

import (
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// lastPort is the last port that freePort has tried. It starts at random, since another
// run of the tests may look for ports at the same time.
var lastPort atomic.Int32

func init() { lastPort.Store(15_000 + rand.Int32N(10_000)) }

// freePort returns a free port of 127.0.0.1, where Redis servers find each other. It is
// below the ports that a system chooses for programs that ask for any port. So no other
// program gets it by chance.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(int(lastPort.Add(1)))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// listening starts a server that listens on this port too.
func listening(t *testing.T, port string, args ...string) *server {
	t.Helper()
	return newServer(t, append([]string{"--bind", "127.0.0.1", "--port", port}, args...)...)
}

func TestCluster(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s := listening(t, port, "--cluster-enabled", "yes", "--cluster-port", freePort(t))
	s.do(t, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	eventually(t, "the cluster is there", func() bool {
		return strings.Contains(s.do(t, "CLUSTER", "INFO").(string), "cluster_state:ok")
	})
	all := make([]*process, 2)
	for i := range all {
		rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:" + port}, DialTimeout: waitLimit, ReadTimeout: waitLimit})
		t.Cleanup(func() { _ = rdb.Close() })
		all[i] = newProcess(t, rdb, never)
	}
	at := second(time.Minute)
	all[0].revoke(t, "alice", at)
	hear(t, "alice", at, all...)
	s.stop()
	all[1].revokeAlone(t, "bob", at)
	s.start(t) // it has kept its list of slots
	hear(t, "bob", at, all...)
	eventually(t, "Redis has alice", func() bool { return score(t, s, "alice") == at.UnixMilli() })
	for _, p := range all {
		p.lastToldOf(t, well)
	}
}

// The main server fails. A replica that has not heard of everything takes over.
func TestSentinel(t *testing.T) {
	t.Parallel()
	port, sentinelPort := freePort(t), freePort(t)
	first := listening(t, port)
	replica := listening(t, freePort(t), "--replicaof", "127.0.0.1 "+port)
	eventually(t, "the replica is connected", func() bool {
		return strings.Contains(first.do(t, "INFO", "replication").(string), "state=online")
	})
	dir := t.TempDir()
	rules := "port " + sentinelPort + "\nbind 127.0.0.1\nunixsocket " + dir + "/redis.sock\ndir " + dir +
		"\nsentinel monitor main 127.0.0.1 " + port + " 1\nsentinel down-after-milliseconds main 600000\nsentinel failover-timeout main 3000\n"
	if err := os.WriteFile(dir+"/sentinel.conf", []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := &server{addr: dir + "/redis.sock", args: []string{dir + "/sentinel.conf", "--sentinel"}}
	sentinel.start(t)
	t.Cleanup(sentinel.stop)
	eventually(t, "the sentinel knows the replica", func() bool {
		return strings.Contains(sentinel.do(t, "INFO", "sentinel").(string), "status=ok") &&
			strings.Contains(sentinel.do(t, "INFO", "sentinel").(string), "slaves=1")
	})
	all := make([]*process, 2)
	for i := range all {
		rdb := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: []string{"127.0.0.1:" + sentinelPort}, DialTimeout: waitLimit, ReadTimeout: waitLimit})
		t.Cleanup(func() { _ = rdb.Close() })
		all[i] = newProcess(t, rdb, never)
	}
	at := second(time.Minute)
	all[0].revoke(t, "alice", at)
	hear(t, "alice", at, all...)
	first.stop()
	all[0].revokeAlone(t, "bob", at)
	// The test begins the failover. Sentinel by itself waits for ten minutes, so that it does
	// not take a busy machine for a failure.
	eventually(t, "the failover begins", func() bool {
		return sentinel.client(t, redis.Options{}).Do(t.Context(), "SENTINEL", "FAILOVER", "main").Err() == nil
	})
	hear(t, "bob", at, all...)
	eventually(t, "the new main server has both", func() bool {
		return score(t, replica, "alice") == at.UnixMilli() && score(t, replica, "bob") == at.UnixMilli()
	})
}
