// Package project asks one Authgear project by hardened GETs: bounded in size,
// without redirects and cookies, by HTTP/1.1.
package project

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"

	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const (
	maxHeader = 64 << 10 // bytes of an answer's header
	maxBody   = 1 << 20
	maxText   = 512 // of an error in which net/http quotes the peer
)

// Config configures New. The origins are in the form of endpoint.Parse.
type Config struct {
	Endpoint string
	// Internal is the origin that is asked instead of Endpoint, "" for none. It
	// gets the endpoint's host and scheme, by which Authgear tells projects apart.
	Internal string
	// HTTPClient is copied; nil stands for the standard one.
	HTTPClient *http.Client
	// IdleConnections is how many connections stay open between requests, until
	// nobody holds the Client any longer. 0: each GET closes its own.
	IdleConnections int
}

// Client asks one project.
type Client struct {
	client  *http.Client
	base    string
	host    string // "" unless an internal address is asked
	proto   string
	oneShot bool
}

// New returns a client. Redirect policy, cookie jar and time-out of the user's
// client do not count. Its *http.Transport is cloned; any other transport is used
// as it is.
func New(config Config) *Client {
	client := http.Client{}
	if config.HTTPClient != nil {
		client = *config.HTTPClient
	}
	client.Jar = nil   // each answer sets a cookie
	client.Timeout = 0 // the context's counts
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	c := &Client{client: &client, base: config.Endpoint, oneShot: config.IdleConnections == 0}
	if config.Internal != "" {
		c.base = config.Internal
		c.proto, c.host, _ = strings.Cut(config.Endpoint, "://")
	}
	transport := client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	if t, ok := transport.(*http.Transport); ok && t != nil {
		t = hardened(t, config.IdleConnections)
		runtime.AddCleanup(c, (*http.Transport).CloseIdleConnections, t) // nobody has to close anything
		transport = t
	}
	client.Transport = locationFilter{transport}
	return c
}

// hardened returns a clone that speaks HTTP/1.1 only: over the one connection of
// HTTP/2 that all requests share, a credential that is too large for a proxy
// ends everybody's.
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

// locationFilter takes an unreadable Location away from http.Client, whose error
// would quote all of it.
type locationFilter struct{ transport http.RoundTripper }

func (f locationFilter) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := f.transport.RoundTrip(request)
	if err == nil && response != nil {
		if _, err := url.Parse(response.Header.Get("Location")); err != nil {
			response.Header.Set("Location", "about:blank")
		}
	}
	return response, err
}

// URL returns what Get asks for path.
func (c *Client) URL(path string) string { return c.base + path }

// Get asks for path, with header beside what each request has. The error means
// that there was no answer.
func (c *Client) Get(ctx context.Context, path string, header http.Header) (*Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(path), http.NoBody)
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header.Clone()
	}
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "authgear-sdk-go")
	if c.host != "" {
		request.Host = c.host
		request.Header.Set("X-Forwarded-Proto", c.proto)
	}
	request.Close = c.oneShot
	response, err := c.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w; is the address right, and can this machine reach it?", bounded(unquoted(err)))
	}
	return &Answer{response.StatusCode, response.Header, response}, nil
}

// Answer is what the project answers. It has to be closed.
type Answer struct {
	Status   int
	Header   http.Header
	response *http.Response
}

// Close gives the connection back. A body that was not read ends it: nobody
// waits for a body that does not matter.
func (a *Answer) Close() { _ = a.response.Body.Close() }

// StatusError returns why an answer whose status is not 200 is of no use.
func (a *Answer) StatusError() error {
	const public = "is the endpoint the project's public origin?"
	switch {
	case a.Status == http.StatusOK:
		return nil
	case a.Status >= 500: // the address is right
		return fmt.Errorf("status %d, not 200", a.Status)
	case a.Status/100 != 3 || a.Header.Get("Location") == "":
		return fmt.Errorf("status %d, not 200; is the endpoint that of an Authgear project?", a.Status)
	case a.Status == http.StatusTemporaryRedirect || a.Status == http.StatusPermanentRedirect:
		// Without TRUST_PROXY a project of https that is asked by http redirects to itself.
		return fmt.Errorf("status %d, a redirect to %s, is not followed; %s A self-hosted Authgear that is asked at an internal address needs TRUST_PROXY=true",
			a.Status, a.target(), public)
	default:
		return fmt.Errorf("status %d, a redirect to %s, is not followed; %s", a.Status, a.target(), public)
	}
}

// target returns the origin of a redirect, and no more: its path and query can
// hold secrets.
func (a *Answer) target() string {
	if u, err := a.response.Location(); err == nil {
		if origin := endpoint.Of(u); origin != "" {
			return origin
		}
	}
	return "an address that is no web origin"
}

// ReadAll returns the body, which is not to be encoded and has at most 1 MiB.
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

// unquoted takes away what net/http quotes of an answer that it cannot read: a
// user's id may stand there, and what was sent, since some servers send it back.
func unquoted(err error) error {
	const broken = "transport connection broken"
	before, _, found := strings.Cut(err.Error(), broken)
	if _, lost := errors.AsType[*net.OpError](err); !found || lost || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return errors.New(before + broken + ": the answer's head is malformed or too large")
}

// bounded keeps what a peer sends out of logs and of memory.
func bounded(err error) error {
	if text := err.Error(); len(text) > maxText {
		return errors.New(strings.ToValidUTF8(text[:maxText], "") + "…")
	}
	return err
}

// readError lets network errors and early ends through. Others quote what a peer
// has sent in a chunk or a trailer.
func readError(err error) error {
	_, lost := errors.AsType[net.Error](err)
	if !lost && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.Canceled) {
		err = errors.New("its body is malformed")
	}
	return fmt.Errorf("reading the answer: %w", err)
}
