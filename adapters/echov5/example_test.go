package authgearechov5_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v5"

	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func Example() {
	server, err := authgeartest.Start(authgeartest.Config{}) // your project's endpoint instead
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint()})
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := authgearechov5.New(auth)
	e := echo.New()
	api := e.Group("/api", guard.Require())
	api.GET("/me", func(c *echo.Context) error {
		return c.String(http.StatusOK, "hello "+authgearechov5.MustUser(c).ID+"\n")
	})
	api.DELETE("/posts/:id", func(c *echo.Context) error {
		return c.NoContent(http.StatusNoContent)
	}, guard.Require(authgear.Role("admin")))

	token := server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	for _, request := range []*http.Request{
		httptest.NewRequest("GET", "/api/me", nil),
		httptest.NewRequest("DELETE", "/api/posts/1", nil),
	} {
		request.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, request)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 hello alice
	// 403 {"error":"role_missing","error_description":"This request needs a role that the user does not have."}
}

// An access log around the guard knows who was refused, and why. It finds the error in
// the context, since the guard does not return the error.
func Example_accessLog() {
	guard := authgearechov5.New(guardtest.Alice, authgearechov5.Config{Observer: &authgear.Observer{}})
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			err := next(c)
			who, why := "nobody", "allowed"
			if identity, ok := authgearechov5.Identity(c); ok {
				who = identity.ID
			}
			if refused, ok := authgearechov5.Refused(c); ok {
				why = string(refused.Reason)
			}
			fmt.Println(c.Request().Method, c.Path(), who, why)
			return err
		}
	})
	handler := func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) }
	e.GET("/me", handler, guard.Require())
	e.GET("/admin", handler, guard.Require(authgear.Role("admin")))
	for _, path := range []string{"/me", "/admin"} {
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	// Output:
	// GET /me alice allowed
	// GET /admin alice role_missing
}
