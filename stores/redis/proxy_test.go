package redisstore_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	redisstore "github.com/authgear/authgear-sdk-go/stores/redis"
)

// proxy stands in front of a server. It can hold back bytes.
type proxy struct {
	net.Listener
	target string

	mu    sync.Mutex
	conns []net.Conn
	open  chan struct{} // closed: bytes pass
	held  []chan struct{}
}

func newProxy(t *testing.T, s *server) *proxy {
	t.Helper()
	l, err := net.Listen("unix", t.TempDir()+"/proxy.sock")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, target: s.addr}
	p.release()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", p.target)
			if err != nil {
				_ = from.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, from, to)
			p.mu.Unlock()
			running.Go(func() { p.pass(from, to) })
			running.Go(func() { p.pass(to, from) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		for _, held := range p.held {
			close(held)
		}
		p.mu.Unlock()
		p.release()
		running.Wait()
	})
	return p
}

func (p *proxy) pass(from, to net.Conn) {
	defer func() { _, _ = from.Close(), to.Close() }()
	bytes := make([]byte, 4096)
	for {
		n, err := from.Read(bytes)
		if err != nil {
			return
		}
		p.mu.Lock()
		open := p.open
		p.mu.Unlock()
		<-open
		if _, err := to.Write(bytes[:n]); err != nil {
			return
		}
	}
}

// hold lets no byte pass until release.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = make(chan struct{})
	}
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// lose lets bytes pass on new connections only. The old ones stay open but are dead.
func (p *proxy) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, p.open)
	p.open = make(chan struct{})
	close(p.open)
}

// If Redis does not answer, and then answers again, nothing is lost.
func TestHanging(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		ends func(*proxy)
	}{
		{"slow", (*proxy).release},
		{"dead connections", (*proxy).lose},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			between := newProxy(t, s)
			near := s.processes(t, 1, never)[0]
			far := newProcessWith(t, s.client(t, redis.Options{Addr: between.Addr().String(), ReadTimeout: 2 * time.Second}), never, redisstore.DeadAfter)
			eventually(t, "both have subscribed", func() bool { return s.subscribers(t) == 2 })
			at := second(time.Minute)
			far.revoke(t, "alice", at)

			between.hold()
			far.revokeAlone(t, "bob", at)
			near.revoke(t, "carol", at)
			if c := far.Cutoff("alice"); !c.Tokens.Equal(at) {
				t.Errorf("alice: %v", c)
			}
			far.lastToldOf(t, broken)
			c.ends(between)
			hear(t, "bob", at, near)
			hear(t, "carol", at, far)
			far.lastToldOf(t, well)
			near.toldOf(t)
		})
	}
}
