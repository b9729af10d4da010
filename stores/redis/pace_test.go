package redisstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	redisstore "github.com/authgear/authgear-sdk-go/stores/redis"
)

// fakeRedis is a Redis in memory, so that tests can use the clock of synctest.
type fakeRedis struct {
	refuses   atomic.Bool  // refuses new connections
	silent    atomic.Bool  // answers no command
	pinged    atomic.Int32 // how many pings it has answered
	published atomic.Int32 // how many messages it has got
}

// process returns the store of one process with the intervals of New.
func (i *fakeRedis) process(t *testing.T) *process {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", ReadTimeout: time.Minute, Dialer: func(context.Context, string, string) (net.Conn, error) {
		if i.refuses.Load() {
			return nil, errors.New("refused")
		}
		near, far := net.Pipe()
		go i.serve(far)
		return near, nil
	}})
	t.Cleanup(func() {
		_ = rdb.Close()
		time.Sleep(time.Minute) // until the goroutines have ended
	})
	p := &process{rdb: rdb}
	p.Store = redisstore.New(rdb, redisstore.Config{Observer: p.observer()})
	return p
}

// serve answers until the connection is closed. Its reader has a buffer, since a pipe has
// none: otherwise client and server could both wait in a write.
func (i *fakeRedis) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	commands := bufio.NewReader(conn)
	for {
		var words, length int
		if _, err := fmt.Fscanf(commands, "*%d\r\n", &words); err != nil {
			return
		}
		command := ""
		for w := range words {
			if _, err := fmt.Fscanf(commands, "$%d\r\n", &length); err != nil {
				return
			}
			word := make([]byte, length+len("\r\n"))
			if _, err := io.ReadFull(commands, word); err != nil {
				return
			}
			if w == 0 {
				command = strings.ToLower(string(word[:length]))
			}
		}
		if i.silent.Load() {
			continue
		}
		if _, err := io.WriteString(conn, i.answer(command)); err != nil {
			return
		}
	}
}

func (i *fakeRedis) answer(command string) string {
	switch command {
	case "subscribe":
		return "*3\r\n$9\r\nsubscribe\r\n$20\r\nauthgear:revocations\r\n:1\r\n"
	case "ping":
		i.pinged.Add(1)
		return "*2\r\n$4\r\npong\r\n$0\r\n\r\n"
	case "zrange":
		return "*0\r\n"
	case "publish":
		i.published.Add(1)
		return ":1\r\n"
	case "zadd", "zremrangebyscore", "pexpire":
		return ":1\r\n"
	default:
		return "-ERR unknown command\r\n"
	}
}

// A subscription stays open even if there are no messages.
func TestQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var i fakeRedis
		p := i.process(t)
		time.Sleep(time.Minute + time.Millisecond)
		if pings := i.pinged.Load(); pings != 60 {
			t.Errorf("%d pings", pings)
		}
		p.alreadyToldOf(t)
	})
}

// If Redis does not answer, Revoke waits for a second at most, and a notice soon says that
// Redis does not work.
func TestSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var i fakeRedis
		p := i.process(t)
		time.Sleep(time.Second)
		before := time.Now()
		if err := p.Revoke(t.Context(), "bob", before); err != nil || time.Since(before) != 0 {
			t.Errorf("%v after %v, while Redis answers", err, time.Since(before))
		}
		i.silent.Store(true)
		p.revokeAlone(t, "alice", before)
		if took := time.Since(before); took != time.Second {
			t.Errorf("Revoke took %v", took)
		}
		time.Sleep(3 * time.Second)
		p.alreadyToldOf(t, broken)
	})
}

// When Redis is back after a minute, the store soon sends what Redis has missed. The pauses
// between attempts are random, so the test runs ten times.
func TestBack(t *testing.T) {
	t.Parallel()
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			var i fakeRedis
			i.refuses.Store(true)
			p := i.process(t)
			p.revokeAlone(t, "alice", time.Now())
			time.Sleep(time.Minute)
			p.alreadyToldOf(t, broken)
			i.refuses.Store(false)
			time.Sleep(3 * time.Second)
			p.alreadyToldOf(t, broken, well)
			if i.published.Load() == 0 {
				t.Error("no message")
			}
		})
	}
}
