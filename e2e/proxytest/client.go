package proxytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// request is what a client sends, byte for byte: no library corrects its
// headers.
type request struct {
	method   string // empty: GET
	path     string
	host     string // empty: app.example.com
	headers  []string
	body     string
	trailers []string // with any, the body is chunked
	chunked  bool
}

// answer is what the client gets.
type answer struct {
	status int
	header http.Header
	body   string
}

func (r request) bytes() string {
	method, host := r.method, r.host
	if method == "" {
		method = "GET"
	}
	if host == "" {
		host = "app.example.com"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, r.path, host)
	for _, f := range r.headers {
		b.WriteString(f + "\r\n")
	}
	switch {
	case r.chunked || len(r.trailers) > 0:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n", len(r.body), r.body)
		for _, f := range r.trailers {
			b.WriteString(f + "\r\n")
		}
		b.WriteString("\r\n")
	case r.body != "":
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
	default:
		b.WriteString("\r\n")
	}
	return b.String()
}

// values returns the values of all lines of a name. The name is in lower case.
func (r request) values(name string) []string {
	var values []string
	for _, f := range r.headers {
		if n, value, _ := strings.Cut(f, ":"); strings.ToLower(n) == name {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// send sends the request to an address, on a new connection.
func (r request) send(addr string) (answer, error) {
	answers, err := send(addr, r)
	if err != nil {
		return answer{}, err
	}
	return answers[0], nil
}

// send sends the requests to an address on one connection, one after the other.
func send(addr string, requests ...request) ([]answer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	var answers []answer
	for _, r := range requests {
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := io.WriteString(conn, r.bytes()); err != nil {
			return nil, err
		}
		method := r.method
		if method == "" {
			method = "GET"
		}
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer{response.StatusCode, response.Header, string(body)})
	}
	return answers, nil
}
