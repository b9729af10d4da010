package authgearecho_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
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
	guard := authgearecho.New(auth)
	e := echo.New()
	api := e.Group("/api", guard.Require())
	api.GET("/me", func(c echo.Context) error {
		return c.String(http.StatusOK, "hello "+authgearecho.MustUser(c).ID+"\n")
	})
	api.DELETE("/posts/:id", func(c echo.Context) error {
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
