// Tests of functions that are in documents. They are compiled together.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v3"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

var (
	silent      = &authgear.Observer{}
	noTimeLimit = fiber.TestConfig{} // without fiber's time-out of a second
)

func newJWT(t *testing.T, server *authgeartest.Server) *authgear.JWT {
	t.Helper()
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint(), Observer: silent})
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

func newResolver(t *testing.T, server *authgeartest.Server) *authgear.Resolver {
	t.Helper()
	auth, err := authgear.NewResolver(authgear.ResolverConfig{Endpoint: server.Endpoint(), Timeout: time.Minute, Observer: silent})
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// bearer sends a token with each request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func TestMCP(t *testing.T) {
	project := authgeartest.New(t)
	alice, bob := project.AddUser(authgeartest.User{ID: "alice"}), project.AddUser(authgeartest.User{ID: "bob"})
	server := mcp.NewServer(&mcp.Implementation{Name: "test"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami"}, func(_ context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		user := r.Extra.TokenInfo.Extra["user"].(*authgear.Identity)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: user.ID}}}, nil, nil
	})
	for kind, c := range map[string]struct {
		auth authgear.Authenticator
		mint func(string) string
	}{
		"jwt":    {newJWT(t, project), func(user string) string { return project.AccessToken(user) }},
		"opaque": {newResolver(t, project), func(user string) string { return project.OpaqueToken(user) }},
	} {
		endpoint := httptest.NewServer(mcpServer(authgearhttp.New(c.auth), server))
		defer endpoint.Close()
		client := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil)
		session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
			Endpoint: endpoint.URL, HTTPClient: &http.Client{Transport: bearer(c.mint(alice))},
		}, nil)
		if err != nil {
			t.Fatal(kind, err)
		}
		defer func() { _ = session.Close() }()
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "whoami"})
		if err != nil || result.Content[0].(*mcp.TextContent).Text != "alice" {
			t.Error(kind, result, err)
		}
		for want, token := range map[int]string{401: "", 403: c.mint(bob)} { // 403: the session is alice's
			r, err := http.NewRequest("POST", endpoint.URL, strings.NewReader(`{"jsonrpc":"2.0","id":9,"method":"tools/list"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Mcp-Session-Id": {session.ID()}}
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("%s: %d, want %d", kind, response.StatusCode, want)
			}
		}
	}
}

func TestGateway(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AddUser(authgeartest.User{ID: "alice", Roles: []string{"admin"}})
	const secret = "0123456789abcdef0123456789abcdef"
	forwarded, err := authgear.NewForwarded(authgear.ForwardedConfig{Secrets: []string{secret}, TrustRoles: true, Observer: silent})
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(authgearhttp.New(forwarded).Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Join(authgearhttp.MustUser(r).Roles, ",")+", token: "+r.Header.Get("Authorization")+".")
	})))
	defer service.Close()
	address, err := url.Parse(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	handler := gateway(authgearhttp.New(newResolver(t, project)), address, secret)
	cookie := project.SessionCookie(alice)
	for _, c := range []struct {
		headers string
		want    string
	}{
		{"Authorization: Bearer " + project.OpaqueToken(alice) + "\nSec-Fetch-Site: cross-site", "200 admin, token: ."},
		{"Cookie: " + cookie.Name + "=" + cookie.Value, "200 admin, token: ."},
		{"Cookie: " + cookie.Name + "=" + cookie.Value + "\nSec-Fetch-Site: cross-site", `403 {"error":"cross_origin",`},
		{"X-Authgear-Session-Valid: true\nX-Authgear-User-Id: alice", `401 {"error":"authentication_required",`},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		for line := range strings.SplitSeq(c.headers, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if got := w.Result().Status[:4] + w.Body.String(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q: %s", c.headers, got)
		}
	}
}

func TestVerifyWithoutRequest(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	auth := newJWT(t, project)
	expired := project.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Minute})

	generated := security{newResolver(t, project)}
	ctx, err := generated.HandleBearerAuth(t.Context(), "GetMe", BearerAuth{Token: project.OpaqueToken(alice)})
	if user, ok := authgear.UserFromContext(ctx); err != nil || !ok || user.ID != "alice" {
		t.Error(user, err)
	}
	_, err = generated.HandleBearerAuth(t.Context(), "GetMe", BearerAuth{Token: expired})
	w := httptest.NewRecorder()
	answer(t.Context(), w, nil, err)
	if w.Code != 401 || !strings.Contains(w.Header().Get("WWW-Authenticate"), `error="invalid_token"`) {
		t.Error(w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+expired)
	authgearhttp.New(auth, authgearhttp.Config{ErrorHandler: envelope}).Require()(http.NotFoundHandler()).ServeHTTP(w, r)
	if want := `{"code":"invalid_token","title":"The access token has expired."}`; w.Code != 401 || strings.TrimSpace(w.Body.String()) != want || w.Header().Get("WWW-Authenticate") == "" {
		t.Error(w.Code, w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	envelope(w, r, &authgear.Error{Reason: authgear.ReasonInsufficientUserAuthentication})
	if want := `{"code":"insufficient_user_authentication","hint":"Sign in again, then try again.","title":"This request needs a more recent login."}`; w.Code != 401 || strings.TrimSpace(w.Body.String()) != want {
		t.Error(w.Code, w.Body)
	}
}

// No user gets another user's page from the cache.
func TestCached(t *testing.T) {
	project := authgeartest.New(t)
	app := fiber.New()
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: project.Endpoint(), TokenCookie: "access", Observer: silent})
	if err != nil {
		t.Fatal(err)
	}
	cached(app, authgearfiberv3.New(auth))
	app.Get("/me", func(c fiber.Ctx) error { return c.SendString(authgearfiberv3.MustUser(c).ID) })
	app.Get("/public", func(c fiber.Ctx) error {
		c.Set("Cache-Control", "public, max-age=60")
		return c.SendString(authgearfiberv3.MustUser(c).ID)
	})
	get := func(path, name, value string) string {
		r := httptest.NewRequest("GET", path, nil)
		if value != "" {
			r.Header.Set(name, value)
		}
		response, err := app.Test(r, noTimeLimit)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.Header.Get("X-Cache") + " " + string(body)
	}
	alice := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	bob := project.AccessToken(project.AddUser(authgeartest.User{ID: "bob"}))
	for _, c := range []struct{ path, name, value, want string }{
		{"/me", "Cookie", "access=" + alice, "miss alice"},
		{"/me", "Cookie", "access=" + bob, "miss bob"},
		{"/me", "Cookie", "access=" + alice, "hit alice"},
		{"/me", "", "", ` {"error":"authentication_required",`},
		{"/me?x", "Authorization", "Bearer " + alice, "unreachable alice"},
		{"/me?x", "Authorization", "Bearer " + alice, "unreachable alice"},
		{"/public", "Authorization", "Bearer " + alice, "miss alice"},
		{"/public", "Authorization", "Bearer " + alice, "hit alice"},
		{"/public", "Authorization", "Bearer " + bob, "miss bob"},
	} {
		if got := get(c.path, c.name, c.value); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s by %s: %q, want %q", c.path, c.name, got, c.want)
		}
	}
}

// The policies and the handler share one query, also if the second policy of Any
// allows. A recent login is needed only for large amounts. An outage of the database
// does not count as a denial.
func TestPayments(t *testing.T) {
	project := authgeartest.New(t)
	alice, bob := project.AddUser(authgeartest.User{ID: "alice"}), project.AddUser(authgeartest.User{ID: "bob"})
	carol := project.AddUser(authgeartest.User{ID: "carol", Roles: []string{"finance"}})
	loads := 0
	load := func(_ context.Context, id string) (*payment, error) {
		loads++
		switch id {
		case "small":
			return &payment{Approver: alice, Amount: 5}, nil
		case "large":
			return &payment{Approver: alice, Amount: 5000}, nil
		case "down":
			return nil, errors.New("the database is down")
		}
		return nil, nil
	}
	auth := newJWT(t, project)
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	approver := authgear.Any(authgear.PolicyFunc(isApprover), authgear.Role("finance"))
	r.POST("/payments/:id", authgeargin.New(auth).Require(loadPaymentGin(load), approver), approveGin)

	old := project.AccessToken(alice, authgeartest.Token{AuthTime: time.Now().Add(-time.Hour)})
	for framework, handler := range map[string]http.Handler{"net/http": payments(authgearhttp.New(auth), load), "gin": r} {
		for _, c := range []struct{ token, id, want string }{
			{project.AccessToken(alice), "small", "200 approved: 5"},
			{project.AccessToken(alice), "large", "200 approved: 5000"},
			{old, "small", "200 approved: 5"},
			{old, "large", `401 {"error":"insufficient_user_authentication"`},
			{project.AccessToken(bob), "small", `403 {"error":"policy_denied"`},
			{project.AccessToken(carol), "large", "200 approved: 5000"},
			{project.AccessToken(alice), "none", `403 {"error":"policy_denied"`},
			{project.AccessToken(carol), "down", `503 {"error":"temporarily_unavailable"`},
		} {
			loads = 0
			request, w := httptest.NewRequest("POST", "/payments/"+c.id, nil), httptest.NewRecorder()
			request.Header.Set("Authorization", "Bearer "+c.token)
			handler.ServeHTTP(w, request)
			if got := w.Result().Status[:4] + w.Body.String(); !strings.HasPrefix(got, c.want) || loads != 1 {
				t.Errorf("%s, %s: %s, %d loads; want %s", framework, c.id, got, loads, c.want)
			}
		}
	}
}

// A good token does not help a bad key, and a good key does not help a bad token.
func TestAPIKeys(t *testing.T) {
	project := authgeartest.New(t)
	auth := newJWT(t, project)
	keys := apiKeys{
		sha256.Sum256([]byte("good key")):  {Owner: "partner", Scopes: []string{"reports:read"}},
		sha256.Sum256([]byte("other key")): {Owner: "other"},
	}
	reports := withAPIKeys(keys, auth).Require(authgear.Any(authgear.Role("reporter"), authgear.Scope("reports:read")))
	handler := reports(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, _ := authgearhttp.Identity(r)
		_, _ = io.WriteString(w, string(identity.Kind)+" "+identity.ID)
	}))
	good := "Bearer " + project.AccessToken(project.AddUser(authgeartest.User{ID: "alice", Roles: []string{"reporter"}}))
	for _, c := range []struct {
		keys  []string
		token string
		want  string
	}{
		{[]string{"good key"}, "", "200 client api_key_partner"},
		{nil, good, "200 user alice"},
		{[]string{"good key"}, good, "200 client api_key_partner"},
		{[]string{"good key"}, "Bearer bad", "200 client api_key_partner"},
		{[]string{"bad key"}, good, `401 {"error":"invalid_token"`},
		{[]string{""}, good, `401 {"error":"invalid_token"`},
		{[]string{"good key", "good key"}, good, `400 {"error":"invalid_request"`},
		{[]string{"other key"}, good, `403 {"error":"insufficient_scope"`},
		{nil, "Bearer bad", `401 {"error":"invalid_token"`},
		{nil, "", `401 {"error":"authentication_required"`},
	} {
		r, w := httptest.NewRequest("GET", "/reports", nil), httptest.NewRecorder()
		r.Header = http.Header{"X-Api-Key": c.keys}
		if c.token != "" {
			r.Header.Set("Authorization", c.token)
		}
		handler.ServeHTTP(w, r)
		if got := w.Result().Status[:4] + w.Body.String(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q %q: %s, want %s", c.keys, c.token, got, c.want)
		}
	}

	group := authgearhttp.New(auth).Require(authgear.Kinds(authgear.KindUser, authgear.KindClient))(handler)
	r, w := httptest.NewRequest("GET", "/reports", nil), httptest.NewRecorder()
	r.Header.Set("X-Api-Key", "good key")
	if group.ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("a group that knows no keys answers %d", w.Code)
	}
}

// Users are accepted by cookie and machines by JWT. Opaque tokens are refused.
func TestCookiesBesideMachines(t *testing.T) {
	project := authgeartest.New(t)
	jwt, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: project.Endpoint(), Resources: []string{"https://api.example.com"}, Observer: silent})
	if err != nil {
		t.Fatal(err)
	}
	guard := authgearhttp.New(authgear.InOrder(jwt, newResolver(t, project)))
	both := guard.Require(authgear.Kinds(authgear.KindUser, authgear.KindClient))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, _ := authgearhttp.Identity(r)
		_, _ = io.WriteString(w, identity.ID)
	}))
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	cookie := project.SessionCookie(alice)
	for want, header := range map[string][2]string{
		"200 alice":                    {"Cookie", cookie.Name + "=" + cookie.Value},
		"200 client_id_nightly":        {"Authorization", "Bearer " + project.ClientToken("nightly", "https://api.example.com")},
		`401 {"error":"invalid_token"`: {"Authorization", "Bearer " + project.OpaqueToken(alice)},
	} {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set(header[0], header[1])
		both.ServeHTTP(w, r)
		if got := w.Result().Status[:4] + w.Body.String(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", header[0], got, want)
		}
	}
}
