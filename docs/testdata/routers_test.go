package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	fiberv2 "github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v3"
	echov4 "github.com/labstack/echo/v4"
	"github.com/labstack/echo/v5"
)

// answers sends a request to the handler: a method and a path, and a token unless it is
// "". It expects a status and the beginning of the body.
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

// says returns a handler that answers with this word and the user's id.
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
		prefix, unescaped, elsewhere, post string // the last two without a token
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

// Self works where chi has already set the parameters of the route, and denies where it
// has not.
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
		"Route without the parameter": {func(r chi.Router) {
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

// An inner mux forgets the path values of the outer mux.
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
	// Around the mux there are no path values.
	mux := http.NewServeMux()
	mux.Handle("GET /orgs/{org}/", says("notes"))
	answers(t, self(mux), "GET /orgs/alice/", alice, `403 {"error":"policy_denied"`)
}

// A parameter at the end of echo's route takes the rest of the path.
func TestSelfOnEcho(t *testing.T) {
	project := authgeartest.New(t)
	auth := newJWT(t, project)
	alice := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	v5, v4 := echo.New(), echov4.New()
	v5.GET("/users/:id", func(c *echo.Context) error { return c.String(http.StatusOK, c.Param("id")) }, authgearechov5.New(auth).Require())
	v4.GET("/users/:id", func(c echov4.Context) error { return c.String(http.StatusOK, c.Param("id")) }, authgearecho.New(auth).Require())
	v5.GET("/own/:id", echo.WrapHandler(says("own")), authgearechov5.New(auth).Require(authgearechov5.Self("id")))
	v4.GET("/own/:id", echov4.WrapHandler(says("own")), authgearecho.New(auth).Require(authgearecho.Self("id")))
	for _, e := range []http.Handler{v5, v4} {
		answers(t, e, "GET /users/alice/x", alice, "200 alice/x")
		answers(t, e, "GET /own/alice", alice, "200 own alice")
		answers(t, e, "GET /own/alice/x", alice, `403 {"error":"policy_denied"`)
	}
}

// Frameworks differ: some serve HEAD by a route for GET, and some guard paths that have
// no route.
func TestRoutesOfFrameworks(t *testing.T) {
	project := authgeartest.New(t)
	auth := newJWT(t, project)
	alice := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	gin.SetMode(gin.ReleaseMode)

	r := gin.New()
	r.GET("/me", func(*gin.Context) {})
	r.Group("/api", authgeargin.New(auth).Require()).GET("/me", func(*gin.Context) {})
	v5, v4 := echo.New(), echov4.New()
	v5.GET("/me", func(*echo.Context) error { return nil })
	v5.Group("/api", authgearechov5.New(auth).Require()).GET("/me", func(*echo.Context) error { return nil })
	v4.GET("/me", func(echov4.Context) error { return nil })
	v4.Group("/api", authgearecho.New(auth).Require()).GET("/me", func(echov4.Context) error { return nil })
	fiberV3, fiberV2 := fiber.New(), fiberv2.New()
	fiberV3.Get("/me", func(c fiber.Ctx) error { return c.Send(nil) })
	fiberV3.Group("/api", authgearfiberv3.New(auth).Require()).Get("/me", func(c fiber.Ctx) error { return c.Send(nil) })
	fiberV2.Get("/me", func(c *fiberv2.Ctx) error { return c.Send(nil) })
	fiberV2.Group("/api", authgearfiber.New(auth).Require()).Get("/me", func(c *fiberv2.Ctx) error { return c.Send(nil) })
	onChi, mux := chi.NewRouter(), http.NewServeMux()
	onChi.Get("/me", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /me", func(http.ResponseWriter, *http.Request) {})

	for name, c := range map[string]struct {
		get                              func(*http.Request) (*http.Response, error)
		head, headInGroup, none, similar int // the last two without a token
	}{
		"gin":      {handled{r}.do, 404, 404, 404, 404},
		"echo v5":  {handled{v5}.do, 405, 404, 401, 404},
		"echo v4":  {handled{v4}.do, 405, 404, 401, 404},
		"fiber v3": {func(r *http.Request) (*http.Response, error) { return fiberV3.Test(r, noTimeLimit) }, 200, 200, 401, 404},
		"fiber v2": {func(r *http.Request) (*http.Response, error) { return fiberV2.Test(r, -1) }, 200, 200, 401, 401},
		"chi":      {handled{onChi}.do, 405, 404, 404, 404},
		"ServeMux": {handled{mux}.do, 200, 404, 404, 404},
	} {
		for request, want := range map[string]int{"HEAD /me": c.head, "HEAD /api/me": c.headInGroup, "GET /api/none": c.none, "GET /apis": c.similar} {
			method, path, _ := strings.Cut(request, " ")
			r := httptest.NewRequest(method, path, nil)
			if method == "HEAD" {
				r.Header.Set("Authorization", "Bearer "+alice)
			}
			response, err := c.get(r)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != want {
				t.Errorf("%s on %s: %d, want %d", request, name, response.StatusCode, want)
			}
		}
	}
}
