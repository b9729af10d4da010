package authgeargin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
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
	guard := authgeargin.New(auth)
	r := gin.New()
	api := r.Group("/api", guard.Require())
	api.GET("/me", func(c *gin.Context) {
		user := authgeargin.MustUser(c)
		c.String(http.StatusOK, "hello %s\n", user.ID)
	})
	api.DELETE("/posts/:id", guard.Require(authgear.Role("admin")), func(c *gin.Context) { c.Status(http.StatusNoContent) })

	token := server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	for _, request := range []*http.Request{
		httptest.NewRequest("GET", "/api/me", nil),
		httptest.NewRequest("DELETE", "/api/posts/1", nil),
	} {
		request.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, request)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 hello alice
	// 403 {"error":"role_missing","error_description":"This request needs a role that the user does not have."}
}
