// Package project sends hardened GET requests to one Authgear project. It bounds the size
// of answers, ignores redirects and cookies, and speaks HTTP/1.1.
package project

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const (
	maxHeader = 64 << 10 // bytes of an answer's header
	maxBody   = 1 << 20
	maxText   = 512 // bytes of an error text in which net/http quotes the peer
)

// Config configures New. Its origins are in the form that endpoint.Parse returns.
type Config struct {
	Endpoint string
	// Internal is the origin that is asked instead of Endpoint, "" for none. Requests to
	// it name the endpoint's host and scheme, by which Authgear tells projects apart.
	Internal string
	// HTTPClient is copied. nil stands for a client with http.DefaultTransport.
	HTTPClient *http.Client
	// IdleConnections is how many connections stay open between requests, until
	// nobody holds the Client any longer. With 0 each GET closes its connection.
	IdleConnections int
}

// Client asks one project.
type Client struct {
	transport http.RoundTripper
	base      string
	host      string // "" unless an internal address is asked
	proto     string
	oneShot   bool
	last      atomic.Pointer[question]
}

// question is a path and the request for it. Each call gets a copy of the request.
type question struct {
	path    string
	request *http.Request
}

// New returns a client. It ignores redirect policy, cookie jar and time-out of the user's
// HTTP client. It clones an *http.Transport, and uses any other transport as it is.
func New(config Config) *Client {
	c := &Client{transport: http.DefaultTransport, base: config.Endpoint, oneShot: config.IdleConnections == 0}
	if config.Internal != "" {
		c.base = config.Internal
		c.proto, c.host, _ = strings.Cut(config.Endpoint, "://")
	}
	if config.HTTPClient != nil && config.HTTPClient.Transport != nil {
		c.transport = config.HTTPClient.Transport
	}
	if t, ok := c.transport.(*http.Transport); ok && t != nil {
		t = hardened(t, config.IdleConnections)
		runtime.AddCleanup(c, (*http.Transport).CloseIdleConnections, t) // so that a Client needs no Close
		c.transport = t
	}
	return c
}

// hardened returns a clone that speaks HTTP/1.1 only. With HTTP/2 all requests share one
// connection: when a proxy ends it because one credential is too large, all of them fail.
func hardened(t *http.Transport, idle int) *http.Transport {
	t = t.Clone()
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = []string{"http/1.1"} // Clone has put "h2" there
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = idle, idle
	t.MaxResponseHeaderBytes = cmp.Or(t.MaxResponseHeaderBytes, maxHeader)
	return t
}

// URL returns the URL that Get asks for path.
func (c *Client) URL(path string) string { return c.base + path }

// Get asks for path. It sends header together with the fields that each request has; it
// changes and keeps header. An error means that there was no answer.
func (c *Client) Get(ctx context.Context, path string, header http.Header) (*Answer, error) {
	request, err := c.request(ctx, path)
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header
	}
	fixed := [...]string{"identity", "authgear-sdk-go", c.proto}
	request.Header["Accept-Encoding"], request.Header["User-Agent"] = fixed[0:1:1], fixed[1:2:2]
	if c.host != "" {
		request.Header["X-Forwarded-Proto"] = fixed[2:3:3]
	}
	response, err := roundTrip(c.transport, request)
	if err != nil {
		err = &url.Error{Op: "Get", URL: c.URL(path), Err: err}
		return nil, fmt.Errorf("%w; is the address right, and can this machine reach it?", bounded(unquoted(err)))
	}
	return &Answer{response.StatusCode, response.Header, response}, nil
}

// request returns a request without a header. It shares nothing with other requests, since
// a transport may change what it is given.
func (c *Client) request(ctx context.Context, path string) (*http.Request, error) {
	q := c.last.Load()
	if q == nil || q.path != path {
		request, err := http.NewRequest(http.MethodGet, c.URL(path), http.NoBody) //nolint:noctx // its copies have a context
		if err != nil {
			return nil, err
		}
		request.Host, request.Close = cmp.Or(c.host, request.Host), c.oneShot
		q = &question{path, request}
		c.last.Store(q)
	}
	request, address := q.request.WithContext(ctx), *q.request.URL
	request.URL, request.Header = &address, http.Header{}
	return request, nil
}

// roundTrip does what http.Client does, except for redirects, cookies and time-outs.
func roundTrip(transport http.RoundTripper, request *http.Request) (*http.Response, error) {
	response, err := transport.RoundTrip(request)
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && string(e.RecordHeader[:]) == "HTTP/" {
		return nil, http.ErrSchemeMismatch
	}
	switch {
	case err != nil:
		return nil, err
	case response == nil:
		return nil, fmt.Errorf("the RoundTripper %T has returned neither an answer nor an error", transport)
	case response.Body == nil:
		response.Body = http.NoBody
	}
	return response, nil
}

// Answer is an answer of the project. The caller has to close it.
type Answer struct {
	Status   int
	Header   http.Header
	response *http.Response
}

// Close gives the connection back. If the body was not read to its end, the connection is
// closed: nobody waits for a body that does not matter.
func (a *Answer) Close() { _ = a.response.Body.Close() }

// StatusError returns why an answer with another status than 200 cannot be used.
func (a *Answer) StatusError() error {
	const public = "is the endpoint the project's public origin?"
	switch {
	case a.Status == http.StatusOK:
		return nil
	case a.Status >= 500: // then the address is right
		return fmt.Errorf("status %d, not 200", a.Status)
	case a.Status/100 != 3 || a.Header.Get("Location") == "":
		return fmt.Errorf("status %d, not 200; is the endpoint that of an Authgear project?", a.Status)
	case a.Status == http.StatusTemporaryRedirect || a.Status == http.StatusPermanentRedirect:
		// Without TRUST_PROXY an https project that is asked by http redirects to itself.
		return fmt.Errorf("status %d, a redirect to %s, is not followed; %s A self-hosted Authgear that is asked at an internal address needs TRUST_PROXY=true",
			a.Status, a.target(), public)
	default:
		return fmt.Errorf("status %d, a redirect to %s, is not followed; %s", a.Status, a.target(), public)
	}
}

// target returns only the origin of a redirect: its path and query can hold secrets.
func (a *Answer) target() string {
	if u, err := a.response.Location(); err == nil {
		if origin := endpoint.Of(u); origin != "" {
			return origin
		}
	}
	return "an address that is no web origin"
}

// ReadAll returns the body. It refuses one that is encoded or larger than 1 MiB.
func (a *Answer) ReadAll() ([]byte, error) {
	if coding := a.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, fmt.Errorf("the answer is encoded as %s, which was not asked for", quote.Quote(coding))
	}
	body, err := io.ReadAll(io.LimitReader(a.response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, readError(err)
	case len(body) > maxBody:
		return nil, errors.New("the answer is larger than 1 MiB")
	}
	return body, nil
}

// Empty reports whether the answer has no body.
func (a *Answer) Empty() (bool, error) {
	_, err := io.ReadFull(a.response.Body, make([]byte, 1))
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, io.EOF):
		return true, nil
	default:
		return false, readError(err)
	}
}

// unquoted removes the parts that net/http quotes from an answer that it cannot read.
// They may hold a user's id, or the credentials: some servers send the request back.
func unquoted(err error) error {
	const broken = "transport connection broken"
	before, _, found := strings.Cut(err.Error(), broken)
	if _, lost := errors.AsType[*net.OpError](err); !found || lost || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return errors.New(before + broken + ": the answer's head is malformed or too large")
}

// bounded cuts what a peer sends, to keep it out of logs and memory.
func bounded(err error) error {
	if text := err.Error(); len(text) > maxText {
		return errors.New(strings.ToValidUTF8(text[:maxText], "") + "…")
	}
	return err
}

// readError passes on network errors and early ends. It hides other errors, since they
// quote what a peer has sent in a chunk or a trailer.
func readError(err error) error {
	_, lost := errors.AsType[net.Error](err)
	if !lost && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.Canceled) {
		err = errors.New("its body is malformed")
	}
	return fmt.Errorf("reading the answer: %w", err)
}

// IsTimeout reports whether a request failed because of a time-out.
func IsTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout()
}
