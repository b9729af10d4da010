package proxytest

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault sends a credential for which the resolver fails.
func (s *suite) fault(t *testing.T, fault string) {
	s.unavailable(t, request{path: "/public", headers: []string{bearer("fault-" + fault)}}, fault)
}

// hangs: the proxy stops waiting after at most 5 s, as its file says. A busy machine adds
// some seconds. Without that line of the file, a proxy would wait for 30 s or more.
func (s *suite) hangs(t *testing.T) {
	var waiting sync.WaitGroup
	for _, fault := range []string{"hang", "hang-after-status"} {
		waiting.Go(func() {
			t.Run(fault, func(t *testing.T) {
				began := time.Now()
				s.fault(t, fault)
				if took := time.Since(began); took > 25*time.Second {
					t.Errorf("answered after %v", took)
				}
			})
		})
	}
	waiting.Wait()
}

func (s *suite) faults(t *testing.T) {
	faults := []string{"500", "502", "503", "404", "400", "401", "403", "405", "301", "302", "307", "reset"}
	if !s.proxy.AnySuccess {
		faults = append(faults, "201", "204")
	}
	for _, fault := range faults {
		t.Run(fault, func(t *testing.T) { s.fault(t, fault) })
	}
}

// silent: if the resolver's answer says nothing about a credential, nobody is signed
// out.
func (s *suite) silent(t *testing.T) {
	for _, path := range []string{"/me", "/public"} {
		for header, sent := range map[string]want{
			bearer("fault-silent"):         {authorization: "Bearer fault-silent"},
			"Cookie: session=fault-silent": {cookie: "session=fault-silent"},
		} {
			sent.status, sent.err = http.StatusServiceUnavailable, "temporarily_unavailable"
			mark := s.mark()
			got, err := request{path: path + mark, headers: []string{header}}.send(s.addr)
			if err != nil {
				t.Fatal(err)
			}
			s.checkAnswer(t, got, sent)
			s.checkBackend(t, s.found(t, mark), sent)
		}
	}
}

// unavailable expects the answer of a proxy that cannot tell who sent the request.
func (s *suite) unavailable(t *testing.T, r request, fault string) {
	t.Helper()
	mark := s.mark()
	r.path += mark
	got, err := r.send(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	wanted := []int{http.StatusServiceUnavailable}
	if s.proxy.PassesFailure {
		wanted = passed(fault)
	}
	if !slices.Contains(wanted, got.status) || got.header.Get("Retry-After") != "5" {
		t.Errorf("answer %d, Retry-After %q, want one of %v: %s", got.status, got.header.Get("Retry-After"), wanted, got.body)
	}
	for name := range got.header {
		if strings.HasPrefix(name, "X-Authgear-") && !s.proxy.PassesFailure {
			t.Errorf("the client got %s", name)
		}
	}
	if found := s.relay.find(mark); len(found) > 0 {
		t.Errorf("the backend got %+v", found)
	}
}

// passed returns the statuses of a proxy that passes on the resolver's failures.
func passed(fault string) []int {
	switch fault {
	case "reset", "down": // the status depends on how the connection is lost
		return []int{http.StatusInternalServerError, http.StatusBadGateway}
	case "hang", "hang-after-status":
		return []int{http.StatusGatewayTimeout}
	}
	status, _ := strconv.Atoi(fault)
	return []int{status}
}

func (s *suite) down(t *testing.T) {
	alice := s.token(s.alice)
	credentials := map[string][]string{"token": {bearer(alice)}, "cookie": {"Cookie: " + s.cookie(s.alice)}, "none": nil}
	s.resolver.setDown(true)
	for kind, headers := range credentials {
		for _, path := range []string{"/me", "/public"} {
			t.Run(kind+" "+path, func(t *testing.T) {
				s.unavailable(t, request{path: path, headers: append(forgedHeaders(), headers...)}, "down")
			})
		}
	}
	s.resolver.setDown(false)
	t.Run("resolver is back", func(t *testing.T) {
		// The proxy recovers at once, or after a pause.
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			got, err := request{path: "/me", headers: credentials["token"]}.send(s.addr)
			if err != nil {
				t.Fatal(err)
			}
			if got.status < 500 || time.Now().After(deadline) {
				break
			}
		}
		s.ask(t, request{path: "/me", headers: credentials["token"]}, want{
			status: 200, user: "alice", roles: []string{"admin", "editor"}, authorization: "Bearer " + alice, forwarded: "alice",
		})
	})
}

// foreignCertificates: an answer counts only from a server with the project's
// certificate.
func (s *suite) foreignCertificates(t *testing.T) {
	alice := request{path: "/me", headers: []string{bearer(s.token(s.alice))}}
	for name, certificate := range map[string]tls.Certificate{
		"of another authority": newAuthority(t).certificate(t, Project),
		"for another name":     s.authority.certificate(t, "other."+Project),
	} {
		t.Run(name, func(t *testing.T) {
			s.resolver.setCertificate(certificate)
			before := s.resolver.count()
			s.unavailable(t, alice, "down")
			if calls := s.resolver.since(before); len(calls) > 0 {
				t.Errorf("the server got %+v", calls)
			}
		})
	}
}
