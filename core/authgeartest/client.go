package authgeartest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Client is an OAuth client of the project, for [Config].Clients. The JSON names
// are those of the file that authgear-dev reads.
type Client struct {
	// ID is the client ID.
	ID string `json:"id"`
	// Secret makes a confidential client, which authenticates at the token
	// endpoint by client_secret_post or client_secret_basic (RFC 6749 §2.3.1).
	// Empty: a public client, such as a single-page or native app.
	Secret string `json:"secret"`
	// RedirectURIs are absolute, and compared byte for byte. A URI of the server's own
	// origin is allowed too, as with a real Authgear.
	RedirectURIs []string `json:"redirect_uris"`
	// PostLogoutRedirectURIs are where end_session may send a browser.
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris"`
	// OpaqueTokens is true for a client without "Issue JWT as access token".
	OpaqueTokens bool `json:"opaque_tokens"`
	// Resources make the client a machine. They are the resource URIs for which it gets
	// tokens by client credentials, each with the scopes that it may have there. A machine
	// needs a Secret, and nobody signs in to it.
	Resources map[string][]string `json:"resources"`

	open bool // not registered: Config.Clients is empty
}

func (c *Client) machine() bool { return c.Resources != nil }

// confidential reports whether the client has to send a secret. Such a client gets no full
// access.
func (c *Client) confidential() bool { return c.Secret != "" }

// checkClients refuses clients that could never work. Without it the mistake would show
// much later.
func checkClients(clients []Client) error {
	seen := make(map[string]bool)
	for _, c := range clients {
		problem := ""
		switch {
		case c.ID == "":
			problem = "it has no ID"
		case seen[c.ID]:
			problem = "another one has the same ID"
		case c.machine() && !c.confidential():
			problem = "a machine, which has Resources, needs a Secret"
		}
		if problem != "" {
			return fmt.Errorf("authgeartest: Config.Clients: client %q: %s", c.ID, problem)
		}
		for _, uri := range c.PostLogoutRedirectURIs {
			if _, err := parseRedirectURI(c.ID, uri); err != nil {
				return err
			}
		}
		seen[c.ID] = true
	}
	return nil
}

// parseRedirectURI reads a client's redirect URI: absolute, without fragment (RFC 6749
// §3.1.2). The URI of an app, such as com.example.app:/callback (RFC 8252 §7.1), needs no
// host. A URI without a slash after its scheme lacks http://, or is a script.
func parseRedirectURI(client, uri string) (*url.URL, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || u.Opaque != "" || strings.Contains(uri, "#") || web(u) && u.Host == "" {
		return nil, fmt.Errorf("authgeartest: Config.Clients: client %q: %q is no absolute URI without fragment to redirect to", client, uri)
	}
	return u, nil
}

// web reports whether a browser can open the URI.
func web(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

// client finds a client. If no clients are registered, each ID is a public client
// with loopback redirect URIs, and a machine with any secret. The caller holds s.mu.
func (s *Server) client(id string) *Client {
	if len(s.clients) == 0 {
		if id == "" || len(id) > maxClientID {
			return nil
		}
		id = strings.Clone(id) // a copy, so that the rest of the request is not kept
		s.name(id)
		return &Client{ID: id, open: true}
	}
	i := slices.IndexFunc(s.clients, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &s.clients[i]
}

// redirectURI checks a redirect URI of the client. If the client has only one, the request
// may leave it out.
func (s *Server) redirectURI(c *Client, uri string) (*url.URL, bool) {
	if uri == "" && len(c.RedirectURIs) == 1 {
		uri = c.RedirectURIs[0]
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return nil, false
	}
	return u, u.Scheme+"://"+u.Host == s.Endpoint() || slices.Contains(c.RedirectURIs, uri) || c.open && loopback(u)
}

// postLogoutRedirectURI reports whether end_session may send a browser to the URI.
func (s *Server) postLogoutRedirectURI(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && len(s.clients) == 0 && loopback(u) ||
		slices.ContainsFunc(s.clients, func(c Client) bool { return slices.Contains(c.PostLogoutRedirectURIs, uri) })
}

// name remembers a client, so that unseal finds it by the two bytes in a seal.
func (s *Server) name(id string) { s.names[string(s.short("client", id)[:2])] = id }

// loopback reports whether a URI stays on this machine.
func loopback(u *url.URL) bool {
	host := u.Hostname()
	return web(u) &&
		(slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host) || strings.HasSuffix(host, ".localhost"))
}
