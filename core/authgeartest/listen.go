package authgeartest

import (
	"errors"
	"net"
	"time"
)

// accept hands connections over to the running HTTP server, and resets them while the
// server is down. The port stays bound all the time, so that no other program takes it.
func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files: others may be closed soon
			time.Sleep(10 * time.Millisecond)
			continue
		}
		s.mu.Lock()
		run := s.running
		s.mu.Unlock()
		if run == nil || !run.listener.hand(conn) {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // closes with a reset, as a machine without the server would
			}
			_ = conn.Close()
		}
	}
}

// handover is the listener of one HTTP server, which runs until the next [Server.SetDown].
type handover struct {
	addr  net.Addr
	conns chan net.Conn
	ended chan struct{}
}

func (h *handover) hand(conn net.Conn) bool {
	select {
	case h.conns <- conn:
		return true
	case <-h.ended:
		return false
	}
}

func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.ended:
		return nil, net.ErrClosed
	}
}

// Close is called once, by http.Server.
func (h *handover) Close() error {
	close(h.ended)
	return nil
}

func (h *handover) Addr() net.Addr { return h.addr }
