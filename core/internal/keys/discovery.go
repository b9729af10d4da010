package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const (
	discoveryPath = "/.well-known/openid-configuration"
	maxPath       = 2048 // of the JWKS; each error and log line names it

	timeout = 5 * time.Second // of a fetch in all, the body included
)

// fetch gets the keys. Discovery is kept once it succeeded, and asked again
// after the JWKS did not answer 200.
func (s *Set) fetch(ctx context.Context) (keyMap, error) {
	if s.jwksPath == "" {
		var path string
		_, err := s.get(ctx, "discovery", discoveryPath, func(body []byte) (err error) {
			path, err = s.jwksFrom(body)
			return err
		})
		if err != nil {
			return nil, err
		}
		s.jwksPath = path
	}
	path := s.jwksPath
	s.jwksPath = "" // until the answer is a 200: the client can panic
	var keys keyMap
	status, err := s.get(ctx, "jwks", path, func(body []byte) (err error) {
		keys, err = parseSet(body)
		return err
	})
	if status == http.StatusOK {
		s.jwksPath = path
	}
	return keys, err
}

// get asks for a document and has it parsed. The status is 0 without an answer.
func (s *Set) get(ctx context.Context, kind, path string, parse func(body []byte) error) (status int, err error) {
	if s.config.Start != nil {
		ctx = s.config.Start(ctx, kind, s.config.Client.URL(path))
	}
	start := time.Now()
	status, err = s.ask(ctx, path, parse)
	if s.config.Observe != nil {
		s.config.Observe(ctx, Fetch{Kind: kind, URL: s.config.Client.URL(path), Status: status, Duration: time.Since(start), Err: err})
	}
	return status, err
}

func (s *Set) ask(ctx context.Context, path string, parse func(body []byte) error) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := s.config.Client.Get(ctx, path, nil)
	if err != nil {
		return 0, err
	}
	defer answer.Close()
	err = answer.StatusError()
	var body []byte
	if err == nil {
		body, err = answer.ReadAll()
	}
	if err == nil {
		err = explain(body, parse(body))
	}
	if err != nil {
		err = fmt.Errorf("GET %s: %w", s.config.Client.URL(path), err)
	}
	return answer.Status, err
}

// jwksFrom returns the path of the JWKS (OpenID Connect Discovery 1.0 §4).
func (s *Set) jwksFrom(document []byte) (string, error) {
	var metadata struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(document, &metadata); err != nil {
		return "", errors.New("the answer is not a discovery document")
	}
	if metadata.Issuer != s.config.Endpoint { // RFC 8414 §3.3: identical
		return "", fmt.Errorf("the issuer is %s, the endpoint is %s; they must be the same", quote.Quote(metadata.Issuer), s.config.Endpoint)
	}
	u, err := url.Parse(metadata.JWKS)
	if err != nil || endpoint.Of(u) != s.config.Endpoint {
		return "", fmt.Errorf("jwks_uri %s is not at the endpoint %s", quote.Quote(metadata.JWKS), s.config.Endpoint)
	}
	path := u.RequestURI()
	if len(path) > maxPath {
		return "", fmt.Errorf("jwks_uri %s has more than %d bytes", quote.Quote(metadata.JWKS), maxPath)
	}
	return path, nil
}

// explain names the usual reason for an answer that is no JSON.
func explain(body []byte, err error) error {
	if err != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return fmt.Errorf("%w but a web page; is the endpoint that of an Authgear project?", err)
	}
	return err
}
