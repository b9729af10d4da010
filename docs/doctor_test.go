package docs

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// movedProject is a project after its custom domain was switched. It answers as an
// http.RoundTripper.
type movedProject struct{ t *testing.T }

func (p movedProject) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.DNSStart != nil {
		trace.DNSStart(httptrace.DNSStartInfo{Host: r.URL.Host})
		trace.DNSDone(httptrace.DNSDoneInfo{Addrs: []net.IPAddr{{IP: net.IPv4(192, 0, 2, 7)}}})
		trace.ConnectStart("tcp", "192.0.2.7:443")
		trace.ConnectDone("tcp", "192.0.2.7:443", nil)
		trace.TLSHandshakeStart()
		trace.TLSHandshakeDone(tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{
			{NotAfter: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)},
		}}, nil)
	}
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}, Request: r}
	body := ""
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		body = `{"issuer":"https://login.example.com"}`
	case "/_resolver/resolve":
		answer.Header.Set("X-Authgear-Session-Valid", "false")
		answer.Header.Set("Set-Cookie", "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure")
	default:
		p.t.Errorf("%s was asked for", r.URL)
	}
	answer.Body = io.NopCloser(strings.NewReader(body))
	return answer, nil
}

// The report in the document is exactly what the doctor writes.
func TestDoctorsReport(t *testing.T) {
	report := doctor.Run(t.Context(), doctor.Config{
		Endpoint: "https://myapp.authgear.cloud", HTTPClient: &http.Client{Transport: movedProject{t}},
	}).String()
	for _, block := range blocks(read(t, "doctor.md")) {
		if block.text == report {
			return
		}
	}
	t.Errorf("doctor.md does not have this report:\n%s", report)
}
