// Package fetch asks Authgear by one hardened GET: bounded in time and size,
// without redirects and cookies, over a connection that is closed afterwards.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const (
	timeout  = 5 * time.Second // in all, the body included
	maxBytes = 1 << 20
	maxText  = 512 // of an error in which net/http quotes the peer
)

// Client asks one project.
type Client struct {
	client *http.Client
	base   string
	host   string // "" unless an internal address is asked
	proto  string
}

// New returns a client of the project with that endpoint. It asks the internal
// origin instead when there is one, and then sends the endpoint's host and
// scheme along, by which Authgear tells projects apart. Both are in the form of
// endpoint.Parse. base is copied; nil stands for the standard client.
func New(endpoint, internal string, base *http.Client) *Client {
	c := &Client{client: hardened(base), base: endpoint}
	if internal != "" {
		c.base = internal
		c.proto, c.host, _ = strings.Cut(endpoint, "://")
	}
	return c
}

// hardened returns a copy of the client without what does not count here.
func hardened(base *http.Client) *http.Client {
	client := http.Client{}
	if base != nil {
		client = *base
	}
	client.Transport = quiet{client.Transport}
	client.Jar = nil   // each answer sets a cookie
	client.Timeout = 0 // ours counts
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// quiet takes an unreadable Location away from http.Client, whose error would
// quote all of it.
type quiet struct{ transport http.RoundTripper }

func (q quiet) RoundTrip(request *http.Request) (*http.Response, error) {
	transport := q.transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	response, err := transport.RoundTrip(request)
	if err == nil && response != nil {
		if _, err := url.Parse(response.Header.Get("Location")); err != nil {
			response.Header.Set("Location", "about:blank")
		}
	}
	return response, err
}

// URL returns what Get asks for path.
func (c *Client) URL(path string) string { return c.base + path }

// Get returns the body of a 200. The status is 0 when there was no answer.
func (c *Client) Get(ctx context.Context, path string) (body []byte, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := newRequest(ctx, c.URL(path), c.host, c.proto)
	if err != nil {
		return nil, 0, err
	}
	request.Close = true // fetches are minutes apart: nothing stays open, nothing is to be closed
	response, err := c.client.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("%w; is the address right, and can this machine reach it?", bounded(err))
	}
	defer func() { _ = response.Body.Close() }() // nothing depends on the rest of the answer
	body, err = read(response)
	if err != nil {
		return nil, response.StatusCode, fmt.Errorf("GET %s: %w", c.URL(path), err)
	}
	return body, response.StatusCode, nil
}

// newRequest returns a GET without any field that Authgear does not need.
func newRequest(ctx context.Context, url, host, proto string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "authgear-sdk-go")
	if host != "" {
		request.Host = host
		request.Header.Set("X-Forwarded-Proto", proto)
	}
	return request, nil
}

// bounded keeps what a peer sends out of logs and of memory: net/http quotes a
// malformed answer whole.
func bounded(err error) error {
	if text := err.Error(); len(text) > maxText {
		return errors.New(strings.ToValidUTF8(text[:maxText], "") + "…")
	}
	return err
}

func read(response *http.Response) ([]byte, error) {
	if err := statusError(response); err != nil {
		return nil, err
	}
	if coding := response.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, fmt.Errorf("the answer is encoded as %s, which was not asked for", quote.Quote(coding))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", bounded(err))
	}
	if len(body) > maxBytes {
		return nil, errors.New("the answer is larger than 1 MiB")
	}
	return body, nil
}

// statusError returns why an answer whose status is not 200 is of no use.
func statusError(response *http.Response) error {
	switch location := response.Header.Get("Location"); {
	case response.StatusCode == http.StatusOK:
		return nil
	case location != "" && response.StatusCode/100 == 3:
		return fmt.Errorf("status %d, a redirect to %s, is not followed; is the endpoint the project's public origin?",
			response.StatusCode, target(response.Request, location))
	default:
		return fmt.Errorf("status %d, not 200; is the endpoint that of an Authgear project?", response.StatusCode)
	}
}

// target returns the origin of a redirect, and no more: its path and query can
// hold secrets.
func target(request *http.Request, location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "an unreadable address"
	}
	if request != nil && request.URL != nil {
		u = request.URL.ResolveReference(u)
	}
	if origin := endpoint.Of(u); origin != "" {
		return origin
	}
	return "an address that is no web origin"
}
