package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// hostOf returns the host name of an origin.
func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func dnsText(host string, err error) string {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return "there is no host of the name " + quote.Quote(host)
	}
	return "the name " + quote.Quote(host) + " cannot be looked up: " + err.Error()
}

func dnsFix(asked, host string) string {
	if asked != host {
		return "It is the egress proxy of HTTPS_PROXY or HTTPClient: mend its address."
	}
	return "Look at the spelling, and at DNS on this machine; in a container, at the container's. A custom domain needs its record at your DNS provider."
}

// tlsProblem says what is wrong with a handshake, and what to do.
func tlsProblem(err error, now time.Time) (detail, fix string) {
	const inspect = "For a private CA, or a proxy that looks into TLS, give HTTPClient a transport with its certificate, or name its file in SSL_CERT_FILE. A container image without certificates needs the package ca-certificates."
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && string(e.RecordHeader[:]) == "HTTP/" {
		return "the port speaks plain HTTP, not HTTPS", "Write the port of HTTPS, or http:// where that is meant, with InsecureHTTP for other than loopback addresses."
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("the certificate is for %s, not for %s", namesOf(e.Certificate), e.Host),
			"Set Endpoint to a name of the certificate. Where Authgear is reached by another name or address, Endpoint stays the public origin and InternalURL is that other one: TLS is verified against InternalURL's own name."
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		if now.Before(e.Cert.NotBefore) {
			return fmt.Sprintf("the certificate is good from %s; the clock of this machine says %s", e.Cert.NotBefore.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
				"Look at the clock of this machine."
		}
		return fmt.Sprintf("the certificate has expired at %s; the clock of this machine says %s", e.Cert.NotAfter.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
			"Renew the certificate, if the clock of this machine is right."
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		issuer := "somebody"
		if e.Cert != nil {
			issuer = quote.Quote(e.Cert.Issuer.CommonName)
		}
		return "the certificate is issued by " + issuer + ", which this machine does not know", inspect
	}
	if _, ok := errors.AsType[x509.SystemRootsError](err); ok {
		return "this machine has no certificates of authorities", inspect
	}
	return err.Error(), "Look at whether the port speaks HTTPS, and at what stands between."
}

// namesOf returns the names that a certificate is for.
func namesOf(certificate *x509.Certificate) string {
	names := certificate.DNSNames
	for _, ip := range certificate.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no name"
	}
	return quote.Quote(strings.Join(names, " "))
}
