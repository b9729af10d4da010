package proxytest

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// resolver is the project at https://myapp.authgear.cloud. A credential that
// begins with "fault-" makes it fail for this request alone, so that tests of faults
// run beside others.
type resolver struct {
	project *authgeartest.Server
	addr    string

	mu          sync.Mutex
	asked       []asked
	down        bool
	certificate tls.Certificate
	conns       map[net.Conn]bool
}

// asked is a request as it reached the resolver.
type asked struct {
	method, target, proto, host, serverName string
	header                                  http.Header
	trailer                                 http.Header
	body                                    string
	encoding                                []string
}

func newResolver(t *testing.T, certificate tls.Certificate) *resolver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &resolver{
		project:     authgeartest.New(t, authgeartest.Config{Endpoint: "https://" + Project}),
		addr:        listener.Addr().String(),
		certificate: certificate,
		conns:       make(map[net.Conn]bool),
	}
	server := &http.Server{
		Handler: r,
		TLSConfig: &tls.Config{
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				r.mu.Lock()
				defer r.mu.Unlock()
				return &r.certificate, nil
			},
			SessionTicketsDisabled: true, // a resumed session shows no certificate
		},
		ErrorLog: log.New(io.Discard, "", 0), // it would log handshakes that are cut off while the resolver is down
		ConnState: func(conn net.Conn, state http.ConnState) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if state == http.StateClosed || state == http.StateHijacked {
				delete(r.conns, conn.(*tls.Conn).NetConn())
			}
		},
	}
	go func() { _ = server.ServeTLS(gate{listener, r}, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	return r
}

// gate resets connections while the resolver is down. The port stays bound, since
// another program might take it.
type gate struct {
	net.Listener
	resolver *resolver
}

func (g gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if g.resolver.admits(conn) {
			return conn, nil
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
}

// admits reports whether the resolver is up. If it is, admits notes the connection, which
// is reset when the resolver goes down.
func (r *resolver) admits(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.down {
		r.conns[conn] = true
	}
	return !r.down
}

// setDown makes the resolver reset all connections, new ones too, or ends this.
func (r *resolver) setDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
	if down {
		r.reset()
	}
}

// setCertificate changes the certificate of new connections, and resets the old ones.
func (r *resolver) setCertificate(certificate tls.Certificate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.certificate = certificate
	r.reset()
}

// reset resets all connections. The caller holds r.mu.
func (r *resolver) reset() {
	for conn := range r.conns {
		tcp := conn.(*net.TCPConn)
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
	}
}

func (r *resolver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	credential, found := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	if cookie, err := request.Cookie("session"); err == nil && !found {
		credential = cookie.Value
	}
	fault, faulty := strings.CutPrefix(credential, "fault-")
	r.mu.Lock()
	if !faulty {
		r.asked = append(r.asked, asked{
			request.Method, request.RequestURI, request.Proto, request.Host, request.TLS.ServerName,
			request.Header.Clone(), request.Trailer.Clone(), string(body), request.TransferEncoding,
		})
	}
	r.mu.Unlock()
	if faulty {
		fail(w, request, fault)
		return
	}
	r.project.ServeHTTP(w, request)
}

// fail answers as the fault says. Whatever the status, the answer has the headers of an
// identity, which must not count.
func fail(w http.ResponseWriter, r *http.Request, fault string) {
	if fault == "silent" { // as if its database failed in the middle
		return
	}
	h := w.Header()
	h.Set("X-Authgear-Session-Valid", "true")
	h.Set("X-Authgear-User-Id", "mallory")
	h.Set("X-Authgear-User-Anonymous", "false")
	h.Set("X-Authgear-User-Verified", "true")
	h.Set("X-Authgear-User-Can-Reauthenticate", "true")
	h.Set("X-Authgear-User-Roles", "admin")
	switch fault {
	case "hang":
		<-r.Context().Done()
	case "hang-after-status":
		if hijacker, ok := w.(http.Hijacker); ok { // not possible with HTTP/2
			conn, _, err := hijacker.Hijack()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Authgear-Session-Valid: true\r\n")
			_, _ = conn.Read(make([]byte, 1)) // until the proxy gives up
			return
		}
		<-r.Context().Done()
	case "reset":
		panic(http.ErrAbortHandler)
	default:
		status, err := strconv.Atoi(fault)
		if err != nil {
			panic("no such fault: " + fault)
		}
		if status/100 == 3 {
			h.Set("Location", "https://"+Project+"/_resolver/resolve")
		}
		w.WriteHeader(status)
	}
}

// since returns the requests after the first n.
func (r *resolver) since(n int) []asked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]asked(nil), r.asked[n:]...)
}

func (r *resolver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}
