package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/keys"
)

// On a busy machine an answer of a test's server may take longer than the usual time-out.
func init() { noRedirects.Timeout = time.Minute }

// An error of the authorization endpoint is reported at once. Otherwise only the person at
// the browser would see it, and the terminal would wait.
func TestAuthorizationEndpoint(t *testing.T) {
	t.Parallel()
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	back := func(query string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			to := r.URL.Query().Get("redirect_uri") + "?" + strings.ReplaceAll(query, "STATE", r.URL.Query().Get("state"))
			http.Redirect(w, r, to, http.StatusSeeOther)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string // the error; "": none
	}{
		"a page":                      {status(200), ""},
		"a redirect to sign in":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login?error=x", http.StatusFound) }, ""},
		"a redirect without Location": {status(302), ""},
		"a guard against robots":      {status(403), ""},
		"too many requests":           {status(429), ""},
		"not found":                   {status(404), "/authorize answers with status 404, and not as OAuth does; look at"},
		"failing":                     {status(500), "/authorize answers with status 500, and not as OAuth does; look at"},
		"a bad gateway":               {status(502), "status 502"},
		"a page of a firewall":        {status(400), "status 400"},
		"an error sent back":          {back("error=invalid_scope&state=STATE"), "Authgear's own scopes only"},
		"another sign-in's error":     {back("error=invalid_scope&state=x"), ""},
		"a code":                      {back("code=c&state=STATE"), ""},
		"a connection that ends":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "/authorize: EOF"},
		"no answer in time":           {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "/authorize has not answered in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.Header.Get("Cookie") != "" {
					t.Errorf("%s with the cookies %q", r.Method, r.Header.Get("Cookie"))
				}
				c.answer(w, r)
			}))
			defer server.Close()
			ctx := t.Context()
			if name == "no answer in time" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
			}
			s := newSignIn(&authorizationServer{origin: server.URL, Metadata: keys.Metadata{Authorization: server.URL + "/authorize"}}, client{id: "cli"}, "http://127.0.0.1:1/callback", "openid")
			err := s.try(ctx, s.address())
			if text := fmt.Sprint(err); (err != nil) != (c.says != "") || !strings.Contains(text, c.says) || strings.Contains(text, s.state) {
				t.Error(text)
			}
		})
	}
}

// A slow answer is reported as late, not as one that is not OAuth.
func TestTokenEndpointInTime(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := &authorizationServer{Metadata: keys.Metadata{Token: server.URL + "/token"}}
	_, err := s.exchange(ctx, client{id: "cli"}, url.Values{}, nil)
	if err == nil || !strings.Contains(err.Error(), "/token has not answered in time") {
		t.Error(err)
	}
}

// The address of an endpoint may have a query, which is kept, but no fragment (RFC 6749
// §3.1, §3.2).
func TestEndpointAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ authorize, token, says string }{
		"a query":                    {"/a?tenant=1&state=x", "/t?tenant=1", ""},
		"a fragment":                 {"/a?tenant=1#frag", "/t", "authorization_endpoint"},
		"an empty fragment":          {"/a#", "/t", "authorization_endpoint"},
		"a fragment, token endpoint": {"/a", "/t#frag", "token_endpoint"},
	} {
		p := newIssuer(t)
		p.front = map[string]http.HandlerFunc{"/.well-known/openid-configuration": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/jwks", "authorization_endpoint": p.URL + c.authorize, "token_endpoint": p.URL + c.token})
		}}
		server, err := discover(t.Context(), p.URL, false)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "fragment") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		s := newSignIn(server, client{id: "cli"}, "http://127.0.0.1:1/callback", "openid")
		u, err := url.Parse(s.address())
		if err != nil {
			t.Fatal(err)
		}
		if q := u.Query(); q.Get("tenant") != "1" || len(q["state"]) != 1 || q.Get("state") != s.state || q.Get("client_id") != "cli" {
			t.Errorf("%s", u)
		}
	}
}
