package authgeartest

import (
	"net"
	"sync"
	"syscall"
	"testing"
)

// crowded is a listener whose first Accept fails, since too many files are open.
type crowded struct {
	net.Listener
	first sync.Once
}

func (c *crowded) Accept() (net.Conn, error) {
	failed := false
	c.first.Do(func() { failed = true })
	if failed {
		return nil, syscall.EMFILE
	}
	return c.Listener.Accept()
}

func TestTooManyOpenFiles(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{listener: &crowded{Listener: listener}} // it is down, so it resets connections
	var accepting sync.WaitGroup
	accepting.Go(s.accept)
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil { // waits until the connection is reset
		t.Error("the server answers")
	}
	_ = conn.Close()
	_ = listener.Close()
	accepting.Wait()
}
