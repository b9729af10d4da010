package proxytest

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// relay stands between the proxy and the backend, and keeps every byte that the proxy
// sends. So tests see headers that the backend's HTTP library would rename, join or
// drop.
type relay struct {
	addr, target string

	mu    sync.Mutex
	conns []*bytes.Buffer
}

// relayed is a request as the proxy sent it.
type relayed struct {
	method  string
	headers []header
	rest    string // the body with its framing, and what follows it
}

// header is a header line, with its name in lower case.
type header struct{ name, value string }

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: listener.Addr().String(), target: target}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

func (r *relay) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	sent := &bytes.Buffer{}
	r.mu.Lock()
	r.conns = append(r.conns, sent)
	r.mu.Unlock()
	go func() {
		_, _ = io.Copy(io.MultiWriter(locked{&r.mu, sent}, server), client)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, server)
}

type locked struct {
	mu     *sync.Mutex
	buffer *bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

// find returns the requests with a target that ends in this mark.
func (r *relay) find(mark string) []relayed {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []relayed
	for _, conn := range r.conns {
		sent := conn.String()
		for {
			at := strings.Index(sent, mark+" HTTP/1.")
			if at < 0 {
				break
			}
			start := strings.LastIndexByte(sent[:at], '\n') + 1
			head, rest, complete := strings.Cut(sent[start:], "\r\n\r\n")
			if !complete {
				break
			}
			lines := strings.Split(head, "\r\n")
			method, _, _ := strings.Cut(lines[0], " ")
			request := relayed{method: method, rest: rest}
			for _, line := range lines[1:] {
				name, value, _ := strings.Cut(line, ":")
				request.headers = append(request.headers, header{strings.ToLower(name), strings.TrimSpace(value)})
			}
			found = append(found, request)
			sent = rest
		}
	}
	return found
}

// values returns the values of all lines of a name.
func (r relayed) values(name string) []string {
	var values []string
	for _, f := range r.headers {
		if f.name == name {
			values = append(values, f.value)
		}
	}
	return values
}
