// Package examples_test runs the example servers as their users do.
package examples_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

var frameworks = []string{"gin", "echo", "echov5", "fiber", "fiberv3", "nethttp"}

// programs is where TestMain builds the servers.
var programs string

// The same request gets the same answer on all frameworks, through their CORS
// middleware. Refusals are the same to the byte, and identities are the same JSON.
func TestContract(t *testing.T) {
	t.Parallel()
	project := authgeartest.New(t)
	token := func(user authgeartest.User, change ...authgeartest.Token) string {
		return project.AccessToken(project.AddUser(user), change...)
	}
	tokens := map[string]string{
		"none":      "",
		"alice":     token(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"editor", "admin", "admin"}}, authgeartest.Token{ClientID: "spa"}),
		"bob":       token(authgeartest.User{ID: "bob"}, authgeartest.Token{ClientID: "spa"}),
		"guest":     token(authgeartest.User{ID: "guest", Anonymous: true}, authgeartest.Token{ClientID: "spa"}),
		"client":    project.ClientToken("spa", "https://api.example.com", "read", "write"),
		"expired":   token(authgeartest.User{ID: "late"}, authgeartest.Token{ExpiresIn: -time.Hour}),
		"audience":  token(authgeartest.User{ID: "lost"}, authgeartest.Token{Claims: map[string]any{"aud": "https://other.example.com"}}),
		"stranger":  token(authgeartest.User{ID: "stranger"}, authgeartest.Token{ClientID: "other"}),
		"opaque":    project.OpaqueToken("alice"),
		"malformed": "a.b.c",
	}
	const (
		none = `{"error":"authentication_required","error_description":"This request needs an access token."}` + "\n"
		role = `{"error":"role_missing","error_description":"This request needs a role that the user does not have."}` + "\n"
	)
	wanted := []struct {
		method, path, token string
		status              int
		body                string // a part of it
	}{
		{"GET", "/healthz", "none", 200, ""},
		{"GET", "/readyz", "none", 200, ""},
		{"HEAD", "/healthz", "none", 200, ""},
		{"GET", "/public", "none", 200, `{"identity":null}`},
		{"GET", "/public", "alice", 200, `{"identity":{"kind":"user","id":"alice","client_id":"spa","anonymous":false,"verified":true,"can_reauthenticate":true,"roles":["admin","editor"],`},
		{"GET", "/public", "expired", 401, "The access token has expired."},
		{"GET", "/me", "none", 401, none},
		{"HEAD", "/me", "none", 401, ""},
		{"GET", "/me", "alice", 200, `"id":"alice"`},
		{"HEAD", "/me", "alice", 200, ""},
		{"POST", "/me", "alice", 200, `"id":"alice"`},
		{"PUT", "/me", "alice", 200, `"id":"alice"`},
		{"PATCH", "/me", "alice", 200, `"id":"alice"`},
		{"DELETE", "/me", "alice", 200, `"id":"alice"`},
		{"GET", "/me", "client", 403, "This request is not allowed for this kind of sender."},
		{"GET", "/public", "client", 200, `{"identity":{"kind":"client","id":"client_id_spa","client_id":"spa","anonymous":true,"verified":false,"can_reauthenticate":false,"scopes":["read","write"],`},
		{"GET", "/me", "expired", 401, "The access token has expired."},
		{"GET", "/me", "audience", 401, "The access token is meant for somebody else."},
		{"GET", "/me", "stranger", 401, "The access token was issued to a client that is not accepted."},
		{"GET", "/me", "opaque", 401, ""},
		{"GET", "/me", "malformed", 401, "The access token is malformed."},
		{"GET", "/admin", "alice", 200, `"id":"alice"`},
		{"GET", "/admin", "bob", 403, role},
		{"GET", "/verified", "alice", 200, `"id":"alice"`},
		{"GET", "/verified", "bob", 403, "This request needs a verified user."},
		{"GET", "/members", "bob", 200, `"id":"bob"`},
		{"GET", "/members", "guest", 403, "This request needs a user who is not anonymous."},
		{"GET", "/members", "client", 403, "This request is not allowed for this kind of sender."},
	}
	for mode, opaque := range map[string]string{
		"jwt":    "The access token is not a JSON Web Token.",
		"hybrid": "The access token was issued to a client that is not accepted.", // Authgear and the SDK cannot say more about this token
	} {
		expectations := make([]expectation, len(wanted))
		for i, w := range wanted {
			headers := []string{"Origin: https://app.example.com"}
			if token := tokens[w.token]; token != "" {
				headers = append(headers, bearer(token))
			}
			if w.token == "opaque" {
				w.body = opaque
			}
			expectations[i] = expectation{w.method, w.path, headers, w.status, w.body}
		}
		agree(t, []string{
			"AUTHGEAR_ENDPOINT=" + project.Endpoint(), "AUTHGEAR_MODE=" + mode, "AUTHGEAR_CLIENT_IDS=spa, mobile",
			"AUTHGEAR_RESOURCES=https://api.example.com", "CORS_ORIGINS=https://app.example.com",
		}, expectations)
	}
}

// The service starts while Authgear is down, says so, and recovers by itself.
func TestStartsWithoutAuthgear(t *testing.T) {
	t.Parallel()
	project := authgeartest.New(t)
	token := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	project.SetDown(true)
	servers := map[string]*server{}
	for _, mode := range []string{"jwt", "hybrid"} {
		for _, framework := range frameworks {
			servers[framework+", "+mode] = start(t, framework, "AUTHGEAR_MODE="+mode, "AUTHGEAR_ENDPOINT="+project.Endpoint())
		}
	}
	for framework, s := range servers {
		if got := s.ask(t, "GET", "/readyz", ""); got.status != 503 {
			t.Errorf("%s: not ready is %d", framework, got.status)
		}
		got := s.ask(t, "GET", "/public", token)
		if got.status != 503 || got.retry == "" || got.challenge != "" || !strings.Contains(got.body, `"temporarily_unavailable"`) {
			t.Errorf("%s: %+v", framework, got)
		}
		if got := s.ask(t, "GET", "/public", ""); got.status != 200 {
			t.Errorf("%s: a request without credentials needs no Authgear: %+v", framework, got)
		}
	}
	project.SetDown(false)
	for framework, s := range servers {
		deadline := time.Now().Add(time.Minute)
		for s.ask(t, "GET", "/readyz", "").status != 200 {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not recover", framework)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if got := s.ask(t, "GET", "/me", token); got.status != 200 {
			t.Errorf("%s: %+v", framework, got)
		}
		s.stop(t)
	}
}

// After SIGTERM the service accepts no new request, and answers those that are running.
func TestStops(t *testing.T) {
	t.Parallel()
	for _, framework := range frameworks {
		project := authgeartest.New(t)
		token := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
		asked, release := make(chan struct{}), make(chan struct{})
		project.Handle("/oauth2/jwks", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(asked)
			select {
			case <-release:
				project.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		}))
		s := start(t, framework, "AUTHGEAR_ENDPOINT="+project.Endpoint())
		request, err := http.NewRequest("GET", s.url+"/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		status := make(chan int, 1)
		go func() {
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				status <- 0
				return
			}
			_ = response.Body.Close()
			status <- response.StatusCode
		}()
		<-asked
		s.terminate(t)
		for deadline := time.Now().Add(time.Minute); ; {
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				break
			}
			_ = conn.Close()
			if time.Now().After(deadline) {
				t.Fatalf("%s accepts connections after SIGTERM", framework)
			}
		}
		close(release)
		if got := <-status; got != 200 {
			t.Errorf("%s: the running request is answered %d", framework, got)
		}
		s.wait(t)
	}
}

// A connection that never sends a request does not delay the end.
func TestStopsWithIdleConnection(t *testing.T) {
	t.Parallel()
	for _, framework := range frameworks {
		t.Run(framework, func(t *testing.T) {
			t.Parallel()
			s := start(t, framework)
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\n"); err != nil {
				t.Fatal(err)
			}
			if got := s.ask(t, "GET", "/healthz", ""); got.status != 200 { // now the server has accepted conn
				t.Fatal(got.status)
			}
			s.stop(t)
			if log := s.log.String(); strings.Contains(log, "did not finish in time") {
				t.Error(log)
			}
		})
	}
}

// Scripts of the configured origins may read refusals. A preflight needs no
// credentials. Scripts may send cookies only if all origins of CORS are trusted, since
// the middleware of some frameworks cannot tell the origins apart.
func TestCORS(t *testing.T) {
	t.Parallel()
	const origins = "https://app.example.com,https://admin.example.com"
	for trusted, credentials := range map[string]string{"": "", "https://app.example.com": "", origins: "true"} {
		for _, framework := range frameworks {
			s := start(t, framework, "AUTHGEAR_MODE=resolver", "CORS_ORIGINS="+origins, "AUTHGEAR_TRUSTED_ORIGINS="+trusted)
			for method, status := range map[string]int{"OPTIONS": 2, "GET": 4} {
				request, err := http.NewRequest(method, s.url+"/me", nil)
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Origin", "https://admin.example.com")
				if method == "OPTIONS" {
					request.Header.Set("Access-Control-Request-Method", "DELETE")
					request.Header.Set("Access-Control-Request-Headers", "authorization,x-id-token")
				}
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				h := response.Header
				exposed := strings.ToLower(h.Get("Access-Control-Expose-Headers"))
				allowed := strings.ToLower(h.Get("Access-Control-Allow-Headers"))
				if response.StatusCode/100 != status || h.Get("Access-Control-Allow-Origin") != "https://admin.example.com" ||
					h.Get("Access-Control-Allow-Credentials") != credentials ||
					method == "OPTIONS" && !strings.Contains(h.Get("Access-Control-Allow-Methods"), "DELETE") ||
					method == "OPTIONS" && (!strings.Contains(allowed, "authorization") || !strings.Contains(allowed, "x-id-token")) ||
					method == "GET" && (!strings.Contains(exposed, "www-authenticate") || !strings.Contains(exposed, "retry-after")) {
					t.Errorf("%s, %q trusted: %s %d %v", framework, trusted, method, response.StatusCode, h)
				}
			}
			s.stop(t)
		}
	}
}

// A wrong value ends the program with status 2 and one line that names the variable. In
// each of these cases the last variable is wrong.
func TestWrongValues(t *testing.T) {
	t.Parallel()
	const secret = "AUTHGEAR_PROXY_SECRET=0123456789abcdef0123456789abcdef"
	for mode, values := range map[string][]string{
		"jwt": {
			"ADDR=nonsense", "ADDR=127.0.0.1:99999", "ADDR= :0", "AUTHGEAR_MODE=magic", "AUTHGEAR_MODE=Hybrid", "AUTHGEAR_FRESHNESS=1s", "AUTHGEAR_WEBHOOK_SECRET=a", "REDIS_URL=redis://127.0.0.1:6379",
			"AUTHGEAR_ENDPOINT=myapp.authgear.cloud", "AUTHGEAR_ENDPOINT=http://10.0.0.1", "AUTHGEAR_RESOURCES=my-client",
			"AUTHGEAR_CLIENT_IDS=a,,b", "AUTHGEAR_INTERNAL_URL=http://127.0.0.1:3000", "AUTHGEAR_INSECURE_HTTP=yes",
			"CORS_ORIGINS=app.example.com", "CORS_ORIGINS=https://app.example.com/", "CORS_ORIGINS=*,https://app.example.com",
			"CORS_ORIGINS=https://*.example.com", "CORS_ORIGINS=https://app.example.com:99999",
			"AUTHGEAR_TRUSTED_ORIGINS=app.example.com", "AUTHGEAR_TOKEN_COOKIE=a b", "AUTHGEAR_COOKIES=session",
			"AUTHGEAR_RESOLVER_URL=http://127.0.0.1/resolve", secret,
			"AUTHGEAR_RESOURCES=http://api.example.com", "AUTHGEAR_RESOURCES=https://api.example.com/?a=b",
			"AUTHGEAR_ENDPOINT=https://a.example;AUTHGEAR_RESOURCES=https://a.example/api",
			"AUTHGEAR_ID_TOKEN_CLIENTS=spa,,mobile", "AUTHGEAR_ID_TOKEN_CLIENTS=https://a.example",
		},
		"resolver": {
			"AUTHGEAR_CLIENT_IDS=spa", "AUTHGEAR_ID_TOKEN_CLIENTS=spa", "AUTHGEAR_RESOURCES=https://api.example.com", "AUTHGEAR_RESOLVER_URL=http://127.0.0.1/resolve",
			"AUTHGEAR_ENDPOINT=https://a.example;AUTHGEAR_RESOLVER_URL=https://b.example", "AUTHGEAR_COOKIES=session,,x",
			"AUTHGEAR_TOKEN_COOKIE=session", "AUTHGEAR_CACHE_TTL=10", "AUTHGEAR_CACHE_TTL=-1s", "AUTHGEAR_STALE_IF_ERROR=-1s", secret,
		},
		"hybrid": {
			"AUTHGEAR_ENDPOINT=http://10.0.0.1", "AUTHGEAR_CLIENT_IDS=a,,b", "AUTHGEAR_RESOURCES=my-client", "AUTHGEAR_RESOLVER_URL=http://127.0.0.1/resolve",
			"AUTHGEAR_TOKEN_COOKIE=session", "AUTHGEAR_COOKIES=session,,x", "AUTHGEAR_CACHE_TTL=1s", "AUTHGEAR_ID_TOKEN_CLIENTS=spa",
			"AUTHGEAR_FRESHNESS=10", "AUTHGEAR_FRESHNESS=-1s", "AUTHGEAR_MAX_STALE=-1s", "AUTHGEAR_FRESHNESS=10s;AUTHGEAR_MAX_STALE=9s",
			"AUTHGEAR_WEBHOOK_SECRET=a,,b", "REDIS_URL=127.0.0.1:6379", "REDIS_URL=http://127.0.0.1:6379",
		},
		"forwarded": {
			"AUTHGEAR_TRUSTED_PROXIES or AUTHGEAR_PROXY_SECRET=", secret + ";AUTHGEAR_ENDPOINT=https://a.example", secret + ";AUTHGEAR_CACHE_TTL=1s",
			secret + ";AUTHGEAR_ID_TOKEN_CLIENTS=spa", "AUTHGEAR_PROXY_SECRET=short", "AUTHGEAR_TRUSTED_PROXIES=127.0.0.1", "AUTHGEAR_TRUSTED_PROXIES=::/0", secret + ";AUTHGEAR_FORWARDED_ROLES=yes",
		},
	} {
		for i, value := range values {
			variables := strings.Split("ADDR=127.0.0.1:0;AUTHGEAR_MODE="+mode+";"+value, ";")
			want, _, _ := strings.Cut(variables[len(variables)-1], "=")
			status, line := fails(t, frameworks[i%len(frameworks)], variables...)
			if status != 2 || !strings.HasPrefix(line, want+": ") || strings.Count(line, "\n") != 1 {
				t.Errorf("%q: %d, %s", variables, status, line)
			}
		}
	}
}

// If the port is taken, the program ends with one line that says what to change.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	taken := authgeartest.New(t).Endpoint()
	for _, framework := range frameworks {
		status, line := fails(t, framework, "ADDR="+strings.TrimPrefix(taken, "http://"))
		if status != 1 || !strings.HasPrefix(line, "ADDR: ") || !strings.Contains(line, " is taken by another program; ") || strings.Count(line, "\n") != 1 {
			t.Errorf("%s: %d, %s", framework, status, line)
		}
	}
}
