package keys

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/leaktest"

	"github.com/authgear/authgear-sdk-go/core/internal/project"
)

const (
	origin = "https://auth.example.test"
	jwks   = "/oauth2/jwks"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var errDown = errors.New("connection refused")

// server is a project in memory. Tests change its fields only by set.
type server struct {
	mu          sync.Mutex
	kids        []string
	document    string // instead of the discovery document
	body        string // instead of the JWK Set
	path        string // the path of the JWK Set
	down        bool   // no answer
	status      int    // of the answer with the JWK Set, instead of 200
	broken      roundTripper
	hold        chan struct{} // the JWK Set is answered when hold is closed
	took        time.Duration // how long each answer takes
	discoveries int
	fetches     int
}

type roundTripper func(*http.Request) (*http.Response, error)

func (p *server) set(change func(*server)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *server) RoundTrip(r *http.Request) (*http.Response, error) {
	path := r.URL.RequestURI()
	discovery := path == discoveryPath
	p.mu.Lock()
	if discovery {
		p.discoveries++
	} else {
		p.fetches++
	}
	hold, took, broken := p.hold, p.took, p.broken
	p.mu.Unlock()

	if broken != nil {
		return broken(r)
	}
	if hold != nil && !discovery {
		<-hold
	}
	time.Sleep(took)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.down:
		return nil, errDown
	case discovery && p.document != "":
		return answer(r, 200, p.document), nil
	case discovery:
		return answer(r, 200, fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, origin, origin+p.path)), nil
	case p.status != 0:
		return answer(r, p.status, ""), nil
	case path != p.path:
		return answer(r, 404, ""), nil
	case p.body != "":
		return answer(r, 200, p.body), nil
	}
	var published []string
	for _, kid := range p.kids {
		published = append(published, key(kid, nil))
	}
	return answer(r, 200, string(set(published...))), nil
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}
}

// count checks how often the project was asked so far.
func (p *server) count(t *testing.T, discoveries, fetches int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discoveries != discoveries || p.fetches != fetches {
		t.Errorf("%d discoveries and %d fetches, want %d and %d", p.discoveries, p.fetches, discoveries, fetches)
	}
}

func newSet() (*Set, *server) {
	p := &server{kids: []string{"a"}, path: jwks}
	client := project.New(project.Config{Endpoint: origin, HTTPClient: &http.Client{Transport: p}})
	return New(Config{Endpoint: origin, Client: client}), p
}

// run runs a test on a clock of its own.
func run(t *testing.T, test func(*testing.T, *Set, *server)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet()
		test(t, s, p)
	})
}

// held runs a test with a set that holds the key a.
func held(t *testing.T, test func(*testing.T, *Set, *server)) {
	t.Helper()
	run(t, func(t *testing.T, s *Set, p *server) {
		good(t, s, "a", 0)
		p.count(t, 1, 1)
		test(t, s, p)
	})
}

// longAgo is when most tokens of the tests were issued.
func longAgo() time.Time { return time.Now().Add(-time.Hour) }

func lookup(t *testing.T, s *Set, kid string, issuedAt time.Time) error {
	t.Helper()
	found, err := s.Lookup(t.Context(), kid, issuedAt)
	if (err == nil) != (found != nil) || err == nil && len(found.Keys(kid)) != 1 {
		t.Errorf("%s: %v, %v", kid, found, err)
	}
	return err
}

// good looks up a key that must be found after exactly that time.
func good(t *testing.T, s *Set, kid string, after time.Duration) {
	t.Helper()
	start := time.Now()
	if err := lookup(t, s, kid, start); err != nil {
		t.Errorf("%s: %v", kid, err)
	}
	if took := time.Since(start); took != after {
		t.Errorf("%s: after %v, want %v", kid, took, after)
	}
}

// unknown looks up a key that the project must not have.
func unknown(t *testing.T, s *Set, kid string) {
	t.Helper()
	if err := lookup(t, s, kid, longAgo()); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("%s: %v, want unknown", kid, err)
	}
}

func unavailable(t *testing.T, err error, retryAfter time.Duration) {
	t.Helper()
	u, ok := errors.AsType[*UnavailableError](err)
	if !ok || u.Err == nil || errors.Is(err, ErrUnknownKey) {
		t.Fatalf("%v, want unavailable", err)
	}
	if u.RetryAfter != retryAfter {
		t.Errorf("retry after %v, want %v: %v", u.RetryAfter, retryAfter, err)
	}
}
