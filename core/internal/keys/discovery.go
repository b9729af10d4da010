package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/project"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const (
	discoveryPath = "/.well-known/openid-configuration"
	maxPath       = 2048 // bytes of an address; each error and log line names the address

	timeout = 5 * time.Second // of a whole fetch, including the body
)

// Metadata is the part of a discovery document that is used.
type Metadata struct {
	// JWKS is the path of the keys.
	JWKS string
	// Authorization and Token are URLs of OAuth's endpoints (RFC 6749 §3).
	Authorization, Token string
}

// IssuerError means that the project's issuer is not the endpoint.
type IssuerError struct{ Issuer, Endpoint string }

func (e *IssuerError) Error() string {
	return fmt.Sprintf("the issuer is %s, the endpoint is %s; they must be the same", quote.Quote(e.Issuer), e.Endpoint)
}

// Discover asks the project for its discovery document, in at most five seconds. It
// requires the two URLs, though a service that only verifies tokens does not need them.
func Discover(ctx context.Context, client *project.Client, origin string) (m Metadata, err error) {
	err = ask(ctx, client, discoveryPath, &Fetch{}, func(body []byte) error {
		m, err = parseMetadata(body, origin)
		return err
	})
	if err == nil {
		err = checkEndpoint(origin, "authorization_endpoint", m.Authorization)
	}
	if err == nil {
		err = checkEndpoint(origin, "token_endpoint", m.Token)
	}
	return m, err
}

// checkEndpoint checks the address of an OAuth endpoint.
func checkEndpoint(origin, name, address string) error {
	if strings.Contains(address, "#") { // RFC 6749 §3.1, §3.2
		return fmt.Errorf("%s %s has a fragment, which it must not", name, quote.Quote(address))
	}
	_, err := at(origin, name, address)
	return err
}

// fetch gets the keys. It keeps the result of discovery, and asks for discovery again
// when the JWKS did not answer 200.
func (s *Set) fetch(ctx context.Context) (keyMap, error) {
	if s.jwksPath == "" {
		var m Metadata
		f := s.get(ctx, "discovery", discoveryPath, func(body []byte, _ *Fetch) (err error) {
			m, err = parseMetadata(body, s.config.Endpoint)
			return err
		})
		if f.Err != nil {
			return nil, f.Err
		}
		s.jwksPath = m.JWKS
	}
	path := s.jwksPath
	s.jwksPath = "" // set again below if the answer is a 200; the client can panic before
	var keys keyMap
	f := s.get(ctx, "jwks", path, func(body []byte, f *Fetch) (err error) {
		keys, f.Keys, err = parseSet(body)
		return err
	})
	if f.Status == http.StatusOK {
		s.jwksPath = path
	}
	return keys, f.Err
}

// get asks for a document and calls parse with it.
func (s *Set) get(ctx context.Context, kind, path string, parse func(body []byte, f *Fetch) error) Fetch {
	f := Fetch{Kind: kind, URL: s.config.Client.URL(path)}
	if s.config.Start != nil {
		ctx = s.config.Start(ctx, kind, f.URL)
	}
	start := time.Now()
	f.Err = ask(ctx, s.config.Client, path, &f, func(body []byte) error { return parse(body, &f) })
	f.Duration = time.Since(start)
	if s.config.Observe != nil {
		s.config.Observe(ctx, f)
	}
	return f
}

// ask notes the status and the header of the answer in f.
func ask(ctx context.Context, client *project.Client, path string, f *Fetch, parse func(body []byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := client.Get(ctx, path, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	f.Status, f.Header = answer.Status, answer.Header
	err = answer.StatusError()
	var body []byte
	if err == nil {
		body, err = answer.ReadAll()
	}
	if err == nil {
		err = explain(body, parse(body))
	}
	if err != nil {
		err = fmt.Errorf("GET %s: %w", client.URL(path), err)
	}
	return err
}

// parseMetadata reads a discovery document (OpenID Connect Discovery 1.0 §4).
func parseMetadata(document []byte, origin string) (Metadata, error) {
	var d struct {
		Issuer        string `json:"issuer"`
		JWKS          string `json:"jwks_uri"`
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return Metadata{}, errors.New("the answer is not a discovery document")
	}
	if d.Issuer != origin { // RFC 8414 §3.3: identical
		return Metadata{}, &IssuerError{d.Issuer, origin}
	}
	jwks, err := at(origin, "jwks_uri", d.JWKS)
	if err != nil {
		return Metadata{}, err
	}
	return Metadata{JWKS: jwks.RequestURI(), Authorization: d.Authorization, Token: d.Token}, nil
}

// at reads an address of the document. The address has to be at the endpoint.
func at(origin, name, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || endpoint.Of(u) != origin {
		return nil, fmt.Errorf("%s %s is not at the endpoint %s", name, quote.Quote(address), origin)
	}
	if len(u.RequestURI()) > maxPath {
		return nil, fmt.Errorf("%s %s has more than %d bytes", name, quote.Quote(address), maxPath)
	}
	return u, nil
}

// explain adds the usual reason why an answer is not JSON.
func explain(body []byte, err error) error {
	if err != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return fmt.Errorf("%w but a web page; is the endpoint that of an Authgear project?", err)
	}
	return err
}
