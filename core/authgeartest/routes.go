package authgeartest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// answer counts a request and answers it as the levers say: after a wait, with a failure,
// or by another handler.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if path := r.URL.Path; s.requests[path] > 0 || len(s.requests) < maxPaths && len(path) <= maxPath {
		s.requests[strings.Clone(path)]++ // a copy, so that the rest of the URL is not kept
	}
	slow := s.slow
	s.mu.Unlock()
	if slow > 0 {
		pause(r, slow)
	}
	s.mu.Lock()
	failing, handler := s.failing, s.handlers[r.URL.Path]
	s.mu.Unlock()
	switch {
	case failing != 0:
		writeFailure(w, failing)
	case handler != nil:
		handler.ServeHTTP(w, r)
	default:
		s.ServeHTTP(w, r)
	}
}

// pause waits, but no longer than the client does.
func pause(r *http.Request, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// ServeHTTP answers as Authgear does, whatever [Server.SetSlow],
// [Server.SetFailing] and [Server.Handle] say, and does not count. So a handler
// given to [Server.Handle] can hold or look at a request and then let it be
// answered.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_resolver/resolve", "/resolve":
		s.resolver(w, r)
	case "/_resolver/resolve/", "/resolve/":
		http.Redirect(w, r, strings.TrimSuffix(r.URL.Path, "/"), http.StatusMovedPermanently)
	case "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server":
		s.public(w, r, "GET", s.discovery)
	case "/oauth2/jwks":
		s.public(w, r, "GET", s.jwks)
	case "/oauth2/userinfo":
		s.private(w, r, "GET, POST", s.userinfo)
	case "/oauth2/revoke":
		s.private(w, r, "POST", s.revoke)
	case "/oauth2/authorize":
		s.signingIn(w, r, "GET, POST", s.authorize)
	case "/oauth2/token":
		s.private(w, r, "POST", s.local(s.token))
	case "/oauth2/app_session_token":
		s.private(w, r, "POST", s.local(s.appSessionToken))
	case "/oauth2/end_session":
		s.private(w, r, "GET, POST", s.local(s.endSession))
	case "/logout":
		s.signingIn(w, r, "GET, POST", s.logout)
	case "/api/anonymous_user/signup":
		s.private(w, r, "POST", s.local(s.anonymousSignUp))
	case "/api/anonymous_user/promotion_code":
		s.private(w, r, "POST", s.local(s.promotionCode))
	case "/reauthenticate":
		s.mint(w, r, func() (string, *refusal) { return s.mintReauthenticated(r) })
	case "/sign-out":
		s.change(w, r, s.signOutShell)
	default:
		if id, ok := strings.CutPrefix(r.URL.Path, "/token/"); ok {
			s.mint(w, r, func() (string, *refusal) { return s.mintToken(r, id) })
		} else if client, ok := strings.CutPrefix(r.URL.Path, "/client-token/"); ok {
			s.mint(w, r, func() (string, *refusal) { return s.mintClientToken(r, client) })
		} else if id, ok := strings.CutPrefix(r.URL.Path, "/disable/"); ok {
			s.change(w, r, s.changeUser(id, func(u *user) { s.disable("user.disabled", u) }))
		} else if id, ok := strings.CutPrefix(r.URL.Path, "/enable/"); ok {
			s.change(w, r, s.changeUser(id, s.enable))
		} else {
			http.NotFound(w, r)
		}
	}
}

// public answers at a path of Authgear's main server. Pages of every origin may read it.
func (s *Server) public(w http.ResponseWriter, r *http.Request, methods string, next http.HandlerFunc) {
	s.main(w, r, methods, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Max-Age", "900")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", methods)
		}
		if s.redirected(w, r) || r.Method == http.MethodOptions {
			return
		}
		next(w, r)
	})
}

// private answers at a path of Authgear's main server. The answer must not be stored.
func (s *Server) private(w http.ResponseWriter, r *http.Request, methods string, next http.HandlerFunc) {
	s.main(w, r, methods, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
		s.allowOrigin(w, r)
		if s.redirected(w, r) || r.Method == http.MethodOptions {
			return
		}
		next(w, r)
	})
}

// signingIn answers at a path that a browser is sent to.
func (s *Server) signingIn(w http.ResponseWriter, r *http.Request, methods string, next http.HandlerFunc) {
	s.main(w, r, methods, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
		if !s.redirected(w, r) && r.Method != http.MethodOptions {
			s.local(next)(w, r)
		}
	})
}

// local refuses a page that has rebound its own name to this address (DNS rebinding), since
// next hands out credentials. It also reads the form.
func (s *Server) local(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.owns(r.Host) {
			http.Error(w, "this is another host", http.StatusNotFound)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		err := r.ParseForm()
		if err == nil {
			err = checkLengths(r.Form)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		next(w, r)
	}
}

// locked holds s.mu while it gets an answer. It answers 500 when PostgreSQL or Redis is
// down.
func (s *Server) locked(answer func() http.HandlerFunc) http.HandlerFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.databaseDown() || s.redisDown {
		return func(w http.ResponseWriter, _ *http.Request) { writeFailure(w, http.StatusInternalServerError) }
	}
	return answer()
}

func (s *Server) main(w http.ResponseWriter, r *http.Request, methods string, next http.HandlerFunc) {
	allowed := append(strings.Split(methods, ", "), http.MethodOptions)
	if !slices.Contains(allowed, r.Method) {
		methodNotAllowed(w, allowed)
		return
	}
	if s.ours(r) && !validProto(r) {
		writeFailure(w, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	commonFields(h)
	h.Set("Vary", "User-Agent")
	if !s.ours(r) {
		writeError(w, http.StatusNotFound, "NotFound", "ResourceNotFound", "specified resource is not configured")
		return
	}
	nonce := ""
	if c, err := r.Cookie("csp_nonce"); err == nil {
		nonce = c.Value
	} else {
		nonce = randomString(32, crockford)
		c := &http.Cookie{Name: "csp_nonce", Value: nonce, Path: "/", HttpOnly: true}
		if requestProto(r) == "https" {
			c.Secure, c.SameSite = true, http.SameSiteNoneMode
		}
		http.SetCookie(w, c)
	}
	h.Set("Content-Security-Policy", "script-src 'self' https: 'nonce-"+nonce+"' 'strict-dynamic'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	next(w, r.WithContext(context.WithValue(r.Context(), nonceKey{}, nonce)))
}

type nonceKey struct{}

// nonce returns the nonce with which a page's scripts may run.
func nonce(r *http.Request) string { return r.Context().Value(nonceKey{}).(string) }

// redirected sends a request for another origin to the public one.
func (s *Server) redirected(w http.ResponseWriter, r *http.Request) bool {
	if requestOrigin(r) == s.Endpoint() {
		return false
	}
	target := *s.endpoint
	target.Path, target.RawQuery = r.URL.Path, r.URL.RawQuery
	http.Redirect(w, r, target.String(), http.StatusTemporaryRedirect)
	return true
}

// ours reports whether the host that a request asks for is the project's. The port does
// not matter. For a loopback endpoint both usual names count: localhost and 127.0.0.1.
func (s *Server) ours(r *http.Request) bool { return s.owns(requestHost(r)) }

func (s *Server) owns(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	local := []string{"127.0.0.1", "localhost"}
	name := s.endpoint.Hostname()
	return host == name || host == "["+name+"]" || slices.Contains(local, name) && slices.Contains(local, host)
}

// requestHost returns the host that a request asks for, as behind a trusted proxy.
func requestHost(r *http.Request) string {
	for _, name := range []string{"X-Forwarded-Host", "X-Original-Host"} {
		if host := r.Header.Get(name); host != "" {
			return host
		}
	}
	return r.Host
}

func requestProto(r *http.Request) string {
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		return proto
	}
	return "http"
}

func validProto(r *http.Request) bool {
	_, err := url.Parse(requestProto(r) + "://localhost")
	return err == nil
}

// requestOrigin returns the origin that a request asks for, as behind a trusted proxy.
func requestOrigin(r *http.Request) string { return requestProto(r) + "://" + requestHost(r) }
