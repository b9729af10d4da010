package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"
)

const (
	maxHeader = 64 << 10 // bytes of an answer's fields

	silence = 3 * time.Second // on a connection of HTTP/2, until a ping asks whether it is alive
	pong    = 2 * time.Second // until that has to be answered
)

// Asker asks one address again and again, over connections that stay open as
// long as it is in use.
type Asker struct {
	client *http.Client
	url    string
	host   string // "" for a public address
	proto  string
}

// NewAsker returns one for the address. For an internal one it sends the
// endpoint's host and scheme along. A *http.Transport in base is cloned, to keep
// that many idle connections; any other transport is used as it is.
func NewAsker(endpoint, url string, internal bool, idle int, base *http.Client) *Asker {
	a := &Asker{client: hardened(base), url: url}
	if internal {
		a.proto, a.host, _ = strings.Cut(endpoint, "://")
	}
	var transport http.RoundTripper = http.DefaultTransport
	if base != nil && base.Transport != nil {
		transport = base.Transport
	}
	if t, ok := transport.(*http.Transport); ok && t != nil {
		t = t.Clone()
		t.MaxIdleConnsPerHost = idle
		if t.MaxResponseHeaderBytes == 0 {
			t.MaxResponseHeaderBytes = maxHeader
		}
		if t.HTTP2 == nil {
			t.HTTP2 = &http.HTTP2Config{}
		}
		// All calls share one connection of HTTP/2. Where it leads nowhere any
		// longer, nothing else would find out for many minutes.
		t.HTTP2.SendPingTimeout = cmp.Or(t.HTTP2.SendPingTimeout, silence)
		t.HTTP2.PingTimeout = cmp.Or(t.HTTP2.PingTimeout, pong)
		a.client.Transport = quiet{t}
		runtime.AddCleanup(a, closeConnections, t) // nobody has to close anything
	}
	return a
}

// closeConnections closes those that nobody uses any longer; twice, since a
// stream of HTTP/2 counts as used until a moment after its answer was closed.
func closeConnections(t *http.Transport) {
	t.CloseIdleConnections()
	time.AfterFunc(time.Second, t.CloseIdleConnections)
}

// URL returns what is asked.
func (a *Asker) URL() string { return a.url }

// Answer is what a server answers. It has to be closed.
type Answer struct {
	Status   int
	Header   http.Header
	response *http.Response
}

// Ask sends a request with one field, or with none when name is "". An error
// means that there was no answer.
func (a *Asker) Ask(ctx context.Context, name, value string) (*Answer, error) {
	request, err := newRequest(ctx, a.url, a.host, a.proto)
	if err != nil {
		return nil, err
	}
	if name != "" {
		request.Header.Set(name, value)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w; is the address right, and can this machine reach it?", bounded(unquoted(err)))
	}
	return &Answer{response.StatusCode, response.Header, response}, nil
}

// unquoted takes away what net/http quotes of an answer that it cannot read: a
// user's id may stand there, and what was sent, since some servers send it back.
func unquoted(err error) error {
	const broken = "transport connection broken"
	before, _, found := strings.Cut(err.Error(), broken)
	if _, lost := errors.AsType[*net.OpError](err); !found || lost || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return errors.New(before + broken + ": the answer's head is malformed or too large")
}

// known lets network errors and early ends through. Others quote what a peer has
// sent in a chunk or a trailer.
func known(err error) error {
	_, lost := errors.AsType[net.Error](err)
	if lost || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled) {
		return err
	}
	return errors.New("its body is malformed")
}

// StatusError returns why an answer whose status is not 200 is of no use.
func (a *Answer) StatusError() error { return statusError(a.response) }

// Empty reports whether the answer has no body.
func (a *Answer) Empty() (bool, error) {
	_, err := io.ReadFull(a.response.Body, make([]byte, 1))
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, io.EOF):
		return true, nil
	default:
		return false, fmt.Errorf("reading the answer: %w", bounded(known(err)))
	}
}

// Close gives the connection back. A body that was not read ends it: nobody
// waits for a body that does not matter.
func (a *Answer) Close() { _ = a.response.Body.Close() }
