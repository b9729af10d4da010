package authgeartest_test

import (
	"maps"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func TestTokenForAShell(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	w.AddUser(authgeartest.User{ID: "alice", Roles: []string{"editor"}})
	status, first := get(t, w.URL()+"/token/alice")
	expect(t, strconv.Itoa(status)+", and it is alice's", resolve(t, w.Server, "Authorization", "Bearer "+first).Get("X-Authgear-User-Id"), "alice")
	_, second := get(t, w.URL()+"/token/alice?client_id=mobile")
	if expect(t, "client", read(t, second).Claims["client_id"].(string), "mobile"); first == second {
		t.Error("the same token again")
	}
	_, expired := get(t, w.URL()+"/token/alice?expires_in=-60")
	expect(t, "an expired token", valid(t, w.Server, expired), "")

	for age, login := range map[string]time.Time{"0": w.time(), "3600": w.time().Add(-time.Hour)} {
		_, token := get(t, w.URL()+"/token/alice?login_age="+age)
		claims := read(t, token).Claims
		if claims["auth_time"] != float64(login.Unix()) || claims["iat"] != float64(w.time().Unix()) {
			t.Errorf("login_age=%s: %v", age, claims)
		}
		expect(t, "login_age="+age, authTime(resolve(t, w.Server, "Authorization", "Bearer "+token)), seconds(login))
	}
}

func TestClientTokenForAShell(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	for query, scope := range map[string]string{"": "", "&scope=read:orders": "read:orders", "&scope=read:orders+write:orders": "read:orders write:orders", "&scope=+read:orders++write:orders": "read:orders write:orders"} {
		_, minted := get(t, w.URL()+"/client-token/reporter?resource=https://api.example.com"+query)
		token := read(t, minted)
		expect(t, "typ", token.Header["typ"].(string), "at+jwt")
		for name, want := range map[string]any{
			"client_id": "reporter", "sub": "client_id_reporter", "scope": scope,
			"iat": float64(w.time().Unix()), "exp": float64(w.time().Add(30 * time.Minute).Unix()),
		} {
			if token.Claims[name] != want {
				t.Errorf("%q: %s is %v, want %v", query, name, token.Claims[name], want)
			}
		}
		if audience, _ := token.Claims["aud"].([]any); !slices.Equal(audience, []any{"https://api.example.com"}) {
			t.Errorf("aud %v", audience)
		}
	}
}

func TestReauthenticationForAShell(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	alice := w.AddUser(authgeartest.User{})
	aged := authgeartest.Token{AuthTime: w.time().Add(-time.Hour), ClientID: "mobile"}
	ask := func(fields ...[2]string) (int, string) {
		t.Helper()
		host := [2]string{"Host", strings.TrimPrefix(w.URL(), "http://")}
		res, body := send(t, w.URL(), "GET", "/reauthenticate", append([][2]string{host}, fields...), "")
		return res.StatusCode, body
	}
	bearer := func(token string) [2]string { return [2]string{"Authorization", "Bearer " + token} }
	cookie := func(value string) [2]string { return [2]string{"Cookie", "session=" + value} }

	for name, sent := range map[string][2]string{
		"JWT":    bearer(w.AccessToken(alice, aged)),
		"opaque": bearer(w.OpaqueToken(alice, aged)),
		"cookie": cookie(w.SessionCookie(alice, aged).Value),
	} {
		w.clock.Add(int64(time.Minute))
		status, body := ask(sent)
		if status != 200 {
			t.Errorf("%s: %d %q", name, status, body)
			continue
		}
		token := read(t, body)
		if audience, _ := token.Claims["aud"].([]any); token.Header["typ"] != "JWT" || !slices.Equal(audience, []any{"mobile"}) ||
			token.Claims["sub"] != alice || token.Claims["auth_time"] != float64(w.time().Unix()) {
			t.Errorf("%s: %v", name, token)
		}
		expect(t, name, authTime(resolve(t, w.Server, sent[0], sent[1])), seconds(w.time()))
	}

	revoked := w.OpaqueToken(alice)
	w.RevokeSession(revoked)
	google := bearer(w.AccessToken(w.AddUser(authgeartest.User{CannotReauthenticate: true}), aged))
	for name, c := range map[string]struct {
		sent [][2]string
		want int
	}{
		"nothing":                   {nil, 401},
		"an unknown token":          {[][2]string{bearer("nope")}, 401},
		"a revoked token":           {[][2]string{bearer(revoked)}, 401},
		"an expired token":          {[][2]string{bearer(w.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Second}))}, 401},
		"an ID token":               {[][2]string{bearer(w.IDToken(alice, "spa"))}, 401},
		"a client's token":          {[][2]string{bearer(w.ClientToken("m2m", "https://api.example.com"))}, 401},
		"a stale cookie":            {[][2]string{cookie("~")}, 401},
		"cannot reauthenticate":     {[][2]string{google}, 403},
		"token and a stale cookie":  {[][2]string{bearer(w.AccessToken(alice)), cookie("~")}, 200},
		"an anonymous user's token": {[][2]string{bearer(w.AccessToken(w.AddUser(authgeartest.User{Anonymous: true})))}, 403},
		"forwarded from https":      {[][2]string{bearer(w.AccessToken(alice)), {"X-Forwarded-Proto", "https"}}, 200},
	} {
		if status, body := ask(c.sent...); status != c.want {
			t.Errorf("%s: %d %q", name, status, body)
		}
	}
	expect(t, "after a refusal", authTime(resolve(t, w.Server, google[0], google[1])), seconds(aged.AuthTime))

	// Reauthentication does not change a request that a test's handler passes on.
	request := httptest.NewRequest("GET", w.URL()+"/reauthenticate", nil)
	request.Header.Set("Authorization", "Bearer "+w.AccessToken(alice))
	header := request.Header.Clone()
	answer := httptest.NewRecorder()
	if w.ServeHTTP(answer, request); answer.Code != 200 || !maps.EqualFunc(request.Header, header, slices.Equal) {
		t.Errorf("%d, and the request's header is %v", answer.Code, request.Header)
	}

	w.SetOutage(true)
	if status, _ := ask(bearer(w.AccessToken(alice))); status != 500 {
		t.Errorf("in an outage: %d", status)
	}
	w.SetOutage(false)
	w.SetRedisHanging(time.Hour)
	if status, _ := ask(bearer(w.AccessToken(alice))); status != 500 {
		t.Errorf("while Redis hangs: %d", status)
	}
}

// A shell has to ask for the host of Endpoint, whatever address it connects to.
func TestHostOfAShell(t *testing.T) {
	for endpoint, hosts := range map[string]map[string]int{
		"https://myapp.example":   {"myapp.example": 200, "myapp.example:8443": 200, "localhost": 404, "127.0.0.1:1": 404, "": 404},
		"https://[2001:db8::1]":   {"[2001:db8::1]": 200, "[2001:db8::1]:8443": 200, "[2001:db8::2]": 404, "localhost": 404},
		"http://localhost:3100":   {"localhost": 200, "127.0.0.1:3100": 200, "[::1]": 404, "myapp.example": 404},
		"http://127.0.0.1:3100":   {"localhost:1": 200, "127.0.0.1": 200, "127.0.0.2": 404},
		"http://x.localhost:3100": {"x.localhost": 200, "localhost": 404},
	} {
		s := authgeartest.New(t, authgeartest.Config{Endpoint: endpoint})
		s.AddUser(authgeartest.User{ID: "alice"})
		for host, want := range hosts {
			if res, body := send(t, s.URL(), "GET", "/token/alice", [][2]string{{"Host", host}}, ""); res.StatusCode != want {
				t.Errorf("%s as %q: %d %q", endpoint, host, res.StatusCode, body)
			}
		}
	}
}

// Only a request that names this host gets a token.
func TestWhatAShellMayAsk(t *testing.T) {
	s := authgeartest.New(t)
	token := s.AccessToken(s.AddUser(authgeartest.User{ID: "alice"}))
	const client = "/client-token/m2m?resource=https://api.example.com"
	for name, c := range map[string]struct {
		method, path, host string
		want               int
	}{
		"unknown user":              {"GET", "/token/bob", "127.0.0.1", 404},
		"empty user ID":             {"GET", "/token/", "127.0.0.1", 404},
		"empty client ID":           {"GET", "/client-token/?resource=https://api.example.com", "127.0.0.1", 404},
		"no slash at the end":       {"GET", "/client-token", "127.0.0.1", 404},
		"expires_in is no number":   {"GET", "/token/alice?expires_in=soon", "127.0.0.1", 400},
		"empty age":                 {"GET", "/token/alice?login_age=", "127.0.0.1", 400},
		"an age in words":           {"GET", "/token/alice?login_age=old", "127.0.0.1", 400},
		"a future login":            {"GET", "/token/alice?login_age=-1", "127.0.0.1", 400},
		"a plus sign":               {"GET", "/token/alice?login_age=%2B1", "127.0.0.1", 400},
		"half a second":             {"GET", "/token/alice?login_age=0.5", "127.0.0.1", 400},
		"a thousand years":          {"GET", "/token/alice?login_age=31557600000", "127.0.0.1", 400},
		"no resource":               {"GET", "/client-token/m2m?scope=read", "127.0.0.1", 400},
		"an empty resource":         {"GET", "/client-token/m2m?resource=", "127.0.0.1", 400},
		"a token":                   {"GET", "/token/alice", "localhost:1", 200},
		"a client's token":          {"GET", client, "localhost:1", 200},
		"reauthentication":          {"GET", "/reauthenticate", "localhost:1", 200},
		"unknown":                   {"GET", "/reauthenticate/", "127.0.0.1", 404},
		"POST, a token":             {"POST", "/token/alice", "127.0.0.1", 405},
		"POST, a client's token":    {"POST", client, "127.0.0.1", 405},
		"POST, reauthenticate":      {"POST", "/reauthenticate", "127.0.0.1", 405},
		"rebound, a token":          {"GET", "/token/alice", "rebound.example", 404},
		"rebound, a client's token": {"GET", client, "rebound.example", 404},
		"rebound, reauthenticate":   {"GET", "/reauthenticate", "rebound.example", 404},
	} {
		// A page can set X-Forwarded-Host, but not Host.
		for _, forwarded := range []string{"", "127.0.0.1", "elsewhere.example"} {
			fields := [][2]string{{"Host", c.host}, {"Authorization", "Bearer " + token}}
			if forwarded != "" {
				fields = append(fields, [2]string{"X-Forwarded-Host", forwarded})
			}
			res, body := send(t, s.URL(), c.method, c.path, fields, "")
			if res.StatusCode != c.want || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") ||
				(res.Header.Get("Cache-Control") == "no-store") != (c.want == 200) || strings.Contains(body, "eyJ") != (c.want == 200) {
				t.Errorf("%s %q: %d %v %q", name, forwarded, res.StatusCode, slices.Sorted(maps.Keys(res.Header)), body)
			}
		}
	}
}
