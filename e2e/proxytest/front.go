package proxytest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fronted is the recorder as backend, with the project behind an nginx, as Authgear may
// be. This nginx speaks HTTP/2 and has its own limits: a header that is too long for it
// ends the connection, with all requests on it.
const fronted = "recorder, Authgear behind HTTP/2"

const front = `worker_processes 1; pid %[1]s/front.pid; error_log stderr crit;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	server {
		listen %[2]s ssl http2;
		ssl_certificate %[1]s/front.pem;
		ssl_certificate_key %[1]s/front.pem;
		location / {
			proxy_http_version 1.1;
			proxy_set_header Host $http_host;
			proxy_pass https://%[3]s;
		}
	}
}`

// startFront starts this nginx with its files in the folder, and returns its address.
func (s *suite) startFront(t *testing.T, dir string) string {
	t.Helper()
	program, missing := Proxy{Program: "nginx"}.find()
	if missing != "" {
		t.Skip("nginx is missing: install it to run this test")
	}
	certificate := s.authority.certificate(t, Project)
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	files := slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	if err := os.WriteFile(filepath.Join(dir, "front.pem"), files, 0o600); err != nil {
		t.Fatal(err)
	}
	config, said := filepath.Join(dir, "front.conf"), &programLog{}
	for range 3 { // a free port may be taken by another program, but not three times
		addr := freeAddress(t)
		if err := os.WriteFile(config, fmt.Appendf(nil, front, dir, addr, s.resolver.addr), 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(program, "-g", "daemon off;", "-c", config)
		command.Stdout, command.Stderr = said, said
		if s.authority.serves(addr, start(t, "front", command, said)) {
			return addr
		}
	}
	t.Fatalf("nginx ends by itself: %s", said)
	return ""
}

// serves waits until a server with a certificate of this authority listens. It returns
// false if the server has ended.
func (a *authority) serves(addr string, ended <-chan struct{}) bool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.pem())
	for {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", addr, &tls.Config{RootCAs: roots, ServerName: Project})
		if err == nil {
			_ = conn.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// oversize: credentials that are too large for Authgear harm no other client.
func (s *suite) oversize(t *testing.T) {
	headers := [][]string{{bearer(s.token(s.alice))}, {"Cookie: " + s.cookie(s.bob)}, nil}
	sent := make(chan struct{})
	var others sync.WaitGroup
	for i := range 8 {
		others.Go(func() {
			for {
				select {
				case <-sent:
					return
				default:
				}
				answers, err := send(s.addr, slices.Repeat([]request{{path: "/me", headers: headers[i%len(headers)]}}, 10)...)
				if err != nil {
					t.Error(err)
				}
				for _, got := range answers {
					if got.status != http.StatusOK {
						t.Errorf("another one's answer: %d %s", got.status, got.body)
					}
				}
			}
		})
	}
	for range 14 {
		got, err := request{path: "/me", headers: []string{bearer(strings.Repeat("x", 12<<10))}}.send(s.addr)
		if err != nil || got.status == http.StatusOK {
			t.Errorf("the large token's answer: %+v, %v", got, err)
		}
		time.Sleep(time.Second / 9)
	}
	close(sent)
	others.Wait()
}
