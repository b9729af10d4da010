package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/judge"
	"github.com/authgear/authgear-sdk-go/core/internal/jws"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// signIn is one sign-in of one person.
type signIn struct {
	server                 *authorizationServer
	client                 client
	redirect, scope        string
	state, nonce, verifier string
	result                 chan result
	other                  atomic.Bool // whether the answer to another sign-in has come
}

// result is what the redirect of the browser brings back.
type result struct {
	code string
	err  error
}

func newSignIn(server *authorizationServer, c client, redirect, scope string) *signIn {
	return &signIn{
		server: server, client: c, redirect: redirect, scope: scope,
		state: rand.Text(), nonce: rand.Text(), verifier: rand.Text() + rand.Text(), // 52 characters (RFC 7636 §4.1)
		result: make(chan result, 1),
	}
}

// address returns the authorization request (RFC 6749 §4.1.1).
func (s *signIn) address() string {
	challenge := sha256.Sum256([]byte(s.verifier))
	u, _ := url.Parse(s.server.Authorization) // discover has checked the URL
	query := u.Query()                        // the URL's own query stays (RFC 6749 §3.1)
	maps.Copy(query, url.Values{
		"response_type": {"code"}, "client_id": {s.client.id}, "redirect_uri": {s.redirect}, "scope": {s.scope},
		"state": {s.state}, "nonce": {s.nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	})
	u.RawQuery = query.Encode()
	return u.String()
}

// try makes the request that the browser will make, without the browser's cookies. So an
// error shows in the terminal, and not only to the person at the browser. Authgear answers
// a wrong client or redirect URI with 400, and redirects back with other errors.
func (s *signIn) try(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := noRedirects.Do(r)
	if err != nil {
		return noAnswer(s.server.Authorization, err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusBadRequest:
		return s.errorOn(answer.Body)
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return nil // perhaps from a guard against robots, which lets browsers pass
	}
	if answer.StatusCode > http.StatusBadRequest {
		return noOAuth(s.server.Authorization, answer.StatusCode)
	}
	if to, err := answer.Location(); err == nil && strings.HasPrefix(to.String(), s.redirect+"?") {
		if q := to.Query(); q.Has("error") && q.Get("state") == s.state {
			return s.explained(q.Get("error"), q.Get("error_description"))
		}
	}
	return nil
}

// errorOn reads the error from the page that Authgear shows when it does not redirect back.
func (s *signIn) errorOn(page io.Reader) error {
	fields := map[string]string{} // "error: …" and "error_description: …", a line each
	lines := bufio.NewScanner(io.LimitReader(page, 4<<10))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ": "); ok {
			fields[name] = value
		}
	}
	if fields["error"] == "" {
		return noOAuth(s.server.Authorization, http.StatusBadRequest)
	}
	return s.explained(fields["error"], fields["error_description"])
}

func (s *signIn) explained(code, description string) error {
	hints := map[string]string{
		"unauthorized_client": "-client-id is no application of this project by which users sign in; for a machine's token run authgear-doctor token",
		"invalid_scope":       "users get Authgear's own scopes only, such as openid, offline_access, email: leave the other -scope out",
	}
	if description == "" || strings.Contains(description, "redirect") {
		hints["invalid_request"] = "register the redirect URI " + s.redirect + " in the Authgear portal: Applications, the application, Authorized Redirect URIs"
	}
	return explained(code, description, hints)
}

var errOther = errors.New("it is the answer to another sign-in, or to none")

// take reads the authorization response (RFC 6749 §4.1.2).
func (s *signIn) take(query url.Values) error {
	if query.Get("state") != s.state {
		s.other.Store(true)
		return errOther // anybody may have sent it, so the sign-in goes on
	}
	r := result{code: query.Get("code")}
	switch issuer := query.Get("iss"); {
	case issuer != "" && issuer != s.server.origin: // RFC 9207 §2.4
		r.err = fmt.Errorf("the answer comes from %s, not from %s", quote.Quote(issuer), s.server.origin)
	case query.Has("error"):
		r.err = s.explained(query.Get("error"), query.Get("error_description"))
	case r.code == "":
		r.err = errors.New("the answer has no code")
	}
	select {
	case s.result <- r:
	default: // the first answer counts
	}
	return nil
}

// readPasted reads pasted addresses from the terminal.
func (s *signIn) readPasted(t terminal) {
	lines := bufio.NewScanner(t.stdin)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			u, err := url.Parse(line)
			if err == nil {
				err = s.take(u.Query())
			}
			if err == nil {
				return
			}
			if strings.HasPrefix(line, s.redirect+"?") {
				fmt.Fprintln(t.stderr, "That is the answer to another sign-in: open the address above, and paste where the browser ends then.")
			} else {
				fmt.Fprintln(t.stderr, "That is not the address: it begins with "+s.redirect+"?")
			}
		}
	}
}

// redeem exchanges the code (RFC 6749 §4.1.3) and checks the ID token.
func (s *signIn) redeem(ctx context.Context, code string) (*grant, error) {
	g, err := s.server.exchange(ctx, s.client, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.redirect}, "code_verifier": {s.verifier},
	}, nil)
	if err != nil {
		return nil, err
	}
	if err := s.checkIDToken(ctx, g.IDToken); err != nil {
		return nil, fmt.Errorf("the ID token is not good: %w", err)
	}
	return g, nil
}

// checkIDToken checks the ID token by OpenID Connect Core 1.0 §3.1.3.7. If it is good, the
// tokens belong to this sign-in.
func (s *signIn) checkIDToken(ctx context.Context, compact string) error {
	token, err := (&jws.Parser{Type: jws.IDToken}).Parse(compact)
	if err != nil {
		return err
	}
	c, err := claims.Parse(token.Payload)
	if err != nil {
		return err
	}
	var more struct {
		Nonce string `json:"nonce"`
	}
	if err := json.Unmarshal([]byte(token.Payload), &more); err != nil {
		return errors.New("its nonce is no string")
	}
	rules := judge.Rules{Endpoint: s.server.origin, Leeway: time.Minute} // much, since the diagnosis says more about clocks
	now := time.Now()
	if err := errors.Join(rules.Issuer(&c), rules.Expiry(&c, now), rules.Start(c.IssuedAt, now)); err != nil {
		return err
	}
	switch {
	case !slices.Equal(c.Audience, []string{s.client.id}):
		return errors.New("it is for another client")
	case more.Nonce != s.nonce:
		return errors.New("its nonce is not that of this sign-in")
	}
	held, err := s.server.keys.Lookup(ctx, token.KeyID, c.IssuedAt)
	if err != nil {
		return err
	}
	for _, key := range held.Keys(token.KeyID) {
		if err = token.Verify(key); err == nil {
			return nil
		}
	}
	return err
}
