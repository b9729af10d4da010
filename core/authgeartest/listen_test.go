package authgeartest

import (
	"net"
	"syscall"
	"testing"
)

// crowded is a listener whose first Accept fails, since too many files are open.
type crowded struct {
	net.Listener
	calls int
	again chan struct{} // closed by the second Accept
}

func (c *crowded) Accept() (net.Conn, error) {
	c.calls++
	switch c.calls {
	case 1:
		return nil, syscall.EMFILE
	case 2:
		close(c.again)
	}
	return c.Listener.Accept()
}

func TestTooManyOpenFiles(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &crowded{Listener: listener, again: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		(&Server{listener: c}).accept()
		close(ended)
	}()
	select {
	case <-c.again:
	case <-ended:
		t.Error("the server accepts nothing any more")
	}
	_ = listener.Close()
	<-ended
}
