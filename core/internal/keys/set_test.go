package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/fetch"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

func TestDiscoveryIsKept(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		step := func(change func(*project), discoveries, fetches int) {
			t.Helper()
			p.set(change)
			time.Sleep(10 * time.Second)
			_ = lookup(t, s, "x")
			p.count(t, discoveries, fetches)
		}
		step(func(*project) {}, 1, 2)
		step(func(p *project) { p.body = "<html>" }, 1, 3) // a 200
		step(func(p *project) { p.body = `{"keys":[]}` }, 1, 4)
		step(func(p *project) { p.body = "" }, 1, 5)
		step(func(p *project) { p.status = 500 }, 1, 6)
		step(func(p *project) { p.status = 0 }, 2, 7)
		step(func(*project) {}, 2, 8)
		step(func(p *project) { p.down = true }, 2, 9)
		step(func(p *project) { p.down = false }, 3, 10)
		step(func(p *project) { p.path, p.kids = "/new/jwks?v=2", []string{"a", "x"} }, 3, 11) // 404
		good(t, s, "a", 0)
		time.Sleep(time.Second)
		good(t, s, "x", 0)
		p.count(t, 4, 12)
	})
}

func TestReady(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.down = true })
		unavailable(t, s.Ready(t.Context()), time.Second)
		err := s.Ready(t.Context())
		unavailable(t, err, time.Second)
		if !errors.Is(err, errDown) {
			t.Errorf("not the last error: %v", err)
		}
		p.count(t, 1, 0)
		time.Sleep(time.Second)

		p.set(func(p *project) { p.down, p.took = false, time.Second }) // two answers
		var wg sync.WaitGroup
		for range 10 {
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

		p.set(func(p *project) { p.down = true })
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
	run(t, func(t *testing.T, s *Set, p *project) {
		hold := make(chan struct{})
		p.set(func(p *project) { p.hold = hold })
		start := time.Now()
		var wg sync.WaitGroup
		for _, ask := range []func() error{
			func() error { return lookup(t, s, "a") },
			func() error { return s.Ready(t.Context()) },
		} {
			wg.Go(func() {
				unavailable(t, ask(), 0)
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("after %v", took)
				}
			})
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := s.Lookup(ctx, "a")
			if took := time.Since(start); took != 3*time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("its own end: after %v: %v", took, err)
			}
		})
		wg.Wait()
		p.count(t, 1, 1)
		close(hold)
		synctest.Wait()
		good(t, s, "a", 0)
		p.count(t, 1, 1)
	})
}

func TestErrorsAdvise(t *testing.T) {
	const discoveryURL, jwksURL = origin + discoveryPath, origin + jwks
	for name, c := range map[string]struct {
		change func(*project)
		want   []string
	}{
		"down":            {func(p *project) { p.down = true }, []string{"connection refused"}},
		"HTML":            {func(p *project) { p.document = "\n<!DOCTYPE html>" }, []string{discoveryURL, "web page", "is the endpoint"}},
		"HTML for a set":  {func(p *project) { p.body = "<html>" }, []string{jwksURL, "web page", "is the endpoint"}},
		"no document":     {func(p *project) { p.document = "[]" }, []string{discoveryURL, "not a discovery document"}},
		"duplicate names": {func(p *project) { p.document = `{"issuer":"` + origin + `","issuer":"` + origin + `"}` }, []string{discoveryURL, "not a discovery document"}},
		"wrong issuer": {
			func(p *project) { p.document = `{"issuer":"https://other.test","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, "https://other.test", "the endpoint is " + origin, "must be the same"},
		},
		"issuer with a slash": {
			func(p *project) { p.document = `{"issuer":"` + origin + `/","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, origin + "/", "must be the same"},
		},
		"issuer in other letters": {
			func(p *project) { p.document = `{"ISSUER":"` + origin + `","jwks_uri":"` + jwksURL + `"}` },
			[]string{discoveryURL, "must be the same"},
		},
		"long issuer": {
			func(p *project) { p.document = `{"issuer":"` + strings.Repeat("x", 100_000) + `"}` },
			[]string{discoveryURL, "must be the same"},
		},
		"empty set":  {func(p *project) { p.body = `{"keys":[]}` }, []string{jwksURL, "no usable RSA signing key"}},
		"broken set": {func(p *project) { p.body = `{"keys":[` }, []string{jwksURL, "not a JWK Set"}},
		"panic":      {func(p *project) { p.panics = true }, []string{"panicked", "broken client"}},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *project) {
				p.set(c.change)
				err := lookup(t, s, "a")
				unavailable(t, err, time.Second)
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("error %q does not say %q", err, want)
					}
				}
				if len(err.Error()) > 1000 {
					t.Errorf("error of %d bytes", len(err.Error()))
				}
				p.set(func(p *project) { p.down, p.panics, p.document, p.body = false, false, "", "" })
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
		"https:auth.example.test", "file:///etc/passwd", "https://auth.example.test/%zz", "https://auth.example.test\\@other.test/",
	} {
		t.Run(uri, func(t *testing.T) {
			run(t, func(t *testing.T, s *Set, p *project) {
				p.set(func(p *project) { p.document = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, origin, uri) })
				err := lookup(t, s, "a")
				unavailable(t, err, time.Second)
				if !strings.Contains(err.Error(), "jwks_uri") || !strings.Contains(err.Error(), origin) {
					t.Error(err)
				}
				p.count(t, 1, 0)
			})
		})
	}
	t.Run("same origin in another form", func(t *testing.T) {
		run(t, func(t *testing.T, s *Set, p *project) {
			p.set(func(p *project) {
				p.document = fmt.Sprintf(`{"issuer":%q,"jwks_uri":"HTTPS://Auth.Example.Test:443/oauth2/jwks#keys"}`, origin)
			})
			good(t, s, "a", 0)
		})
	})
}

func TestPanic(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.panics = true })
		for _, seconds := range []time.Duration{1, 2, 4} {
			unavailable(t, lookup(t, s, "b"), seconds*time.Second)
			good(t, s, "a", 0)
			time.Sleep(seconds * time.Second)
		}
		p.set(func(p *project) { p.panics, p.kids = false, []string{"a", "b"} })
		good(t, s, "b", 0)
	})
}

func TestDownAtStart(t *testing.T) {
	run(t, func(t *testing.T, s *Set, p *project) {
		p.set(func(p *project) { p.down = true })
		start := time.Now()
		for time.Since(start) < time.Hour {
			var u *UnavailableError
			if err := lookup(t, s, "a"); !errors.As(err, &u) || u.RetryAfter <= 0 || u.RetryAfter > 10*time.Second {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		p.set(func(p *project) { p.down = false })
		back := time.Now()
		for lookup(t, s, "a") != nil {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(back); took > 10*time.Second {
			t.Errorf("recovered after %v", took)
		}
	})
}

func TestObserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &project{kids: []string{"a"}, path: jwks, took: time.Second}
		var seen []string
		s := New(Config{Endpoint: origin, Client: p, Observe: func(ctx context.Context, f Fetch) {
			if ctx.Err() != nil {
				t.Error(ctx.Err())
			}
			seen = append(seen, fmt.Sprint(f.Kind, " ", f.URL, " ", f.Status, " ", f.Duration, " ", f.Err))
		}})
		good(t, s, "a", 2*time.Second)
		p.set(func(p *project) { p.body = "{}" })
		_ = lookup(t, s, "x")
		p.set(func(p *project) { p.down = true })
		time.Sleep(time.Second)
		_ = lookup(t, s, "x")
		want := []string{
			"discovery " + origin + discoveryPath + " 200 1s <nil>",
			"jwks " + origin + jwks + " 200 1s <nil>",
			"jwks " + origin + jwks + " 200 1s GET " + origin + jwks + ": the JWK Set has no usable RSA signing key",
			"jwks " + origin + jwks + " 0 1s " + errDown.Error(),
		}
		if strings.Join(seen, "\n") != strings.Join(want, "\n") {
			t.Errorf("seen\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A refresh can end between a request's look at the set and its turn.
func TestRefreshEndedMeanwhile(t *testing.T) {
	held(t, func(t *testing.T, s *Set, p *project) {
		stale := s.snapshot.Load()
		p.set(func(p *project) { p.kids = []string{"b"} })
		good(t, s, "b", 0)
		p.count(t, 1, 2)
		if keys, err := s.lookupUnknown(t.Context(), stale, "b"); err != nil || len(keys) != 1 { // not the cooldown
			t.Errorf("unknown kid: %v, %v", keys, err)
		}
		if keys, err := s.lookupAfterRefresh(t.Context(), nil, "b"); err != nil || len(keys) != 1 {
			t.Errorf("first fetch: %v, %v", keys, err)
		}
		if keys, err := s.lookupOld(t.Context(), stale, "a"); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("removed key: %v, %v", keys, err)
		}
		synctest.Wait()
		p.count(t, 1, 2)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stream is a body made by a function.
type stream func([]byte) (int, error)

func (f stream) Read(b []byte) (int, error) { return f(b) }
func (stream) Close() error                 { return nil }

// What a broken project does must not move known keys, and must end for others.
func TestBrokenProject(t *testing.T) {
	text := func(status int, body string) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
		}
	}
	body := func(read func(context.Context, []byte) (int, error)) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: stream(func(b []byte) (int, error) { return read(r.Context(), b) })}, nil
		}
	}
	var read int
	for name, broken := range map[string]roundTripper{
		"5xx":        text(503, "{}"),
		"404":        text(404, "{}"),
		"HTML":       text(200, "<html>"),
		"empty":      text(200, ""),
		"empty set":  text(200, `{"keys":[]}`),
		"broken set": text(200, `{"keys":[{"kty":`),
		"foreign":    text(200, string(set(key("b", map[string]any{"kty": "EC"})))),
		"hangs": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"drips": body(func(ctx context.Context, b []byte) (int, error) {
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(100 * time.Millisecond):
				return copy(b, " "), nil
			}
		}),
		"200 MiB": body(func(_ context.Context, b []byte) (int, error) {
			if read += len(b); read > 2<<20 {
				t.Error("more than 2 MiB were read")
				return 0, io.EOF
			}
			return len(b), nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &project{kids: []string{"a"}, path: jwks}
				healthy := roundTripper(func(r *http.Request) (*http.Response, error) {
					b, status, _ := p.Get(r.Context(), r.URL.RequestURI())
					return text(status, string(b))(r)
				})
				answer := healthy
				s := New(Config{Endpoint: origin, Client: fetch.New(origin, "", &http.Client{
					Transport: roundTripper(func(r *http.Request) (*http.Response, error) { return answer(r) }),
				})})
				good(t, s, "a", 0)
				p.set(func(p *project) { p.kids = []string{"a", "b"} })
				answer = broken
				for range 5 {
					read = 0
					var wg sync.WaitGroup
					for range 100 {
						wg.Go(func() {
							start := time.Now()
							var u *UnavailableError
							if err := lookup(t, s, "b"); !errors.As(err, &u) {
								t.Error(err)
							} else if !strings.Contains(err.Error(), origin) {
								t.Errorf("error %q does not say what was asked", err)
							}
							if took := time.Since(start); took > 10*time.Second {
								t.Errorf("after %v", took)
							}
						})
					}
					synctest.Wait()
					good(t, s, "a", 0)
					wg.Wait()
					time.Sleep(10 * time.Second)
				}
				answer = healthy
				good(t, s, "b", 0)
				good(t, s, "a", 0)
			})
		})
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	if racetest.Enabled {
		t.Skip("the race detector allocates")
	}
	s := New(Config{Endpoint: origin, Client: &project{kids: []string{"a"}, path: jwks}})
	good := func() {
		if keys, err := s.Lookup(t.Context(), "a"); err != nil || len(keys) != 1 {
			t.Error(keys, err)
		}
	}
	good()
	if n := testing.AllocsPerRun(1000, good); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
