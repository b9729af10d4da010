package authgeartest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// allowOrigin lets a page of an allowed origin send cookies and read the answer, as
// Authgear does for the origins of its clients.
func (s *Server) allowOrigin(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !s.allowedOrigin(origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Max-Age", "900")
	for asked, allowed := range map[string]string{
		"Access-Control-Request-Method":  "Access-Control-Allow-Methods",
		"Access-Control-Request-Headers": "Access-Control-Allow-Headers",
	} {
		if v := r.Header.Get(asked); v != "" {
			h.Set(allowed, v)
		}
	}
}

// allowedOrigin reports whether pages of an origin may call: the origins of
// [Config].AllowedOrigins, of clients' redirect URIs, and the server's own. If the first
// two are empty, all pages of this machine may.
func (s *Server) allowedOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme+"://"+u.Host != origin {
		return false
	}
	if origin == s.Endpoint() || slices.Contains(s.origins, origin) {
		return true
	}
	return len(s.origins) == 0 && loopback(u)
}

// originsOf returns the configured origins and those of redirect URIs.
func originsOf(config Config) ([]string, error) {
	var origins []string
	for _, origin := range config.AllowedOrigins {
		u, err := parseOrigin("AllowedOrigins", origin)
		if err != nil {
			return nil, err
		}
		origins = append(origins, originOf(u))
	}
	for _, c := range config.Clients {
		for _, uri := range c.RedirectURIs {
			u, err := parseRedirectURI(c.ID, uri)
			if err != nil {
				return nil, err
			}
			origins = append(origins, originOf(u))
		}
	}
	return origins, nil
}

// originOf returns the origin as browsers send it (RFC 6454 §6.2).
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}
