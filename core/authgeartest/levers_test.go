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

// resolve asks the resolver, as a client that knows the endpoint, and returns
// the answer's fields.
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

// client has no connections that outlive a request.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       20 * time.Second,
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
	t.Run("a fatal mistake is the test's", func(t *testing.T) {
		tb := &fakeTB{}
		if authgeartest.New(tb, authgeartest.Config{Addr: "0.0.0.0:0"}) != nil || !tb.failed || tb.cleanups != 0 {
			t.Errorf("%+v", tb)
		}
	})
	t.Run("closed twice, then nothing answers", func(t *testing.T) {
		s := authgeartest.New(t)
		s.Close()
		s.Close()
		s.SetDown(false)
		if _, err := client.Get(s.URL()); err == nil {
			t.Error("it answers")
		}
	})
}

type fakeTB struct {
	failed   bool
	cleanups int
}

func (*fakeTB) Helper()                  {}
func (tb *fakeTB) Fatalf(string, ...any) { tb.failed = true }
func (tb *fakeTB) Cleanup(func())        { tb.cleanups++ }

// A rotation without a published key, which no recording shows.
func TestRotateUnpublished(t *testing.T) {
	s := authgeartest.New(t)
	want := publishedKeys(t, s)
	want = append([]string{s.RotateKeys()}, want...)
	if kids := publishedKeys(t, s); !slices.Equal(kids, want) {
		t.Errorf("keys %q, want %q", kids, want)
	}
}

func TestUsers(t *testing.T) {
	s := authgeartest.New(t)
	t.Run("roles and flags are current", func(t *testing.T) {
		id := s.AddUser(authgeartest.User{ID: "somebody", Roles: []string{"a"}})
		expect(t, "ID", id, "somebody")
		token := s.AccessToken(id)
		s.SetRoles(id, "b", "c")
		s.SetVerified(id, true)
		h := resolve(t, s, "Authorization", "Bearer "+token)
		roles := strings.Split(h.Get("X-Authgear-User-Roles"), ",")
		slices.Sort(roles)
		expect(t, "roles", strings.Join(roles, ","), "b,c")
		expect(t, "verified", h.Get("X-Authgear-User-Verified"), "true")
		s.SetRoles(id)
		if h := resolve(t, s, "Authorization", "Bearer "+token); h.Values("X-Authgear-User-Roles") != nil {
			t.Errorf("roles %q", h.Values("X-Authgear-User-Roles"))
		}
	})
	t.Run("deleted", func(t *testing.T) {
		id := s.AddUser(authgeartest.User{})
		s.DeleteUser(id)
		defer func() {
			if recover() == nil {
				t.Error("a token for a deleted user")
			}
		}()
		s.AccessToken(id)
	})
	t.Run("account ends by itself, and is prolonged", func(t *testing.T) {
		w := newWorld(t, authgeartest.Config{})
		w.clock.Store(time.Now().UnixNano())
		id := w.AddUser(authgeartest.User{})
		token := w.AccessToken(id)
		w.ValidUntil(id, w.time().Add(time.Minute))
		expect(t, "before", valid(t, w.Server, token), "true")
		w.clock.Add(int64(time.Minute))
		h := resolve(t, w.Server, "Authorization", "Bearer "+token)
		expect(t, "after", h.Get("X-Authgear-Session-Valid"), "false")
		if h.Values("Set-Cookie") != nil {
			t.Error("clears a cookie that was not sent")
		}
		w.ValidUntil(id, time.Time{})
		expect(t, "prolonged", valid(t, w.Server, token), "true")
	})
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Lifetime: 10 * time.Minute})
	w.clock.Store(time.Now().UnixNano())
	id := w.AddUser(authgeartest.User{})
	t.Run("expiry", func(t *testing.T) {
		jwt, opaque, cookie := w.AccessToken(id), w.OpaqueToken(id), w.SessionCookie(id, authgeartest.Token{ExpiresIn: time.Minute})
		short := w.AccessToken(id, authgeartest.Token{ExpiresIn: time.Minute})
		expired := w.AccessToken(id, authgeartest.Token{ExpiresIn: -time.Second})
		expect(t, "expired when minted", valid(t, w.Server, expired), "")
		cookieField := cookie.Name + "=" + cookie.Value
		expect(t, "cookie", resolve(t, w.Server, "Cookie", cookieField).Get("X-Authgear-Session-Valid"), "true")
		w.clock.Add(int64(time.Minute))
		expect(t, "short", valid(t, w.Server, short), "")
		h := resolve(t, w.Server, "Cookie", cookieField)
		expect(t, "expired cookie", h.Get("X-Authgear-Session-Valid"), "false")
		expect(t, "clearing", h.Get("Set-Cookie"), "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax")
		w.clock.Add(int64(9*time.Minute - time.Second))
		expect(t, "JWT", valid(t, w.Server, jwt), "true")
		expect(t, "opaque", valid(t, w.Server, opaque), "true")
		w.clock.Add(int64(time.Second))
		expect(t, "JWT", valid(t, w.Server, jwt), "")
		expect(t, "opaque", valid(t, w.Server, opaque), "")
	})
	t.Run("changed claims and header", func(t *testing.T) {
		added := w.AccessToken(id, authgeartest.Token{Claims: map[string]any{"tenant": "acme"}})
		expect(t, "an added claim", valid(t, w.Server, added), "true")
		for name, token := range map[string]authgeartest.Token{
			"audience": {Claims: map[string]any{"aud": []string{"https://other.example"}}},
			"no exp":   {Claims: map[string]any{"exp": nil}},
			"nbf":      {Claims: map[string]any{"nbf": w.time().Add(time.Minute).Unix()}},
			"subject":  {Claims: map[string]any{"sub": "other"}},
			"issuer":   {Claims: map[string]any{"iss": "https://other.example"}},
			"typ":      {Header: map[string]any{"typ": "JWT"}},
			"kid":      {Header: map[string]any{"kid": "other"}},
			"no kid":   {Header: map[string]any{"kid": nil}},
		} {
			expect(t, name, valid(t, w.Server, w.AccessToken(id, token)), "")
		}
		signed := read(t, w.Sign(map[string]any{"crit": []string{"b64"}, "typ": nil}, map[string]any{"sub": 1}))
		if _, typ := signed.Header["typ"]; typ || signed.Header["crit"] == nil || signed.Header["kid"] == nil || signed.Claims["sub"] != 1.0 || len(signed.Claims) != 1 {
			t.Errorf("signed %v", signed)
		}
	})
	t.Run("what is no session", func(t *testing.T) {
		signed := read(t, w.AccessToken(id)).Claims
		signed["jti"] = strings.Repeat("0", 64)
		for name, token := range map[string]string{
			"signed":       w.Sign(nil, signed),
			"cookie value": w.SessionCookie(id).Value,
		} {
			expect(t, name, valid(t, w.Server, token), "")
		}
		expect(t, "token as cookie", resolve(t, w.Server, "Cookie", "session="+w.OpaqueToken(id)).Get("X-Authgear-Session-Valid"), "false")
	})
	// Facts §4: only a refused session cookie of the project's own name is told.
	t.Run("cookies refused silently or not", func(t *testing.T) {
		prefixed := authgeartest.New(t, authgeartest.Config{CookiePrefix: "acme_"})
		for _, c := range []struct {
			server *authgeartest.Server
			cookie string
			want   string
		}{
			{w.Server, "app_session=~", ""},
			{w.Server, "app_access_token=~", ""},
			{w.Server, "app_session=~; app_access_token=~; session=~", "false"},
			{w.Server, "acme_session=~", ""},
			{prefixed, "acme_session=~", "false"},
			{prefixed, "session=~", ""},
			{w.Server, "app_session=" + w.AppSessionCookie(id).Value + "; session=~", "true"},
		} {
			h := resolve(t, c.server, "Cookie", c.cookie)
			expect(t, c.cookie, h.Get("X-Authgear-Session-Valid"), c.want)
			if cleared := h.Get("Set-Cookie") != ""; cleared != (c.want == "false") {
				t.Errorf("%s: cleared %v", c.cookie, cleared)
			}
		}
	})
	t.Run("revocation", func(t *testing.T) {
		cookie := w.SessionCookie(id).Value
		w.Revoke("unknown")
		w.Revoke(cookie)
		expect(t, "cookie", resolve(t, w.Server, "Cookie", "session="+cookie).Get("X-Authgear-Session-Valid"), "false")
	})
	t.Run("two Authorization lines", func(t *testing.T) {
		host := strings.TrimPrefix(w.URL(), "http://")
		for _, c := range []struct{ first, second, want string }{
			{w.OpaqueToken(id), "nope", "true"},
			{"nope", w.OpaqueToken(id), ""},
		} {
			res, _ := send(t, w.URL(), "GET", "/_resolver/resolve", [][2]string{{"Host", host}, {"Authorization", "Bearer " + c.first}, {"Authorization", "Bearer " + c.second}}, "")
			expect(t, c.first, res.Header.Get("X-Authgear-Session-Valid"), c.want)
		}
	})
}

func TestCookieAttributes(t *testing.T) {
	s := authgeartest.New(t, authgeartest.Config{Endpoint: httpsOrigin, CookiePrefix: "acme_", CookieDomain: "example.com"})
	c := s.SessionCookie(s.AddUser(authgeartest.User{}))
	value := c.Value
	c.Value = ""
	expect(t, "cookie", c.String(), "acme_session=; Path=/; Domain=example.com; Max-Age=86400; HttpOnly; Secure; SameSite=Lax")
	res, _ := send(t, s.URL(), "HEAD", "/resolve", [][2]string{{"Host", "auth.example.com"}, {"Cookie", "acme_session=" + value}}, "")
	expect(t, "HEAD at the short path", res.Header.Get("X-Authgear-Session-Valid"), "true")
}

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
	s.SetDown(true) // and is closed like that
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

// Facts §4: what a fault of PostgreSQL or Redis makes of each credential, beside
// the canary. "check" is a token of nobody, "canary" the canary alone.
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
		expect(t, "canary", ask("canary"), "false") // at once
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
