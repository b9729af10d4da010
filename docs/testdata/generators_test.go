package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/docs/api"
	"github.com/authgear/authgear-sdk-go/docs/graph"
	"github.com/coder/websocket"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	nethttpmiddleware "github.com/oapi-codegen/nethttp-middleware"
)

// unread is the body of a refused request. It notes whether it was read.
type unread struct{ read bool }

func (u *unread) Read([]byte) (int, error) { u.read = true; return 0, io.EOF }

// noteService implements what oapi-codegen has generated.
type noteService struct{}

func (noteService) AddNote(w http.ResponseWriter, r *http.Request, _ int) { says("added")(w, r) }
func (noteService) GetMisspelled(w http.ResponseWriter, r *http.Request)  { says("secret")(w, r) }
func (noteService) GetHealth(w http.ResponseWriter, r *http.Request)      { says("well")(w, r) }
func (noteService) GetNews(w http.ResponseWriter, r *http.Request)        { says("news")(w, r) }

func TestOapiCodegen(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	token, cookie := project.OpaqueToken(alice), project.SessionCookie(alice)
	guard := authgearhttp.New(newResolver(t, project))
	server := notes(guard, noteService{}, "GET /health", "GET /news")
	answers(t, server, "POST /notes/7", token, "200 added alice")
	answers(t, server, "POST /notes/7", "", `401 {"error":"authentication_required"`)
	answers(t, server, "POST /notes/7", "bad", `401 {"error":"invalid_token"`)
	answers(t, server, "POST /notes/x", "", `400 Invalid format for parameter number`)
	answers(t, server, "GET /misspelled", "", `401 {"error":"authentication_required"`)
	answers(t, server, "GET /misspelled", token, "200 secret alice")
	answers(t, server, "GET /health", "", "200 well nobody")
	answers(t, server, "GET /health", "bad", "200 well nobody")
	answers(t, server, "GET /news", "", "200 news nobody")

	body := &unread{}
	r, w := httptest.NewRequest("POST", "/notes/7", body), httptest.NewRecorder()
	if server.ServeHTTP(w, r); w.Code != 401 || body.read {
		t.Errorf("%d, the body is read: %v", w.Code, body.read)
	}
	r, w = httptest.NewRequest("POST", "/notes/7", nil), httptest.NewRecorder()
	r.AddCookie(cookie)
	if server.ServeHTTP(w, r); w.Body.String() != "added alice " {
		t.Error("a session's cookie is not good:", w.Body)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w = httptest.NewRecorder()
	if server.ServeHTTP(w, r); w.Code != 403 {
		t.Error("another website may send the user's cookie:", w.Code)
	}
}

// The page says how oapi-codegen marks operations that need credentials.
func TestOapiScopes(t *testing.T) {
	for request, want := range map[string]bool{"POST /notes/7": true, "GET /misspelled": false, "GET /health": false, "GET /news": false} {
		marked := false
		mark := func(http.Handler) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { marked = r.Context().Value(api.BearerAuthScopes) != nil })
		}
		answers(t, api.HandlerWithOptions(noteService{}, api.StdHTTPServerOptions{Middlewares: []api.MiddlewareFunc{mark}}), request, "", "200 ")
		if marked != want {
			t.Errorf("%s is marked: %v", request, marked)
		}
	}
}

// The page says that oapi-codegen's own middleware reads bodies.
func TestOapiValidatorReadsBodies(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	body, asked := &unread{}, false
	options := &nethttpmiddleware.Options{Options: openapi3filter.Options{
		AuthenticationFunc: func(context.Context, *openapi3filter.AuthenticationInput) error {
			asked = true
			if !body.read {
				t.Error("the body is not read yet; say so in docs/frameworks.md")
			}
			return errors.New("nobody")
		},
	}}
	validated := nethttpmiddleware.OapiRequestValidatorWithOptions(document, options)(http.NotFoundHandler())
	w := httptest.NewRecorder()
	if validated.ServeHTTP(w, httptest.NewRequest("POST", "/notes/7", body)); w.Code != 401 || !asked {
		t.Error(w.Code, asked)
	}
	body = &unread{}
	w = httptest.NewRecorder()
	guarded := authgearhttp.New(newJWT(t, authgeartest.New(t))).Require()(validated)
	if guarded.ServeHTTP(w, httptest.NewRequest("POST", "/notes/7", body)); w.Code != 401 || body.read {
		t.Error("with a guard in front:", w.Code, body.read)
	}
}

// resolvers are the resolvers of the schema's fields. told counts how often the secret
// was sent.
type resolvers struct{ told int }

func (r *resolvers) Query() graph.QueryResolver               { return r }
func (r *resolvers) Subscription() graph.SubscriptionResolver { return subscriptionResolvers{} }

func (r *resolvers) Me(ctx context.Context) (*string, error) {
	user, ok := authgear.UserFromContext(ctx)
	if !ok {
		return nil, nil
	}
	return &user.ID, nil
}

func (r *resolvers) Secret(context.Context) (*string, error) {
	r.told++
	secret := "42"
	return &secret, nil
}

func (r *resolvers) Payment(context.Context) (*string, error) {
	return nil, fmt.Errorf("payment 42 of bob: %w", authgear.Deny("somebody else approves it"))
}

type subscriptionResolvers struct{}

func (subscriptionResolvers) Me(ctx context.Context) (<-chan *string, error) {
	id := authgear.MustUserFromContext(ctx).ID
	names := make(chan *string, 1)
	names <- &id
	close(names)
	return names, nil
}

func TestGraphQL(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	admin := project.AccessToken(project.AddUser(authgeartest.User{ID: "root", Roles: []string{"admin"}}))
	found := &resolvers{}
	server := graphQL(newJWT(t, project), graph.Config{Resolvers: found})
	for _, c := range []struct{ token, query, want string }{
		{"", "me", `200 {"data":{"me":null}}`},
		{alice, "me", `200 {"data":{"me":"alice"}}`},
		{"bad", "me", `401 {"error":"invalid_token","error_description":`},
		{"", "me secret", `200 {"errors":[{"message":"no_credentials: This request needs an access token.","path":["secret"],"locations":[{"line":1,"column":5}],"extensions":{"code":"authentication_required"}}],"data":{"me":null,"secret":null}}`},
		{alice, "me secret", `200 {"errors":[{"message":"role_missing: This request needs a role that the user does not have.","path":["secret"],"locations":[{"line":1,"column":5}],"extensions":{"code":"role_missing"}}],"data":{"me":"alice","secret":null}}`},
		{admin, "secret", `200 {"data":{"secret":"42"}}`},
		{admin, "payment", `200 {"errors":[{"message":"policy_denied: This request is not allowed.","path":["payment"],"locations":[{"line":1,"column":2}],"extensions":{"code":"policy_denied"}}],"data":{"payment":null}}`},
	} {
		r, w := httptest.NewRequest("POST", "/", strings.NewReader(`{"query":"{`+c.query+`}"}`)), httptest.NewRecorder()
		r.Header.Set("Content-Type", "application/json")
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		server.ServeHTTP(w, r)
		got := w.Result().Status[:4] + w.Body.String()
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s:\n%s, want\n%s", c.query, got, c.want)
		}
	}
	if found.told != 1 {
		t.Errorf("the secret is told %d times", found.told)
	}
}

func TestSubscriptions(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	auth := newJWT(t, project)
	good, expired := project.AccessToken(alice), project.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Minute})
	server := httptest.NewServer(graphQL(auth, graph.Config{Resolvers: &resolvers{}}))
	defer server.Close()
	for authorization, want := range map[string]string{
		"Bearer " + good:        `{"payload":{"data":{"me":"alice"}},"id":"1","type":"data"}`,
		"Bearer " + expired:     `{"payload":{"message":"token_expired: The access token has expired."},"type":"connection_error"}`,
		"":                      `{"payload":{"message":"no_credentials: This request needs an access token."},"type":"connection_error"}`,
		good:                    `{"payload":{"message":"no_credentials: This request needs an access token."},"type":"connection_error"}`,
		"Bearer Bearer " + good: `{"payload":{"message":"authorization_malformed: The Authorization header must be one Bearer scheme followed by one access token."},"type":"connection_error"}`,
	} {
		socket, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-ws"}})
		if err != nil {
			t.Fatal(err)
		}
		next, message := `{"type":"connection_init","payload":{"Authorization":"`+authorization+`"}}`, []byte("_ack")
		for err == nil && (bytes.Contains(message, []byte("_ack")) || bytes.Contains(message, []byte(`"ka"`))) {
			if bytes.Contains(message, []byte("_ack")) {
				err = socket.Write(t.Context(), websocket.MessageText, []byte(next))
				next = `{"type":"start","id":"1","payload":{"query":"subscription { me }"}}`
			}
			if err == nil {
				_, message, err = socket.Read(t.Context())
			}
		}
		if got := string(bytes.TrimSpace(message)); got != want {
			t.Errorf("%s: %s %v, want %s", authorization, got, err, want)
		}
		_ = socket.CloseNow()
	}
}
