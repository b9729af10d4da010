package proxytest

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TimeOut replaces the time-outs that would end a quiet stream. quiet is how long a
// stream is quiet.
const (
	TimeOut = "10s"
	quiet   = 12 * time.Second
)

// record is the recorder: it reads every body, signs nobody in, and answers with a long
// header. A request to /socket becomes a WebSocket that sends back what it gets. A
// request to /events gets an event at once, and another one when goOn is closed.
func record(goOn <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		controller := http.NewResponseController(w)
		switch r.URL.Path {
		case "/socket":
			accept := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455 §1.3
			if !strings.EqualFold(r.Header.Get("Connection"), "upgrade") || r.Header.Get("Upgrade") != "websocket" {
				http.Error(w, "no WebSocket is asked for", http.StatusBadRequest)
				return
			}
			conn, buffered, err := controller.Hijack()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(accept[:]))
			_, _ = io.Copy(conn, buffered)
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: first\n\n")
			_ = controller.Flush()
			select {
			case <-goOn:
				_, _ = io.WriteString(w, "data: second\n\n")
			case <-r.Context().Done():
			}
		default:
			n, _ := io.Copy(io.Discard, r.Body)
			w.Header().Set("X-Long", strings.Repeat("x", 16<<10))
			_, _ = fmt.Fprintf(w, "recorded %d bytes", n)
		}
	}
}

// open sends a request, reads the head of the answer, and returns the connection.
func (s *suite) open(t *testing.T, r request) (net.Conn, *http.Response, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(quiet + time.Minute))
	if _, err := io.WriteString(conn, r.bytes()); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn, response, reader
}

// socket: a WebSocket opens with the identity of its client, and stays open while it is
// quiet.
func (s *suite) socket(t *testing.T, opened func()) {
	cookie, mark := s.cookie(s.bob), s.mark()
	conn, response, reader := s.open(t, request{path: "/socket" + mark, headers: append(upgrade("websocket"), "Cookie: "+cookie)})
	opened()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", response.StatusCode)
	}
	s.checkBackend(t, s.found(t, mark), want{cookie: cookie, forwarded: "bob"})
	for i, word := range []string{"at once\n", "after a silence\n"} {
		time.Sleep(time.Duration(i) * quiet)
		if _, err := io.WriteString(conn, word); err != nil {
			t.Fatal(err)
		}
		if got, err := reader.ReadString('\n'); got != word {
			t.Fatalf("got %q, %v, want %q", got, err, word)
		}
	}
}

// upgrade returns the headers that ask for another protocol on this connection.
func upgrade(protocol string) []string {
	return []string{"Connection: Upgrade", "Upgrade: " + protocol, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: b2YtdGhlLWNsaWVudC0wMQ=="}
}

// upgrades: only WebSocket gets through. In any other protocol the client's bytes would
// reach the backend unchecked.
func (s *suite) upgrades(t *testing.T) {
	for _, protocol := range []string{"h2c", "websocket, h2c", "TLS/1.0"} {
		if got := s.reached(t, upgrade(protocol)...).values("upgrade"); len(got) > 0 != s.proxy.AnyUpgrade {
			t.Errorf("%s: the backend got Upgrade: %q", protocol, got)
		}
	}
}

// events: each event reaches the client when it is sent. The second event is sent
// only after the first has arrived.
func (s *suite) events(t *testing.T, opened func()) {
	_, response, _ := s.open(t, request{path: "/events", headers: []string{"Accept: text/event-stream", "Cookie: " + s.cookie(s.bob)}})
	opened()
	events := bufio.NewReader(response.Body)
	for _, event := range []string{"data: first\n", "data: second\n"} {
		if line, err := events.ReadString('\n'); line != event {
			t.Fatalf("got %q, %v, want %q", line, err, event)
		}
		_, _ = events.ReadString('\n')
		if event == "data: first\n" {
			time.Sleep(quiet)
			close(s.goOn)
		}
	}
}

// upload: a body gets through even if it is larger than a proxy keeps in memory or
// accepts by default.
func (s *suite) upload(t *testing.T) {
	body := strings.Repeat("0123456789abcde\n", 3<<16)
	for _, chunked := range []bool{false, true} {
		cookie := s.cookie(s.bob)
		got, _ := s.ask(t, request{method: "POST", path: "/upload", headers: []string{"Cookie: " + cookie}, body: body, chunked: chunked}, want{cookie: cookie, forwarded: "bob"})
		if want := fmt.Sprintf("recorded %d bytes", len(body)); got.body != want {
			t.Errorf("chunked %v: answer %d %q, want %q", chunked, got.status, got.body, want)
		}
	}
}
