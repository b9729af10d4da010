package keys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

const (
	origin = "https://auth.example.test"
	jwks   = "/oauth2/jwks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("connection refused")

// project is a Client in memory. Its fields are changed by set only.
type project struct {
	mu          sync.Mutex
	kids        []string
	document    string // instead of the discovery document
	body        string // instead of the set
	path        string // where the set is
	down        bool   // no answer
	status      int    // of the set, instead of 200
	panics      bool
	hold        chan struct{} // the set is answered when it is closed
	took        time.Duration // by each answer
	discoveries int
	fetches     int
}

func (p *project) set(change func(*project)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *project) URL(path string) string { return origin + path }

func (p *project) Get(ctx context.Context, path string) ([]byte, int, error) {
	p.mu.Lock()
	discovery := path == discoveryPath
	if discovery {
		p.discoveries++
	} else {
		p.fetches++
	}
	hold, took := p.hold, p.took
	p.mu.Unlock()

	if hold != nil && !discovery {
		<-hold
	}
	if took > 0 {
		time.Sleep(took)
	}
	if ctx.Err() != nil {
		return nil, 0, ctx.Err()
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.panics:
		panic("broken client")
	case p.down:
		return nil, 0, errDown
	case discovery && p.document != "":
		return []byte(p.document), 200, nil
	case discovery:
		return fmt.Appendf(nil, `{"issuer":%q,"jwks_uri":%q}`, origin, origin+p.path), 200, nil
	case p.status != 0:
		return nil, p.status, fmt.Errorf("status %d", p.status)
	case path != p.path:
		return nil, 404, errors.New("status 404")
	case p.body != "":
		return []byte(p.body), 200, nil
	}
	var published []string
	for _, kid := range p.kids {
		published = append(published, key(kid, nil))
	}
	return set(published...), 200, nil
}

// count checks what the project was asked so far.
func (p *project) count(t *testing.T, discoveries, fetches int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discoveries != discoveries || p.fetches != fetches {
		t.Errorf("%d discoveries and %d fetches, want %d and %d", p.discoveries, p.fetches, discoveries, fetches)
	}
}

// run runs a test on a clock of its own.
func run(t *testing.T, test func(*testing.T, *Set, *project)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &project{kids: []string{"a"}, path: jwks}
		test(t, New(Config{Endpoint: origin, Client: p}), p)
	})
}

// held runs a test with a set that holds the key a.
func held(t *testing.T, test func(*testing.T, *Set, *project)) {
	t.Helper()
	run(t, func(t *testing.T, s *Set, p *project) {
		good(t, s, "a", 0)
		p.count(t, 1, 1)
		test(t, s, p)
	})
}

// good looks a key up that must be found after exactly that time.
func good(t *testing.T, s *Set, kid string, after time.Duration) {
	t.Helper()
	start := time.Now()
	keys, err := s.Lookup(t.Context(), kid)
	if err != nil || len(keys) != 1 {
		t.Errorf("%s: %v, %v", kid, keys, err)
	}
	if took := time.Since(start); took != after {
		t.Errorf("%s: after %v, want %v", kid, took, after)
	}
}

// unknown looks a key up that the project must not have.
func unknown(t *testing.T, s *Set, kid string) {
	t.Helper()
	if keys, err := s.Lookup(t.Context(), kid); !errors.Is(err, ErrUnknownKey) || keys != nil {
		t.Errorf("%s: %v, %v, want unknown", kid, keys, err)
	}
}

func unavailable(t *testing.T, err error, retryAfter time.Duration) {
	t.Helper()
	var u *UnavailableError
	if !errors.As(err, &u) || u.Err == nil || errors.Is(err, ErrUnknownKey) {
		t.Fatalf("%v, want unavailable", err)
	}
	if u.RetryAfter != retryAfter {
		t.Errorf("retry after %v, want %v: %v", u.RetryAfter, retryAfter, err)
	}
}

func lookup(t *testing.T, s *Set, kid string) error {
	t.Helper()
	keys, err := s.Lookup(t.Context(), kid)
	if err != nil && keys != nil {
		t.Error("keys beside an error")
	}
	return err
}
