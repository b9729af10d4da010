package authgeartest_test

import (
	"encoding/json"
	"errors"
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

func TestDown(t *testing.T) {
	s := authgeartest.New(t)
	keptAlive := &http.Client{Transport: &http.Transport{}}
	defer keptAlive.CloseIdleConnections()
	ask := func() error {
		res, err := keptAlive.Get(s.URL() + "/oauth2/jwks")
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	kids := publishedKeys(t, s)
	s.SetDown(true)
	s.SetDown(true)
	if ask() == nil {
		t.Error("it answers")
	}
	s.SetDown(false)
	s.SetDown(false)
	if err := ask(); err != nil {
		t.Errorf("it does not come back: %v", err)
	}
	if !slices.Equal(publishedKeys(t, s), kids) {
		t.Error("it came back as another")
	}
	s.SetDown(true) // the server is closed while it is down
}

func TestFailures(t *testing.T) {
	s := authgeartest.New(t)
	token := s.AccessToken(s.AddUser(authgeartest.User{}))
	t.Run("failing", func(t *testing.T) {
		s.SetFailing(503)
		for _, path := range []string{"/oauth2/jwks", "/resolve", "/anything"} {
			if status, body := get(t, s.URL()+path); status != 503 || !json.Valid([]byte(body)) {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		s.SetFailing(0)
		if status, _ := get(t, s.URL()+"/oauth2/jwks"); status != 200 {
			t.Errorf("afterwards: %d", status)
		}
	})
	t.Run("outage", func(t *testing.T) {
		s.SetOutage(true)
		host := strings.TrimPrefix(s.URL(), "http://")
		if res, _ := send(t, s.URL(), "GET", "/oauth2/userinfo", [][2]string{{"Host", host}, {"Authorization", "Bearer " + token}}, ""); res.StatusCode != 500 {
			t.Errorf("userinfo: %d", res.StatusCode)
		}
		if res, _ := send(t, s.URL(), "POST", "/oauth2/revoke", [][2]string{{"Host", host}}, "token=x"); res.StatusCode != 500 {
			t.Errorf("revocation: %d", res.StatusCode)
		}
		s.SetOutage(false)
		expect(t, "afterwards", valid(t, s, token), "true")
	})
	t.Run("slow", func(t *testing.T) {
		const wait = 50 * time.Millisecond
		s.SetSlow(wait)
		begin := time.Now()
		if status, _ := get(t, s.URL()+"/oauth2/jwks"); status != 200 || time.Since(begin) < wait {
			t.Errorf("%d after %v", status, time.Since(begin))
		}
		s.SetSlow(0)
	})
	t.Run("hanging when closed", func(t *testing.T) {
		s := authgeartest.New(t)
		s.SetSlow(time.Hour)
		done := make(chan error)
		go func() {
			_, err := client.Get(s.URL() + "/resolve")
			done <- err
		}()
		for s.Requests("/resolve") == 0 {
			time.Sleep(time.Millisecond)
		}
		s.Close()
		if <-done == nil {
			t.Error("answered")
		}
	})
}

// Facts §4: how the resolver answers each credential together with the canary, during a
// fault of PostgreSQL or Redis. "check" is a token that nobody has, "canary" is the canary
// alone.
func TestFaults(t *testing.T) {
	s := authgeartest.New(t)
	alice := s.AddUser(authgeartest.User{})
	credentials := map[string][2]string{
		"JWT":    {"Authorization", "Bearer " + s.AccessToken(alice)},
		"opaque": {"Authorization", "Bearer " + s.OpaqueToken(alice)},
		"cookie": {"Cookie", "session=" + s.SessionCookie(alice).Value},
		"check":  {"Authorization", "Bearer v9nfI9tlLJpyj9MujSn5bOSRMKrV8QHa"},
		"canary": {},
		"stale":  {"Cookie", "session=6b9aa4ee-1d37-4f93-9b5c-5d4e0f0f4f11.6AkK5UvmNs4sWOqWW12ZHezHtmAJQ3iK"},
	}
	ask := func(name string) string {
		t.Helper()
		sent := [][2]string{{"Host", strings.TrimPrefix(s.URL(), "http://")}}
		if credential := credentials[name]; credential[0] != "" {
			sent = append(sent, credential)
		}
		if credentials[name][0] != "Cookie" {
			sent = append(sent, [2]string{"Cookie", "session=~"})
		}
		res, _ := send(t, s.URL(), "GET", "/_resolver/resolve", sent, "")
		if res.StatusCode != 200 {
			return strconv.Itoa(res.StatusCode)
		}
		if res.Header.Get("X-Authgear-Session-Valid") != "false" && res.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: clears a cookie", name)
		}
		return res.Header.Get("X-Authgear-Session-Valid")
	}
	all := func(t *testing.T, good, check, canary, stale string) {
		t.Helper()
		for name, want := range map[string]string{"JWT": good, "opaque": good, "cookie": good, "check": check, "canary": canary, "stale": stale} {
			expect(t, name, ask(name), want)
		}
	}
	well := func(t *testing.T) {
		t.Helper()
		all(t, "true", "false", "false", "false")
	}
	t.Run("none", well)
	t.Run("PostgreSQL down", func(t *testing.T) {
		s.SetOutage(true)
		all(t, "500", "500", "500", "500")
		s.SetOutage(false)
		well(t)
	})
	t.Run("PostgreSQL restarted", func(t *testing.T) {
		s.RestartDatabase(20)
		for i := range 20 {
			expect(t, strconv.Itoa(i), ask([]string{"JWT", "cookie", "check", "canary"}[i%4]), "500")
		}
		well(t)
	})
	t.Run("PostgreSQL fails in the middle", func(t *testing.T) {
		s.FailDatabase(4)
		all(t, "", "false", "false", "false")
		expect(t, "the last of four", ask("JWT"), "")
		well(t)

		s.SetDatabaseFailing(1)
		all(t, "", "false", "false", "false")
		s.SetDatabaseFailing(3)
		for _, want := range []string{"true", "true", "", "true", "true", ""} {
			expect(t, "check", ask("check"), "false")
			expect(t, "one in three", ask("cookie"), want)
		}
		s.SetDatabaseFailing(0)
		well(t)
	})
	t.Run("Redis down", func(t *testing.T) {
		s.SetRedisDown(true)
		all(t, "500", "500", "false", "500")
		s.SetRedisDown(false)
		well(t)
	})
	t.Run("Redis full", func(t *testing.T) {
		s.SetRedisReadOnly(true)
		all(t, "500", "false", "false", "false")
		s.SetRedisReadOnly(false)
		well(t)
	})
	t.Run("Redis hangs", func(t *testing.T) {
		const wait = 20 * time.Millisecond
		s.SetRedisHanging(wait)
		begin := time.Now()
		all(t, "500", "500", "false", "500")
		if took := time.Since(begin); took < 5*wait {
			t.Errorf("after %v", took)
		}
		s.SetRedisHanging(time.Hour)
		expect(t, "canary", ask("canary"), "false") // answered at once
		s.SetRedisHanging(0)
		well(t)
	})
}

func TestHandle(t *testing.T) {
	s := authgeartest.New(t)
	s.Handle("/oauth2/jwks", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	if _, body := get(t, s.URL()+"/oauth2/jwks"); body != "<html>" {
		t.Errorf("body %q", body)
	}
	s.Handle("/oauth2/jwks", nil)
	if len(publishedKeys(t, s)) != 1 {
		t.Error("not given back")
	}
	if n := s.Requests("/oauth2/jwks"); n != 2 || s.Requests("/resolve") != 0 {
		t.Errorf("%d requests", n)
	}

	// A handler can hold requests until all have come, and then let them be
	// answered.
	const many = 8
	var all sync.WaitGroup
	all.Add(many)
	s.Handle("/resolve", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.Done()
		all.Wait()
		s.ServeHTTP(w, r)
	}))
	errs := make(chan error, many)
	for range many {
		go func() {
			res, err := client.Get(s.URL() + "/resolve")
			if err == nil {
				_ = res.Body.Close()
				if res.StatusCode != 200 {
					err = errors.New(res.Status)
				}
			}
			errs <- err
		}()
	}
	for range many {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := s.Requests("/resolve"); n != many {
		t.Errorf("%d requests", n)
	}
}
