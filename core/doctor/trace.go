package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// trace notes how a request gets to its server, so that the very connections of the SDK
// are looked at, with its client's proxy and certificates.
type trace struct {
	mu        sync.Mutex // what runs into a time-out goes on for a moment
	begun     bool
	host      string // what DNS was asked for
	dnsEnded  bool
	addresses []string
	dns       error
	dialled   string
	connected bool
	connect   error
	tlsBegun  bool
	tlsEnded  bool
	state     tls.ConnectionState
	tls       error
}

// follow returns a context for the first request; further ones are not looked at.
func (t *trace) follow(ctx context.Context) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun {
		return ctx
	}
	t.begun = true
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(info httptrace.DNSStartInfo) { t.note(func() { t.host = info.Host }) },
		DNSDone: func(info httptrace.DNSDoneInfo) {
			t.note(func() {
				t.dnsEnded, t.dns = true, info.Err
				for _, address := range info.Addrs {
					t.addresses = append(t.addresses, address.String())
				}
			})
		},
		ConnectStart: func(_, address string) { t.note(func() { t.dialled = address }) },
		ConnectDone: func(_, address string, err error) {
			t.note(func() {
				if err != nil {
					t.connect = err
				} else if !t.connected {
					t.connected, t.dialled = true, address
				}
			})
		},
		TLSHandshakeStart: func() { t.note(func() { t.tlsBegun = true }) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			t.note(func() { t.tlsEnded, t.state, t.tls = true, state, err })
		},
	})
}

func (t *trace) note(what func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	what()
}

// lookAtWay adds the steps dns, connection and tls of the way to an origin. It returns the
// name of the step that has failed, or "" if none has.
func (e *examination) lookAtWay(t *trace, prefix, origin string) (failed string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &e.Report
	dns, connection, handshake := prefix+"dns", prefix+"connection", prefix+"tls"
	secure := strings.HasPrefix(origin, "https:")
	host := hostOf(origin)
	if !t.connected && e.skipCut(authgear.ReasonKeysUnavailable, dns, connection, handshake) {
		return ""
	}
	if t.host == "" && t.dialled == "" {
		r.skip("HTTPClient connects by itself, which was not seen", dns, connection, handshake)
		return ""
	}
	if t.host != "" && !t.dnsEnded {
		t.dns = errors.New("no answer in time")
	}
	switch {
	case t.dns != nil:
		r.add(dns, StatusFailed, dnsText(t.host, t.dns), dnsFix(t.host, host))
		r.skip("not looked at, since "+dns+" has failed", connection, handshake)
		return dns
	case t.host == "":
		r.ok(dns, "an address, which needs no DNS")
	case t.host != host:
		r.ok(dns, "%s, an egress proxy, is %s", t.host, strings.Join(t.addresses, ", "))
	default:
		r.ok(dns, "%s is %s", host, strings.Join(t.addresses, ", "))
	}
	if !t.connected {
		r.add(connection, StatusFailed, connectText(cmp.Or(t.dialled, host), t.connect), "Look at the address and its port, at whether something listens there, and at firewalls between. If the network needs an egress proxy, set HTTPS_PROXY or HTTPClient.")
		r.skip("not looked at, since "+connection+" has failed", handshake)
		return connection
	}
	r.ok(connection, "%s answers", t.dialled)
	switch {
	case !secure:
		r.skip("plain HTTP, for tests and trusted networks only", handshake)
	case t.tlsEnded && t.tls == nil:
		r.ok(handshake, "%s, certificate until %s", tls.VersionName(t.state.Version), t.state.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly))
	case t.tls != nil:
		detail, fix := tlsProblem(t.tls, time.Now())
		r.add(handshake, StatusFailed, detail, fix)
		return handshake
	case t.tlsBegun:
		r.add(handshake, StatusFailed, "the handshake does not end", "Look at whether the port speaks HTTPS, and at what stands between.")
		return handshake
	default: // an egress proxy that does not connect
		r.skip("not seen", handshake)
	}
	return ""
}

func connectText(address string, err error) string {
	if err == nil {
		return "no answer from " + address
	}
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return "no answer from " + address + " in time"
	}
	return err.Error()
}
