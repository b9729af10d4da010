package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/flight"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

func TestDiscoveryIsKept(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		step := func(change func(*server), discoveries, fetches int) {
			t.Helper()
			p.set(change)
			time.Sleep(10 * time.Second)
			_ = lookup(t, s, "x", longAgo())
			p.count(t, discoveries, fetches)
		}
		step(func(*server) {}, 1, 2)
		step(func(p *server) { p.body = "<html>" }, 1, 3) // a 200
		step(func(p *server) { p.body = `{"keys":[]}` }, 1, 4)
		step(func(p *server) { p.body = "" }, 1, 5)
		step(func(p *server) { p.status = 500 }, 1, 6)
		step(func(p *server) { p.status = 0 }, 2, 7)
		step(func(*server) {}, 2, 8)
		step(func(p *server) { p.down = true }, 2, 9)
		step(func(p *server) { p.down = false }, 3, 10)
		step(func(p *server) { p.path, p.kids = "/new/jwks?v=2", []string{"a", "x"} }, 3, 11) // 404
		good(t, s, "a", 0)
		time.Sleep(time.Second)
		good(t, s, "x", 0)
		p.count(t, 4, 12)
	})
}

func TestReady(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *server) {
		p.set(func(p *server) { p.down = true })
		unavailable(t, s.Ready(t.Context()), time.Second)
		err := s.Ready(t.Context())
		unavailable(t, err, time.Second)
		if !errors.Is(err, errDown) {
			t.Errorf("not the last error: %v", err)
		}
		p.count(t, 1, 0)
		time.Sleep(time.Second)

		p.set(func(p *server) { p.down, p.took = false, time.Second }) // two answers
		var wg sync.WaitGroup
		for range 300 { // more than may wait with an unknown kid
			wg.Go(func() {
				if err := s.Ready(t.Context()); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() { good(t, s, "a", 2*time.Second) })
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := s.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("its own end: %v", err)
			}
		})
		wg.Wait()
		p.count(t, 2, 1)

		p.set(func(p *server) { p.down = true })
		time.Sleep(24*time.Hour - time.Nanosecond)
		if err := s.Ready(t.Context()); err != nil { // without asking
			t.Error(err)
		}
		p.count(t, 2, 1)
		time.Sleep(time.Nanosecond)
		unavailable(t, s.Ready(t.Context()), time.Second)
	})
}

func TestWaitersHaveALimit(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *server) {
		hold := make(chan struct{})
		p.set(func(p *server) { p.hold = hold })
		start := time.Now()
		var wg sync.WaitGroup
		for _, ask := range []func() error{
			func() error { return lookup(t, s, "a", longAgo()) },
			func() error { return s.Ready(t.Context()) },
		} {
			wg.Go(func() {
				err := ask()
				unavailable(t, err, 0)
				if !errors.Is(err, errTooLong) {
					t.Error(err)
				}
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("after %v", took)
				}
			})
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := s.Lookup(ctx, "a", longAgo())
			if took := time.Since(start); took != 3*time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("its own end: after %v: %v", took, err)
			}
		})
		wg.Wait()
		p.count(t, 1, 1)
		close(hold) // too late for the fetch
		synctest.Wait()
		unavailable(t, lookup(t, s, "a", longAgo()), time.Second)
		time.Sleep(time.Second)
		good(t, s, "a", 0)
	})
}

func TestErrorsAdvise(t *testing.T) {
	const discoveryURL, jwksURL = origin + discoveryPath, origin + jwks
	for name, c := range map[string]struct {
		change func(*server)
		want   []string
	}{
		"down":            {func(p *server) { p.down = true }, []string{"connection refused"}},
		"HTML":            {func(p *server) { p.document = "\n<!DOCTYPE html>" }, []string{discoveryURL, "web page", "is the endpoint"}},
		"HTML, not a set": {func(p *server) { p.body = "<html>" }, []string{jwksURL, "web page", "is the endpoint"}},
		"not a document":  {func(p *server) { p.document = "[]" }, []string{discoveryURL, "not a discovery document"}},
		"duplicate names": {func(p *server) { p.document = `{"issuer":"` + origin + `","issuer":"` + origin + `"}` }, []string{discoveryURL, "not a discovery document"}},
		"wrong issuer": {
			func(p *server) { p.document = `{"issuer":"https://other.test","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, "https://other.test", "the endpoint is " + origin, "must be the same"},
		},
		"issuer with a slash": {
			func(p *server) { p.document = `{"issuer":"` + origin + `/","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, origin + "/", "must be the same"},
		},
		"issuer in other letters": {
			func(p *server) { p.document = `{"ISSUER":"` + origin + `","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, "must be the same"},
		},
		"long issuer": {
			func(p *server) { p.document = `{"issuer":"` + strings.Repeat("x", 100_000) + `"}` },
			[]string{discoveryURL, "must be the same"},
		},
		"empty set":  {func(p *server) { p.body = `{"keys":[]}` }, []string{jwksURL, "no usable RSA signing key"}},
		"broken set": {func(p *server) { p.body = `{"keys":[` }, []string{jwksURL, "not a JWK Set"}},
		"redirect": {
			func(p *server) {
				p.broken = func(r *http.Request) (*http.Response, error) {
					a := answer(r, 307, "")
					a.Header.Set("Location", origin+"/private")
					return a, nil
				}
			},
			[]string{discoveryURL, "status 307, a redirect to " + origin + ",", "TRUST_PROXY"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *server) {
				p.set(c.change)
				err := lookup(t, s, "a", longAgo())
				unavailable(t, err, time.Second)
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("error %q does not say %q", err, want)
					}
				}
				if len(err.Error()) > 1000 {
					t.Errorf("error of %d bytes", len(err.Error()))
				}
				p.set(func(p *server) { p.down, p.broken, p.document, p.body = false, nil, "", "" })
				time.Sleep(time.Second)
				good(t, s, "a", 0)
			})
		})
	}
}

func TestForeignJWKS(t *testing.T) {
	for _, uri := range []string{
		"", "/oauth2/jwks", "https://other.test/oauth2/jwks", "http://auth.example.test/oauth2/jwks", "https://auth.example.test:8443/oauth2/jwks",
		"https://auth.example.test.other.test/jwks", "https://auth.example.test@other.test/jwks", "https://user@auth.example.test/jwks", "//auth.example.test/jwks",
		"https:auth.example.test", origin + "/" + strings.Repeat("x", 9000), "file:///etc/passwd", "https://auth.example.test/%zz", "https://auth.example.test\\@other.test/",
	} {
		t.Run(fmt.Sprintf("%.50s", uri), func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *server) {
				p.set(func(p *server) { p.document = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, origin, uri) })
				err := lookup(t, s, "a", longAgo())
				unavailable(t, err, time.Second)
				if !strings.Contains(err.Error(), "jwks_uri") || !strings.Contains(err.Error(), origin) || len(err.Error()) > 500 {
					t.Error(err)
				}
				p.count(t, 1, 0)
			})
		})
	}
	t.Run("same origin in another form", func(t *testing.T) {
		run(t, func(t *testing.T, s *Set, p *server) {
			p.set(func(p *server) {
				p.document = fmt.Sprintf(`{"issuer":%q,"jwks_uri":"HTTPS://Auth.Example.Test:443/oauth2/jwks#keys"}`, origin)
			})
			good(t, s, "a", 0)
		})
	})
}

// A panic or an ended goroutine in the user's client is a failure like others,
// after which discovery is asked again.
func TestClientPanics(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("secret") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			held(t, func(t *testing.T, s *Set, p *server) {
				p.set(func(p *server) {
					p.broken = func(*http.Request) (*http.Response, error) {
						end()
						return nil, nil
					}
				})
				for _, seconds := range []time.Duration{1, 2, 4} {
					err := lookup(t, s, "b", longAgo())
					unavailable(t, err, seconds*time.Second)
					if !errors.Is(err, flight.ErrEnded) || strings.Contains(err.Error(), "secret") {
						t.Error(err)
					}
					good(t, s, "a", 0)
					time.Sleep(seconds * time.Second)
				}
				p.set(func(p *server) { p.broken, p.kids = nil, []string{"a", "b"} })
				good(t, s, "b", 0)
				p.count(t, 4, 3) // two of three attempts did not get discovery
			})
		})
	}
}

func TestObserve(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *server) {
		p.set(func(p *server) { p.took = time.Second })
		var seen []string
		s.config.Observe = func(ctx context.Context, f Fetch) {
			if ctx.Err() != nil {
				t.Error(ctx.Err())
			}
			seen = append(seen, fmt.Sprint(f.Kind, " ", f.URL, " ", f.Status, " ", f.Duration, " ", f.Err))
		}
		good(t, s, "a", 2*time.Second)
		p.set(func(p *server) { p.body = "{}" })
		_ = lookup(t, s, "x", longAgo())
		p.set(func(p *server) { p.down = true })
		time.Sleep(time.Second)
		down := lookup(t, s, "x", longAgo())
		if !errors.Is(down, errDown) {
			t.Error(down)
		}
		want := []string{
			"discovery " + origin + discoveryPath + " 200 1s <nil>",
			"jwks " + origin + jwks + " 200 1s <nil>",
			"jwks " + origin + jwks + " 200 1s GET " + origin + jwks + ": the JWK Set has no usable RSA signing key",
			"jwks " + origin + jwks + " 0 1s " + errors.Unwrap(down).Error(),
		}
		if strings.Join(seen, "\n") != strings.Join(want, "\n") {
			t.Errorf("seen\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A refresh can end after a request has looked at the set and before the request begins
// a refresh itself.
func TestRefreshEndedMeanwhile(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		stale := s.snapshot.Load()
		p.set(func(p *server) { p.kids = []string{"b"} })
		good(t, s, "b", 0)
		time.Sleep(10 * time.Second) // the cooldown is over
		now := s.snapshot.Load()
		for name, refresh := range map[string]func() (*Snapshot, error){
			"unknown kid": func() (*Snapshot, error) { return s.refresh(t.Context(), stale, true) },
			"first fetch": func() (*Snapshot, error) { return s.refresh(t.Context(), nil, false) },
			"old key":     func() (*Snapshot, error) { return s.refreshOld(t.Context(), stale) },
		} {
			if got, err := refresh(); got != now || err != nil {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		p.count(t, 1, 2)
	})
}

// A key keeps its pointer as long as the project publishes it, so that results of
// verifications can be bound to the pointer.
func TestKeysKeepTheirPointers(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		before := s.snapshot.Load().Keys("a")[0]
		p.set(func(p *server) { p.kids = []string{"b", "a"} })
		good(t, s, "b", 0)
		after := s.snapshot.Load()
		if after.Keys("a")[0] != before {
			t.Error("another pointer for the same key")
		}
		other := key("a", map[string]any{"n": encode(modulus(2048, 99).Bytes())})
		p.set(func(p *server) { p.body = string(set(other, key("c", nil))) })
		time.Sleep(10 * time.Second)
		good(t, s, "c", 0)
		if after.Keys("a")[0] != before || s.snapshot.Load().Keys("a")[0] == before {
			t.Error("the pointer of a key that was replaced")
		}
	})
}

// When the project's answer does not end, it is given up after five seconds. Known keys
// stay as they are.
func TestEndlessAnswers(t *testing.T) {
	stream := func(read func(context.Context, []byte) (int, error)) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			a := answer(r, 200, "")
			a.Body = io.NopCloser(reader(func(b []byte) (int, error) { return read(r.Context(), b) }))
			return a, nil
		}
	}
	for name, broken := range map[string]roundTripper{
		"hangs": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"drips": stream(func(ctx context.Context, b []byte) (int, error) {
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(100 * time.Millisecond):
				return copy(b, " "), nil
			}
		}),
		"endless": stream(func(_ context.Context, b []byte) (int, error) { return len(b), nil }),
	} {
		t.Run(name, func(t *testing.T) {
			held(t, func(t *testing.T, s *Set, p *server) {
				p.set(func(p *server) { p.broken = broken })
				start := time.Now()
				unavailable(t, lookup(t, s, "b", longAgo()), time.Second)
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("after %v", took)
				}
				good(t, s, "a", 0)
			})
		})
	}
}

type reader func([]byte) (int, error)

func (f reader) Read(b []byte) (int, error) { return f(b) }

func TestKeysEndDuringTheWait(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *server) {
		time.Sleep(maxAge - time.Second)
		p.set(func(p *server) { p.took = 5 * time.Second })
		unavailable(t, lookup(t, s, "a", longAgo()), 0)
		time.Sleep(10 * time.Second)
	})
}

func TestLookupAllocatesNothing(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates; make test counts without it as well")
	}
	s, _ := newSet()
	good := func() {
		if found, err := s.Lookup(t.Context(), "a", time.Time{}); err != nil || len(found.Keys("a")) != 1 {
			t.Error(found, err)
		}
	}
	good()
	if n := testing.AllocsPerRun(1000, good); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
