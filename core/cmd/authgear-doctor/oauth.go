package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/keys"
	"github.com/authgear/authgear-sdk-go/core/internal/project"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// maxAnswer is the largest answer in bytes.
const maxAnswer = 1 << 20

// authorizationServer is the project in its role in OAuth.
type authorizationServer struct {
	origin string
	keys.Metadata
	keys *keys.Set
}

// discover asks the project for the addresses of its OAuth endpoints. Its issuer has to be
// the endpoint.
func discover(ctx context.Context, raw string, insecureHTTP bool) (*authorizationServer, error) {
	origin, err := endpoint.Parse(raw, insecureHTTP)
	if err != nil {
		return nil, fmt.Errorf("the endpoint %w", err)
	}
	client := project.New(project.Config{Endpoint: origin})
	metadata, err := keys.Discover(ctx, client, origin)
	if err != nil {
		return nil, fmt.Errorf("%w\n\"authgear-doctor %s\" says more", err, origin)
	}
	return &authorizationServer{origin, metadata, keys.New(keys.Config{Endpoint: origin, Client: client})}, nil
}

// client is an OAuth client (RFC 6749 §2.3). auth is "none", "basic" or "post".
type client struct{ id, secret, auth string }

// checkAuth returns what is wrong with the flag -auth.
func (c *client) checkAuth(f flags, methods ...string) error {
	if slices.Contains(methods, c.auth) {
		return nil
	}
	return f.wrong("-auth is one of " + strings.Join(methods, ", "))
}

// authenticate adds the client's id and secret.
func (c *client) authenticate(r *http.Request, form url.Values) {
	if c.auth == "basic" {
		r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret)) // RFC 6749 §2.3.1: both are form-encoded first
		return
	}
	form.Set("client_id", c.id)
	if c.auth == "post" {
		form.Set("client_secret", c.secret)
	}
}

// grant is an answer of the token endpoint (RFC 6749 §5).
type grant struct {
	AccessToken string  `json:"access_token"`
	Type        string  `json:"token_type"`
	ExpiresIn   float64 `json:"expires_in"`
	IDToken     string  `json:"id_token"`

	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// noRedirects follows no redirects and returns them as answers: the requests are for one
// address only.
var noRedirects = &http.Client{
	Timeout:       10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// exchange asks the token endpoint. From the answer, its errors quote only the code and the
// description of an OAuth error.
func (s *authorizationServer) exchange(ctx context.Context, c client, form url.Values, hints map[string]string) (*grant, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Token, nil)
	if err != nil {
		return nil, err
	}
	c.authenticate(r, form)
	body := form.Encode()
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := noRedirects.Do(r)
	if err != nil {
		return nil, noAnswer(s.Token, err)
	}
	defer answer.Body.Close()
	var g grant
	err = json.UnmarshalRead(io.LimitReader(answer.Body, maxAnswer), &g)
	switch {
	case project.IsTimeout(err):
		return nil, noAnswer(s.Token, err)
	case err != nil, g.Error == "" && answer.StatusCode != http.StatusOK:
		return nil, noOAuth(s.Token, answer.StatusCode)
	case g.Error != "":
		return nil, explained(g.Error, g.Description, hints)
	}
	if !strings.EqualFold(g.Type, "Bearer") {
		return nil, fmt.Errorf("the token's type is %s, not Bearer", quote.Quote(g.Type))
	}
	if _, err := authgear.ParseAuthorization("Bearer " + g.AccessToken); err != nil {
		return nil, errors.New("the token endpoint answers without a usable access token")
	}
	return &g, nil
}

// noOAuth returns the error for an answer that is not OAuth. It comes from an Authgear that
// fails, or from something in front of it.
func noOAuth(address string, status int) error {
	return fmt.Errorf("%s answers with status %d, and not as OAuth does; look at Authgear's log, and at what stands in front of it", address, status)
}

// noAnswer returns the error for a request without an answer. It names the address without
// the query, which belongs to one sign-in.
func noAnswer(address string, err error) error {
	if project.IsTimeout(err) {
		return fmt.Errorf("%s has not answered in time; look at Authgear's load, and at what stands in front of it", address)
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	return fmt.Errorf("asking %s: %w; look at whether this machine reaches it", address, err)
}

// meanings explain the errors of RFC 6749 §4.1.2.1 and §5.2 and OpenID Connect
// Core 1.0 §3.1.2.6. A command's own hint is used instead if there is one.
var meanings = map[string]string{
	"access_denied":           "the person has declined, or may not sign in to this application",
	"invalid_client":          "the secret in AUTHGEAR_CLIENT_SECRET is wrong or missing, or the client wants another -auth",
	"invalid_grant":           "the code was used before or is too old: run the command again",
	"invalid_request":         "the project does not understand the request",
	"login_required":          "nobody was signed in",
	"server_error":            "Authgear failed: look at its log",
	"temporarily_unavailable": "Authgear is busy: try again later",
	"unsupported_grant_type":  "the project does not offer this grant",
}

// explained returns an error that names and explains an OAuth error.
func explained(code, description string, hints map[string]string) error {
	text := "Authgear says " + quote.Quote(code)
	if description != "" {
		text += ", " + quote.Quote(description)
	}
	if code == "invalid_request" && strings.Contains(description, "client secret") { // as Authgear answers
		code = "invalid_client"
	}
	if hint := cmp.Or(hints[code], meanings[code]); hint != "" {
		text += ": " + hint
	}
	return errors.New(text)
}
