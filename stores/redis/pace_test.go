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

// imitation is a Redis in memory, so that time can be the time of synctest.
type imitation struct {
	refuses   atomic.Bool  // connections
	silent    atomic.Bool  // on all connections
	pinged    atomic.Int32 // in a subscription
	published atomic.Int32
}

// process returns the store of one process, with the times of New.
func (i *imitation) process(t *testing.T) *process {
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

// serve answers until the connection is closed. A reader of its own takes the commands,
// since a pipe has no buffer.
func (i *imitation) serve(conn net.Conn) {
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

func (i *imitation) answer(command string) string {
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
		var i imitation
		p := i.process(t)
		time.Sleep(time.Minute + time.Millisecond)
		if pings := i.pinged.Load(); pings != 60 {
			t.Errorf("%d pings", pings)
		}
		p.alreadyToldOf(t)
	})
}

// If Redis does not answer, nobody waits for it longer than a second, and the connection
// soon counts as dead.
func TestSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var i imitation
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
		time.Sleep(redisstore.DeadAfter)
		p.alreadyToldOf(t, broken)
	})
}

// When Redis is back, it soon hears what it has missed, however long it was away. The
// pauses are random, so this is tried ten times.
func TestBack(t *testing.T) {
	t.Parallel()
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			var i imitation
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
