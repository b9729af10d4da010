package authgeartest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config configures [Start] and [New]. Its zero value is right for most uses.
type Config struct {
	// Addr is the address to listen on, a loopback one. Empty: "127.0.0.1:0",
	// a free port.
	Addr string
	// Lifetime is that of access tokens. 0: 30 minutes.
	Lifetime time.Duration
	// Now is the server's clock. It is called by several goroutines at once.
	// nil: time.Now.
	Now func() time.Time
	// Endpoint is the public origin that the server claims to be, such as
	// "https://auth.example.com", for clients that reach it by another address.
	// They send its Host, and for https "X-Forwarded-Proto: https". Empty: the
	// address that it listens on.
	Endpoint string
	// CookiePrefix precedes "session" in the session cookie's name.
	CookiePrefix string
	// CookieDomain is the Domain attribute of the session cookie. Empty: none.
	CookieDomain string
}

// TB is the part of testing.TB that [New] needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Server is a running development Authgear. All methods may be called by
// several goroutines at once. A method that is given a user ID panics if there
// is no such user.
type Server struct {
	endpoint     *url.URL
	addr         string
	lifetime     time.Duration
	now          func() time.Time
	cookiePrefix string
	cookieDomain string

	switching sync.Mutex // held while going down, up or closing

	mu       sync.Mutex
	keys     []*signingKey // published; the first one signs
	users    map[string]*user
	sessions map[string]*session // by credential
	requests map[string]int
	handlers map[string]http.Handler
	failing  int
	slow     time.Duration
	outage   bool
	closed   bool
	running  *running // nil while down
}

// running is the part of a server that ends when it goes down.
type running struct {
	http   *http.Server
	cancel context.CancelFunc
	served sync.WaitGroup // the accept loop

	mu       sync.Mutex
	inFlight int
	idle     chan struct{} // not nil: closed when inFlight gets to 0
}

// New starts a server for a test and closes it at the test's end. At most one
// config is used.
func New(tb TB, config ...Config) *Server {
	tb.Helper()
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	s, err := Start(c)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server with a new key and without users. [Server.Close] stops
// it.
func Start(config Config) (*Server, error) {
	s := &Server{
		lifetime:     config.Lifetime,
		now:          config.Now,
		cookiePrefix: config.CookiePrefix,
		cookieDomain: config.CookieDomain,
		users:        make(map[string]*user),
		sessions:     make(map[string]*session),
		requests:     make(map[string]int),
		handlers:     make(map[string]http.Handler),
	}
	if s.lifetime < 0 {
		return nil, errors.New("authgeartest: Config.Lifetime is negative")
	}
	if s.lifetime == 0 {
		s.lifetime = 30 * time.Minute
	}
	if s.now == nil {
		s.now = time.Now
	}
	addr, err := loopbackAddr(config.Addr)
	if err != nil {
		return nil, err
	}
	if config.Endpoint != "" {
		if s.endpoint, err = parseOrigin(config.Endpoint); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("authgeartest: %w", err)
	}
	s.addr = listener.Addr().String()
	if s.endpoint == nil {
		s.endpoint = &url.URL{Scheme: "http", Host: s.addr}
	}
	s.keys = []*signingKey{newKey(s.now())}
	s.running = s.serve(listener)
	return s, nil
}

func loopbackAddr(addr string) (string, error) {
	if addr == "" {
		return "127.0.0.1:0", nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("authgeartest: Config.Addr: %w", err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", fmt.Errorf("authgeartest: Config.Addr: %q is not a loopback address", addr)
	}
	return net.JoinHostPort(host, port), nil
}

func parseOrigin(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("authgeartest: Config.Endpoint: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Scheme+"://"+u.Host != endpoint {
		return nil, fmt.Errorf("authgeartest: Config.Endpoint: %q is not an origin such as https://auth.example.com", endpoint)
	}
	return u, nil
}

// Endpoint is the public origin, the issuer of tokens: what a service under
// test is given as its Authgear endpoint.
func (s *Server) Endpoint() string { return s.endpoint.String() }

// URL is where the server listens, such as "http://127.0.0.1:41953". It differs
// from [Server.Endpoint] only if [Config] says so.
func (s *Server) URL() string { return "http://" + s.addr }

// Close stops the server. It closes every connection and waits up to five
// seconds for handlers to return. Further calls do nothing.
func (s *Server) Close() {
	s.switching.Lock()
	defer s.switching.Unlock()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
}

// stop ends what runs, if anything does. The caller holds s.switching.
func (s *Server) stop() {
	s.mu.Lock()
	run := s.running
	s.running = nil
	s.mu.Unlock()
	if run == nil {
		return
	}
	run.cancel()
	_ = run.http.Close()
	run.served.Wait()
	run.wait(5 * time.Second)
}

func (s *Server) serve(listener net.Listener) *running {
	ctx, cancel := context.WithCancel(context.Background())
	run := &running{cancel: cancel}
	run.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			run.enter()
			defer run.leave()
			s.answer(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: time.Minute,
	}
	run.served.Go(func() { _ = run.http.Serve(listener) })
	return run
}

func (run *running) enter() {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.inFlight++
}

func (run *running) leave() {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.inFlight--
	if run.inFlight == 0 && run.idle != nil {
		close(run.idle)
		run.idle = nil
	}
}

// wait returns when no handler runs any more, or after at most the given time.
func (run *running) wait(most time.Duration) {
	run.mu.Lock()
	if run.inFlight == 0 {
		run.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	run.idle = idle
	run.mu.Unlock()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// answer counts a request and answers it as the levers say.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests[r.URL.Path]++
	slow := s.slow
	s.mu.Unlock()
	if slow > 0 {
		timer := time.NewTimer(slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
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
	default:
		http.NotFound(w, r)
	}
}

// public answers at a path of the main server that every origin may read.
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

// private answers at a path of the main server that must not be stored.
func (s *Server) private(w http.ResponseWriter, r *http.Request, methods string, next http.HandlerFunc) {
	s.main(w, r, methods, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
		h.Add("Vary", "Origin")
		if s.redirected(w, r) || r.Method == http.MethodOptions {
			return
		}
		next(w, r)
	})
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
	next(w, r)
}

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

// ours says whether the project owns the host that a request asks for. The port
// does not matter. A loopback endpoint is known by both its usual names.
func (s *Server) ours(r *http.Request) bool {
	host := requestHost(r)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	local := []string{"127.0.0.1", "localhost"}
	name := s.endpoint.Hostname()
	return host == name || host == "["+name+"]" || slices.Contains(local, name) && slices.Contains(local, host)
}

// requestHost is the host that a request asks for, as behind a trusted proxy.
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

// requestOrigin is the origin that the server believes a request to be for.
func requestOrigin(r *http.Request) string { return requestProto(r) + "://" + requestHost(r) }

const permissionsPolicy = "accelerometer=(), ambient-light-sensor=(), autoplay=*, battery=(), bluetooth=(), browsing-topics=(), " +
	"camera=(), display-capture=(), document-domain=(), encrypted-media=(), execution-while-not-rendered=*, " +
	"execution-while-out-of-viewport=*, fullscreen=*, gamepad=(), geolocation=(), gyroscope=(), hid=(), " +
	"identity-credentials-get=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), " +
	"otp-credentials=(), payment=(), picture-in-picture=(), publickey-credentials-create=(self), " +
	"publickey-credentials-get=(self), screen-wake-lock=(), serial=(), speaker-selection=(), storage-access=(), " +
	"usb=(), web-share=(), window-management=(), xr-spatial-tracking=()"

func commonFields(h http.Header) {
	h.Set("Permissions-Policy", permissionsPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

func methodNotAllowed(w http.ResponseWriter, allowed []string) {
	slices.Sort(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func writeFailure(w http.ResponseWriter, status int) {
	writeError(w, status, "InternalError", "UnexpectedError", "unexpected error occurred")
}

// writeError writes the error body that Authgear writes for itself.
func writeError(w http.ResponseWriter, status int, name, reason, message string) {
	type apiError struct {
		Name       string `json:"name"`
		Reason     string `json:"reason"`
		Message    string `json:"message"`
		Code       int    `json:"code"`
		TrackingID string `json:"tracking_id"`
	}
	body, _ := json.Marshal(map[string]apiError{
		"error": {name, reason, message, status, randomHex(16) + "-" + randomHex(8)},
	})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

const (
	crockford    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func randomString(n int, alphabet string) string {
	random := make([]byte, n)
	_, _ = rand.Read(random)
	for i, b := range random {
		random[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(random)
}

func randomHex(n int) string {
	random := make([]byte, n)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

func newUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
