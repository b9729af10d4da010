package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a redis-server of one test, which can be stopped and started.
type server struct {
	addr    string
	args    []string
	running *exec.Cmd
}

func newServer(t *testing.T, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("AUTHGEAR_E2E") == "required" {
			t.Fatal("redis-server is missing, and AUTHGEAR_E2E=required")
		}
		t.Skip("redis-server is missing: install it to run this test")
	}
	dir := t.TempDir()
	s := &server{addr: dir + "/redis.sock"}
	s.args = append([]string{"--port", "0", "--unixsocket", s.addr, "--dir", dir, "--save", "", "--loglevel", "warning"}, args...)
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	s.running = exec.Command("redis-server", s.args...)
	s.running.Stderr = os.Stderr
	if err := s.running.Start(); err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1, DialerRetries: 1})
	defer func() { _ = rdb.Close() }()
	eventually(t, "redis-server answers", func() bool {
		err := rdb.Ping(context.Background()).Err()
		var refused redis.Error
		return err == nil || errors.As(err, &refused)
	})
}

func (s *server) stop() {
	if s.running != nil {
		_ = s.running.Process.Kill()
		_ = s.running.Wait()
		s.running = nil
	}
}

// client returns a client that is closed when the test ends, before the server stops.
// Its time-outs are long, since the server may be slow when the machine is busy.
func (s *server) client(t *testing.T, options redis.Options) *redis.Client {
	t.Helper()
	if options.Addr == "" {
		options.Addr = s.addr
	}
	options.DialTimeout = waitLimit
	if options.ReadTimeout == 0 {
		options.ReadTimeout = waitLimit
	}
	rdb := redis.NewClient(&options)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// do sends the server a command.
func (s *server) do(t *testing.T, args ...any) any {
	t.Helper()
	result, err := s.client(t, redis.Options{}).Do(t.Context(), args...).Result()
	if err != nil {
		t.Fatal(args, err)
	}
	return result
}

// subscribers returns the number of subscribers of the channel.
func (s *server) subscribers(t *testing.T) int64 {
	t.Helper()
	return s.do(t, "PUBSUB", "NUMSUB", "authgear:revocations").([]any)[1].(int64)
}

// calls returns how often the command ran.
func (s *server) calls(t *testing.T, command string) (n int) {
	t.Helper()
	_, stats, _ := strings.Cut(s.do(t, "INFO", "commandstats").(string), "cmdstat_"+command+":calls=")
	_, _ = fmt.Sscan(stats, &n)
	return n
}

// waitLimit is how long the tests wait for what has to happen.
const waitLimit = 2 * time.Minute

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(waitLimit); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", waitLimit, what)
		}
	}
}

func score(t *testing.T, s *server, user string) int64 {
	t.Helper()
	at, _ := s.client(t, redis.Options{}).ZScore(t.Context(), "authgear:revocations", user).Result()
	return int64(at)
}
