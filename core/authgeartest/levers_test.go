package authgeartest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// resolve asks the resolver, as a client does that knows the endpoint, and returns the
// answer's header.
func resolve(t *testing.T, s *authgeartest.Server, name, value string) http.Header {
	t.Helper()
	host := s.Endpoint()[strings.Index(s.Endpoint(), "//")+2:]
	res, body := send(t, s.URL(), "GET", "/_resolver/resolve", [][2]string{{"Host", host}, {name, value}}, "")
	if res.StatusCode != 200 || body != "" {
		t.Fatalf("the resolver answered %d %q", res.StatusCode, body)
	}
	return res.Header
}

func valid(t *testing.T, s *authgeartest.Server, token string) string {
	t.Helper()
	return resolve(t, s, "Authorization", "Bearer "+token).Get("X-Authgear-Session-Valid")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// client closes each connection after its request.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       time.Minute,
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func publishedKeys(t *testing.T, s *authgeartest.Server) []string {
	t.Helper()
	status, body := get(t, s.URL()+"/oauth2/jwks")
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal([]byte(body), &set); status != 200 || err != nil {
		t.Fatalf("%d %v", status, err)
	}
	var kids []string
	for _, k := range set.Keys {
		kids = append(kids, k.Kid)
	}
	return kids
}

func TestStart(t *testing.T) {
	t.Run("only on loopback addresses", func(t *testing.T) {
		for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:80", "example.com:80", "[::]:0", "127.0.0.1"} {
			if s, err := authgeartest.Start(authgeartest.Config{Addr: addr}); err == nil {
				s.Close()
				t.Errorf("%s was accepted", addr)
			}
		}
		s, err := authgeartest.Start(authgeartest.Config{Addr: "localhost:0"})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	})
	t.Run("the endpoint is an origin", func(t *testing.T) {
		for _, endpoint := range []string{"auth.example.com", "https://auth.example.com/", "ftp://auth.example.com", "https://", "https://u@auth.example.com", "https://a/?b"} {
			if s, err := authgeartest.Start(authgeartest.Config{Endpoint: endpoint}); err == nil {
				s.Close()
				t.Errorf("%s was accepted", endpoint)
			}
		}
	})
	t.Run("no negative lifetime", func(t *testing.T) {
		if s, err := authgeartest.Start(authgeartest.Config{Lifetime: -1}); err == nil {
			s.Close()
			t.Error("accepted")
		}
	})
	t.Run("defaults", func(t *testing.T) {
		s := authgeartest.New(t)
		if s.URL() != s.Endpoint() || !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
			t.Errorf("URL %s, endpoint %s", s.URL(), s.Endpoint())
		}
	})
	t.Run("a wrong config fails the test", func(t *testing.T) {
		tb := &fakeTB{}
		if authgeartest.New(tb, authgeartest.Config{Addr: "0.0.0.0:0"}) != nil || !tb.failed || tb.cleanups != 0 {
			t.Errorf("%+v", tb)
		}
	})
	t.Run("after two calls of Close nothing answers", func(t *testing.T) {
		s := authgeartest.New(t)
		s.Close()
		s.Close()
		s.SetDown(false)
		if answer, err := client.Get(s.URL() + "/late"); err == nil { // another program may have the port now
			_ = answer.Body.Close()
		}
		if s.Requests("/late") != 0 {
			t.Error("it answers")
		}
	})
}

type fakeTB struct {
	failed   bool
	cleanups int
}

func (*fakeTB) Helper() {}

func (tb *fakeTB) Fatalf(string, ...any) { tb.failed = true }

func (tb *fakeTB) Cleanup(func()) { tb.cleanups++ }

// Keys can rotate without a key published before. No recording shows this.
func TestRotateUnpublished(t *testing.T) {
	s := authgeartest.New(t)
	want := publishedKeys(t, s)
	want = append([]string{s.RotateKeys()}, want...)
	if kids := publishedKeys(t, s); !slices.Equal(kids, want) {
		t.Errorf("keys %q, want %q", kids, want)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	s := authgeartest.New(t)
	id := s.AddUser(authgeartest.User{Roles: []string{"a", "b"}})
	token := s.AccessToken(id)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				valid(t, s, token)
				s.SetRoles(id, "c", strconv.Itoa(i))
				s.SetVerified(id, i%2 == 0)
				s.OpaqueToken(id)
				s.SessionCookie(id)
				s.AddUser(authgeartest.User{})
				s.Revoke("x")
				s.SetSlow(0)
				s.Handle("/x", nil)
				s.Requests("/_resolver/resolve")
				s.SetAuthTime(token, time.Now())
				s.Reauthenticate(token)
			}
		})
	}
	wg.Wait()
	if n := s.Requests("/_resolver/resolve"); n != 80 {
		t.Errorf("%d requests", n)
	}
}
