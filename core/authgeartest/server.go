package authgeartest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
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
	// They send the Host of Endpoint, and for https "X-Forwarded-Proto: https".
	// Empty: the address that it listens on.
	Endpoint string
	// CookiePrefix precedes "session" in the session cookie's name.
	CookiePrefix string
	// CookieDomain is the Domain attribute of the session cookie. Empty: none.
	CookieDomain string
	// Clients are the project's OAuth clients. Empty: each client ID is a public
	// client whose redirect URIs are those of this machine (localhost, *.localhost
	// and loopback addresses). It is also a machine with any secret, any https
	// resource and any scopes.
	Clients []Client
	// AllowedOrigins are origins whose scripts may call, with cookies. The origins
	// of the clients' redirect URIs may too. If there are none of both: all
	// origins of this machine.
	AllowedOrigins []string
	// Seed lets a server with the same seed, endpoint and users know the tokens
	// and cookies of the server before: keys, logins, and the IDs of users that
	// are added without one, are derived from it. What happened to logins and
	// users since is forgotten, and so are anonymous users who signed up and app
	// sessions. Whoever knows the seed can forge any token. Empty: everything is
	// new.
	Seed string
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
	listener     net.Listener
	addr         string
	lifetime     time.Duration
	now          func() time.Time
	cookiePrefix string
	cookieDomain string
	clients      []Client
	origins      []string // origins whose scripts may call
	seed         seed
	lasting      bool // Config.Seed is set

	switching sync.Mutex // held while the server goes down or up, or closes
	accepting sync.WaitGroup
	sending   sync.WaitGroup
	open      context.Context // ends with Close
	close     context.CancelFunc

	mu         sync.Mutex
	keys       []*signingKey // published; the first one signs
	made       int           // how many keys were made
	users      map[string]*user
	added      int                 // how many users were added without an ID
	sessions   map[string]*session // by credential
	codes      map[string]*code
	handoffs   map[string]handoff   // by app session token
	promotions map[string]promotion // by code
	ended      map[string]bool      // login IDs, and opaque tokens
	signedOut  map[string]time.Time // when all sessions of a user ended, by user ID
	names      map[string]string    // client IDs, by the two bytes that seals have of them
	requests   map[string]int
	handlers   map[string]http.Handler
	failing    int
	slow       time.Duration
	closed     bool
	running    *running // nil while down
	faults
	events
}

// running is the part of a server that ends when it goes down.
type running struct {
	http     *http.Server
	listener *handover
	cancel   context.CancelFunc
	served   sync.WaitGroup // the goroutine that runs http.Serve

	mu       sync.Mutex
	inFlight int
	idle     chan struct{} // closed when inFlight gets to 0; nil: nobody waits
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
		clients:      slices.Clone(config.Clients),
		seed:         newSeed(config.Seed),
		lasting:      config.Seed != "",
		users:        make(map[string]*user),
		sessions:     make(map[string]*session),
		codes:        make(map[string]*code),
		handoffs:     make(map[string]handoff),
		promotions:   make(map[string]promotion),
		ended:        make(map[string]bool),
		signedOut:    make(map[string]time.Time),
		names:        make(map[string]string),
		requests:     make(map[string]int),
		handlers:     make(map[string]http.Handler),
	}
	err := checkClients(s.clients)
	if err == nil {
		s.origins, err = originsOf(config)
	}
	if err != nil {
		return nil, err
	}
	s.name(clientID(""))
	for _, c := range s.clients {
		s.name(c.ID)
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
		if s.endpoint, err = parseOrigin("Endpoint", config.Endpoint); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("authgeartest: %w", err)
	}
	s.listener, s.addr = listener, listener.Addr().String()
	if s.endpoint == nil {
		s.endpoint = &url.URL{Scheme: "http", Host: s.addr}
	}
	s.open, s.close = context.WithCancel(context.Background())
	s.sender.Transport, s.attempts = &http.Transport{MaxConnsPerHost: maxConns}, make(chan struct{}, maxAttempts)
	s.keys = []*signingKey{s.newKey()}
	s.running = s.serve()
	s.accepting.Go(s.accept)
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

func parseOrigin(field, origin string) (*url.URL, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, fmt.Errorf("authgeartest: Config.%s: %w", field, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Scheme+"://"+u.Host != origin {
		return nil, fmt.Errorf("authgeartest: Config.%s: %q is not an origin such as https://auth.example.com", field, origin)
	}
	return u, nil
}

// Endpoint is the public origin, and the issuer of tokens. Give it to the
// service under test as its Authgear endpoint.
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
	s.close() // ends the sending of events
	s.stop()
	_ = s.listener.Close() // a second Close does no harm
	s.accepting.Wait()
	s.sending.Wait()
	s.sender.CloseIdleConnections()
}

// stop ends the running HTTP server, if there is one. The caller holds s.switching.
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

func (s *Server) serve() *running {
	ctx, cancel := context.WithCancel(context.Background())
	run := &running{
		cancel:   cancel,
		listener: &handover{s.listener.Addr(), make(chan net.Conn), make(chan struct{})},
	}
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
	run.served.Go(func() { _ = run.http.Serve(run.listener) })
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

// wait returns when no handler runs any more, at the latest after most.
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
