package doctor_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
	"github.com/authgear/authgear-sdk-go/core/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// find returns the step with that name.
func find(t *testing.T, r doctor.Report, name string) doctor.Step {
	t.Helper()
	for _, step := range r.Steps {
		if step.Name == name {
			return step
		}
	}
	t.Fatalf("no step %s:\n%s", name, r)
	return doctor.Step{}
}

// wantStep looks for a step with this status that says all of these texts, in detail or
// fix.
func wantStep(t *testing.T, r doctor.Report, name string, status doctor.Status, says ...string) {
	t.Helper()
	step := find(t, r, name)
	if step.Status != status {
		t.Errorf("%s is %s, not %s:\n%s", name, step.Status, status, r)
	}
	if status == doctor.StatusFailed && r.OK() {
		t.Errorf("OK() although %s has failed:\n%s", name, r)
	}
	if status == doctor.StatusFailed && name != "jwt" && name != "session" && step.Fix == "" {
		t.Errorf("%s fails without a fix", name)
	}
	for _, text := range says {
		if !strings.Contains(step.Detail+" "+step.Fix, text) {
			t.Errorf("%s does not say %q:\n%s", name, text, r)
		}
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	for endpoint, says := range map[string]string{
		"":                               "is empty",
		"myapp.authgear.cloud":           "write https://myapp.authgear.cloud",
		"https://myapp.authgear.cloud/x": "write scheme and host only: https://myapp.authgear.cloud",
		"http://myapp.authgear.cloud":    "use https",
		"https://u:secret@myapp.test":    "user information",
	} {
		r := doctor.Run(t.Context(), doctor.Config{Endpoint: endpoint})
		wantStep(t, r, "endpoint", doctor.StatusFailed, says)
		if len(r.Steps) != 1 || strings.Contains(r.String(), "secret") {
			t.Errorf("%q:\n%s", endpoint, r)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	r := doctor.Run(t.Context(), doctor.Config{Endpoint: "https://a.test", Resources: []string{"api"}, Cookies: []string{"a b"}, Leeway: time.Hour})
	wantStep(t, r, "options", doctor.StatusFailed, "Resources: ", "Cookies: ", "Leeway: ")
}

// A browser sends no cookie to another host, and no Secure cookie by plain HTTP (RFC 6265
// §5.4). The service cannot notice that.
func TestCookieDomain(t *testing.T) {
	t.Parallel()
	const ok, failed, gets = doctor.StatusOK, doctor.StatusFailed, "the service gets it"
	for name, c := range map[string]struct {
		endpoint, domain, service string
		status                    doctor.Status
		says                      string
	}{
		"host only":            {"", "", "", ok, `to no host but "127.0.0.1"`},
		"its own host":         {"", "", "http://127.0.0.1:8080", ok, gets},
		"another host":         {"", "", "https://api.example.com", failed, `the service at "https://api.example.com" never gets it`},
		"below the host":       {"http://localhost", "", "http://api.localhost", failed, "http.cookie_domain"},
		"below the domain":     {"", "example.com", "https://api.example.com/x", ok, `at and below "example.com"`},
		"the domain":           {"", "example.com", "https://example.com", ok, gets},
		"beside the domain":    {"", "example.com", "https://badexample.com", failed, "never gets it"},
		"in capitals":          {"", "Example.com", "HTTPS://API.Example.COM", ok, gets},
		"without a scheme":     {"", "example.com", "api.example.com", failed, `"api.example.com" is not an origin`},
		"with a password":      {"", "example.com", "https://u:hunter2@api.example.com", failed, `"***@api.example.com" is not an origin`},
		"HTTPS for both":       {"https://auth.example.com", "example.com", "https://api.example.com", ok, gets},
		"HTTP for both":        {"", "example.com", "http://api.example.com", ok, gets},
		"HTTP for the service": {"https://auth.example.com", "example.com", "http://api.example.com", failed, "by HTTPS only"},
		"HTTP, this machine":   {"https://auth.app.localhost", "app.localhost", "http://api.app.localhost:8080", ok, gets}, // RFC 6761 §6.3
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := authgeartest.New(t, authgeartest.Config{Endpoint: c.endpoint, CookieDomain: c.domain})
			r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint(), InternalURL: s.URL(), Service: c.service})
			wantStep(t, r, "cookie_domain", c.status, c.says)
			if strings.Contains(r.String(), "hunter2") {
				t.Errorf("the password is shown:\n%s", r)
			}
		})
	}
}

// A project's answers may be wrong in many ways. Each has a step and a fix.
func TestProject(t *testing.T) {
	t.Parallel()
	const discovery, jwks, resolver = "/.well-known/openid-configuration", "/oauth2/jwks", "/_resolver/resolve"
	answer := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	handle := func(path string, h http.Handler) func(*authgeartest.Server) {
		return func(s *authgeartest.Server) { s.Handle(path, h) }
	}
	for name, c := range map[string]struct {
		fault  func(*authgeartest.Server)
		step   string
		status doctor.Status
		says   []string
	}{
		"well":               {step: "keys", status: doctor.StatusOK, says: []string{"kid"}},
		"clock is right":     {step: "clock", status: doctor.StatusOK},
		"down":               {fault: func(s *authgeartest.Server) { s.SetDown(true) }, step: "cookie_name", status: doctor.StatusSkipped, says: []string{"has failed"}},
		"404":                {fault: handle(discovery, answer(404, "{}")), step: "discovery", status: doctor.StatusFailed, says: []string{"status 404", "compare Endpoint"}},
		"503":                {fault: handle(discovery, answer(503, "")), step: "discovery", status: doctor.StatusFailed, says: []string{"status 503", "not well"}},
		"400 of a TLS port":  {fault: handle(discovery, answer(400, "")), step: "discovery", status: doctor.StatusFailed, says: []string{"write https://"}},
		"403":                {fault: handle(discovery, answer(403, "")), step: "discovery", status: doctor.StatusFailed, says: []string{"stands between"}},
		"a web page":         {fault: handle(discovery, answer(200, "<html>")), step: "discovery", status: doctor.StatusFailed, says: []string{"a web page", "Something else than Authgear"}},
		"a redirect":         {fault: handle(discovery, answer(307, "", "Location", "https://login.example.com/x?secret")), step: "discovery", status: doctor.StatusFailed, says: []string{"a redirect to https://login.example.com,", "public origin"}},
		"another issuer":     {fault: handle(discovery, answer(200, `{"issuer":"https://login.example.com"}`)), step: "issuer", status: doctor.StatusFailed, says: []string{`the issuer is "https://login.example.com", the endpoint is http://127`, "custom domain"}},
		"keys elsewhere":     {fault: handle(jwks, answer(404, "")), step: "keys", status: doctor.StatusFailed, says: []string{"status 404"}},
		"no usable key":      {fault: handle(jwks, answer(200, `{"keys":[{"kid":"a","kty":"EC"},{"kid":"b","kty":"RSA","use":"enc"}]}`)), step: "keys", status: doctor.StatusFailed, says: []string{`kid "a" is not used: its kty is "EC"`, `kid "b" is not used: its use is "enc"`, "RS256"}},
		"a cached Date":      {fault: handle(discovery, answer(200, "{}", "Age", "60")), step: "clock", status: doctor.StatusSkipped, says: []string{"Date of now"}},
		"no resolver":        {fault: handle(resolver, answer(404, "")), step: "resolver", status: doctor.StatusFailed, says: []string{"status 404", "compare Endpoint"}},
		"resolver is a page": {fault: handle(resolver, answer(200, "<html>")), step: "resolver", status: doctor.StatusFailed, says: []string{"something else answering"}},
		"database down":      {fault: handle(resolver, answer(503, "")), step: "resolver", status: doctor.StatusFailed, says: []string{"status 503", "not well"}},
		"too many keys":      {fault: handle(jwks, answer(200, `{"keys":[`+strings.Repeat(`{"kid":"a","kty":"EC"},`, 500)+`{"kty":"EC"}]}`)), step: "keys", status: doctor.StatusFailed, says: []string{`kid "a" is not used`, "and 80 more"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := authgeartest.New(t)
			if c.fault != nil {
				c.fault(s)
			}
			r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint()})
			wantStep(t, r, c.step, c.status, c.says...)
			if strings.Contains(r.String(), "secret") {
				t.Errorf("the query of a redirect is shown:\n%s", r)
			}
		})
	}
}

// The endpoint stays the public origin when the project is at an internal address.
func TestInternalAddress(t *testing.T) {
	t.Parallel()
	s := authgeartest.New(t, authgeartest.Config{Endpoint: "https://auth.example.com"})
	token := s.AccessToken(s.AddUser(authgeartest.User{}))
	for _, config := range []doctor.Config{
		{Endpoint: s.Endpoint(), InternalURL: s.URL(), Token: token},
		{Endpoint: s.Endpoint(), InternalURL: s.URL(), ResolverURL: s.URL() + "/resolve"},
		{Endpoint: s.Endpoint(), InternalURL: "http://authgear.internal", InsecureHTTP: true, HTTPClient: dialer(strings.TrimPrefix(s.URL(), "http://"), nil)},
	} {
		if r := doctor.Run(t.Context(), config); !r.OK() || r.Endpoint != s.Endpoint() {
			t.Errorf("%+v:\n%s", config, r)
		}
	}
	gone := "http://" + closedAddress(t)
	r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint(), InternalURL: s.URL(), ResolverURL: gone + "/resolve"})
	wantStep(t, r, "resolver_connection", doctor.StatusFailed, "refused")
	wantStep(t, r, "resolver", doctor.StatusSkipped)
	r = doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint(), InternalURL: gone, ResolverURL: s.URL() + "/resolve"})
	wantStep(t, r, "connection", doctor.StatusFailed, "refused")
	wantStep(t, r, "resolver", doctor.StatusOK)
}

func TestJSON(t *testing.T) {
	t.Parallel()
	s := authgeartest.New(t)
	r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint(), Token: s.OpaqueToken(s.AddUser(authgeartest.User{}))})
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"endpoint":"http://127`, `"status":"warning","verdict":"Nothing failed.`, `{"name":"endpoint","status":"ok","detail":"http`, `"reason":"token_opaque","docs":"https://github.com/`} {
		if !strings.Contains(string(encoded), want) {
			t.Errorf("no %s in %s", want, encoded)
		}
	}
}
