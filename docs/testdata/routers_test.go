package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/go-chi/chi/v5"
)

// answers asks a handler, by a method and a path, and with a token unless it is "",
// and expects a status and how the body begins.
func answers(t *testing.T, handler http.Handler, request, token, want string) {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	r, w := httptest.NewRequest(method, target, nil), httptest.NewRecorder()
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	handler.ServeHTTP(w, r)
	if got := w.Result().Status[:4] + w.Body.String(); !strings.HasPrefix(got, want) {
		t.Errorf("%s: %s, want %s", request, got, want)
	}
}

// says answers with that word and the user's id.
func says(word string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := "nobody"
		if user, ok := authgearhttp.User(r); ok {
			id = user.ID
		}
		_, _ = io.WriteString(w, word+" "+id+" "+r.PathValue("id"))
	}
}

func TestRouters(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	admin := project.AccessToken(project.AddUser(authgeartest.User{ID: "root", Roles: []string{"admin"}}))
	guard := authgearhttp.New(newJWT(t, project))
	home, me, notes, deletePost := says("home"), says("me"), says("notes"), says("deleted")
	const signIn, denied = `401 {"error":"authentication_required"`, `403 {"error":"policy_denied"`
	for name, c := range map[string]struct {
		handler                            http.Handler
		prefix, unescaped, elsewhere, post string // the last two to nobody
	}{
		"chi":      {chiRouter(guard, home, me, notes, deletePost), "", denied, "404 ", "405 "},
		"ServeMux": {serveMux(guard, home, me, notes, deletePost), "/api", "200 notes alice alice", signIn, signIn},
	} {
		t.Run(name, func(t *testing.T) {
			answers(t, c.handler, "GET /", "", "200 home nobody")
			answers(t, c.handler, "GET /", alice, "200 home alice")
			answers(t, c.handler, "GET /", "bad", `401 {"error":"invalid_token"`)
			answers(t, c.handler, "GET "+c.prefix+"/me", "", signIn)
			answers(t, c.handler, "GET "+c.prefix+"/me", alice, "200 me alice")
			answers(t, c.handler, "DELETE "+c.prefix+"/posts/7", "", signIn)
			answers(t, c.handler, "DELETE "+c.prefix+"/posts/7", alice, `403 {"error":"role_missing"`)
			answers(t, c.handler, "DELETE "+c.prefix+"/posts/7", admin, "200 deleted root 7")
			answers(t, c.handler, "GET "+c.prefix+"/users/alice/notes", "", signIn)
			answers(t, c.handler, "GET "+c.prefix+"/users/alice/notes", alice, "200 notes alice alice")
			answers(t, c.handler, "GET "+c.prefix+"/users/bob/notes", alice, denied)
			answers(t, c.handler, "GET "+c.prefix+"/users/%61lice/notes", alice, c.unescaped)
			answers(t, c.handler, "GET "+c.prefix+"/users/alice%2F../notes", alice, denied)
			answers(t, c.handler, "GET "+c.prefix+"/none", "", c.elsewhere)
			answers(t, c.handler, "GET "+c.prefix+"/none", alice, "404 ")
			answers(t, c.handler, "POST "+c.prefix+"/me", "", c.post)
			answers(t, c.handler, "POST "+c.prefix+"/me", alice, "405 ")
		})
	}
}

// Where chi has set a route's parameters, and where not yet.
func TestSelfOnChi(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	self := authgearhttp.New(newJWT(t, project)).Require(authgearhttp.Self("id"))
	for name, c := range map[string]struct {
		set  func(chi.Router)
		want string
	}{
		"Use of the router": {func(r chi.Router) { r.Use(self); r.Get("/users/{id}/notes", says("notes")) }, `403 {"error":"policy_denied"`},
		"With":              {func(r chi.Router) { r.With(self).Get("/users/{id}/notes", says("notes")) }, "200 notes alice"},
		"Group": {func(r chi.Router) {
			r.Group(func(r chi.Router) { r.Use(self); r.Get("/users/{id}/notes", says("notes")) })
		}, "200 notes alice"},
		"Route with the parameter": {func(r chi.Router) {
			r.Route("/users/{id}", func(r chi.Router) { r.Use(self); r.Get("/notes", says("notes")) })
		}, "200 notes alice"},
		"Route without": {func(r chi.Router) {
			r.Route("/users", func(r chi.Router) { r.Use(self); r.Get("/{id}/notes", says("notes")) })
		}, `403 {"error":"policy_denied"`},
		"Mount": {func(r chi.Router) {
			users := chi.NewRouter()
			users.Use(self)
			users.Get("/notes", says("notes"))
			r.Mount("/users/{id}", users)
		}, "200 notes alice"},
	} {
		t.Run(name, func(t *testing.T) {
			r := chi.NewRouter()
			c.set(r)
			answers(t, r, "GET /users/alice/notes", alice, c.want)
			answers(t, r, "GET /users/bob/notes", alice, `403 {"error":"policy_denied"`)
		})
	}
	r, require := chi.NewRouter(), authgearhttp.New(newJWT(t, project)).Require()
	r.Route("/route", func(r chi.Router) { r.Use(require); r.Get("/me", says("me")) })
	mounted := chi.NewRouter()
	mounted.Use(require)
	mounted.Get("/me", says("me"))
	r.Mount("/mount", mounted)
	answers(t, r, "GET /route/none", "", `401 {"error":"authentication_required"`)
	answers(t, r, "GET /mount/none", "", `401 {"error":"authentication_required"`)
}

// An inner mux forgets what the outer one has found in the path.
func TestSelfOnServeMux(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	self := authgearhttp.New(newJWT(t, project)).Require(authgearhttp.Self("org"))
	inner, guarded := http.NewServeMux(), http.NewServeMux()
	inner.Handle("GET /orgs/{org}/notes", says("notes"))
	guarded.Handle("GET /orgs/alice/notes", self(says("notes")))
	for want, handler := range map[string]http.Handler{"200 notes alice": self(inner), `403 {"error":"policy_denied"`: guarded} {
		mux := http.NewServeMux()
		mux.Handle("/orgs/{org}/", handler)
		answers(t, mux, "GET /orgs/alice/notes", alice, want)
	}
	// Around the mux there are no values at all.
	mux := http.NewServeMux()
	mux.Handle("GET /orgs/{org}/", says("notes"))
	answers(t, self(mux), "GET /orgs/alice/", alice, `403 {"error":"policy_denied"`)
}
