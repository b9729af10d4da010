package keys

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDiscoveryIsAskedAfterAPanic(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.panics = true })
		unavailable(t, lookup(t, s, "x"), time.Second)
		p.set(func(p *project) { p.panics = false })
		time.Sleep(time.Second)
		unknown(t, s, "x")
		p.count(t, 2, 3)
	})
}

func TestLongJWKSURI(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) {
			p.document = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, origin, origin+"/"+strings.Repeat("x", 900_000))
		})
		err := lookup(t, s, "a")
		unavailable(t, err, time.Second)
		if len(err.Error()) > 500 {
			t.Errorf("error of %d bytes", len(err.Error()))
		}
		p.count(t, 1, 0)
	})
}

func TestManyKeys(t *testing.T) {
	t.Parallel()
	var raw []string
	for i := range 1000 {
		raw = append(raw, key(fmt.Sprint(i), nil))
	}
	if keys, err := parseSet(set(raw...)); err != nil || len(keys) != maxKeys {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestKeysEndDuringTheWait(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		time.Sleep(usable - time.Second)
		p.set(func(p *project) { p.took = 5 * time.Second })
		unavailable(t, lookup(t, s, "a"), 0)
		time.Sleep(10 * time.Second)
	})
}

type ending struct{ *project }

func (ending) Get(context.Context, string) ([]byte, int, error) {
	runtime.Goexit()
	return nil, 0, nil
}

func TestClientEndsTheGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Endpoint: origin, Client: ending{&project{}}})
		err := lookup(t, s, "a")
		unavailable(t, err, time.Second)
		if !errors.Is(err, errEnded) {
			t.Error(err)
		}
		time.Sleep(time.Second)
		unavailable(t, lookup(t, s, "a"), 2*time.Second)
	})
}
