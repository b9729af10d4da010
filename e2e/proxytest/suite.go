package proxytest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// suite is a proxy with its own resolver and a backend.
type suite struct {
	proxy     Proxy
	framework string
	authority *authority
	resolver  *resolver
	relay     *relay
	backend   string // its address, without the relay and the proxy
	addr      string // the proxy's address
	marks     atomic.Int64
	goOn      chan struct{} // closed after the first event has arrived and the stream was quiet

	alice, bob, carol, dave string // user IDs
}

func newSuite(t *testing.T, proxy Proxy, program, framework string) *suite {
	t.Helper()
	dir, err := os.MkdirTemp("", "proxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // a proxy that root starts gives up root's rights
		t.Fatal(err)
	}
	authority := newAuthority(t)
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, authority.pem(), 0o644); err != nil {
		t.Fatal(err)
	}
	s := &suite{
		proxy:     proxy,
		framework: framework,
		authority: authority,
		resolver:  newResolver(t, authority.certificate(t, Project)),
		goOn:      make(chan struct{}),
	}
	s.backend = startBackend(t, framework, s.goOn)
	s.relay = newRelay(t, s.backend)
	s.alice = s.resolver.project.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"admin", "editor"}})
	s.bob = s.resolver.project.AddUser(authgeartest.User{ID: "bob"})
	s.dave = s.resolver.project.AddUser(authgeartest.User{ID: "dave", Roles: manyRoles()})
	s.carol = s.resolver.project.AddUser(authgeartest.User{ID: "carol", Verified: true})

	place := Place{Dir: dir, Backend: s.relay.addr, Resolver: s.resolver.addr, Streams: framework == recorder, CA: ca}
	if framework == fronted {
		place.Resolver = s.startFront(t, dir)
	}
	for range 3 { // a free port may be taken by another program, but not three times
		place.Addr = freeAddress(t)
		if s.start(t, program, place) {
			return s
		}
	}
	t.Fatalf("%s ends by itself", program)
	return nil
}

// freeAddress returns an address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// start starts the proxy and waits until a request to its address reaches this suite's
// backend. So the address is no other program's. start returns false if the proxy has
// ended, as it does when its port is taken.
func (s *suite) start(t *testing.T, program string, place Place) bool {
	t.Helper()
	place.Config = s.install(t, place)
	command := s.proxy.Command(program, place)
	said := &programLog{}
	command.Stdout, command.Stderr = said, said
	ended := start(t, filepath.Base(program), command, said)
	s.addr = place.Addr
	for deadline := time.Now().Add(time.Minute); ; {
		mark := s.mark()
		got, err := request{path: "/healthz" + mark}.send(s.addr)
		if err == nil && len(s.relay.find(mark)) == 1 {
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not serve: %+v, %v", program, got, err)
		}
	}
}

// install copies the proxy's files and returns the path of the first.
func (s *suite) install(t *testing.T, place Place) string {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	proxy := s.proxy
	pairs := proxy.Replace(place)
	if s.framework != hanging {
		pairs = append(pairs, proxy.LongTimeouts...)
	}
	used := make([]bool, len(pairs))
	for _, name := range proxy.Files {
		content, err := os.ReadFile(filepath.Join(root, "docs", "proxies", name))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(pairs); i += 2 {
			used[i] = used[i] || strings.Contains(string(content), pairs[i])
		}
		text := strings.NewReplacer(pairs...).Replace(string(content))
		if err := os.WriteFile(filepath.Join(place.Dir, filepath.Base(name)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if !used[i] {
			t.Fatalf("%q does not stand in %v", pairs[i], proxy.Files)
		}
	}
	return filepath.Join(place.Dir, filepath.Base(proxy.Files[0]))
}

// found returns the only request with this mark that has reached the backend.
func (s *suite) found(t *testing.T, mark string) relayed {
	t.Helper()
	found := s.relay.find(mark)
	if len(found) != 1 {
		t.Fatalf("%d requests have reached the backend", len(found))
	}
	return found[0]
}

// mark returns a query that no other request of this suite has.
func (s *suite) mark() string { return fmt.Sprintf("?case=%d", s.marks.Add(1)) }

func (s *suite) run(t *testing.T) {
	switch s.framework {
	case fronted:
		s.oversize(t)
		return
	case hanging:
		s.hangs(t)
		return
	}
	// Tests that wait for seconds run beside everything else.
	var waiting sync.WaitGroup
	stream := func(name string, test func(*testing.T, func())) {
		opened := make(chan struct{})
		opens := sync.OnceFunc(func() { close(opened) })
		waiting.Go(func() {
			t.Run(name, func(t *testing.T) {
				defer opens()
				test(t, opens)
			})
		})
		<-opened // later tests count calls, so these calls come first
	}
	if s.framework == recorder {
		stream("WebSocket", s.socket)
		stream("server-sent events", s.events)
	}
	t.Run("credentials", s.credentials)
	t.Run("forged headers", s.forged)
	t.Run("forged origin", s.forgedOrigin)
	t.Run("large credentials", s.large)
	t.Run("methods and bodies", s.bodies)
	t.Run("resolver fails", s.faults)
	if !s.proxy.NoCanary {
		t.Run("resolver is silent", s.silent)
	}
	t.Run("many roles", s.manyRoles)
	t.Run("other protocols", s.upgrades)
	if s.framework == recorder {
		t.Run("upload", s.upload)
	} else {
		t.Run("many people at once", s.many)
		t.Run("without the proxy", s.withoutProxy)
	}
	waiting.Wait()
	t.Run("resolver down", s.down)
	t.Run("resolver with a foreign certificate", s.foreignCertificates)
}
