package authgeargin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
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

// An access log around the guard knows who was refused, and why.
func Example_accessLog() {
	guard := authgeargin.New(guardtest.Alice, authgeargin.Config{Observer: &authgear.Observer{}})
	r := gin.New()
	r.Use(func(c *gin.Context) {
		c.Next()
		who, why := "nobody", "allowed"
		if identity, ok := authgeargin.Identity(c); ok {
			who = identity.ID
		}
		if err, ok := authgeargin.Refused(c); ok {
			why = string(err.Reason)
		}
		fmt.Println(c.Request.Method, c.FullPath(), who, why)
	})
	r.GET("/me", guard.Require())
	r.GET("/admin", guard.Require(authgear.Role("admin")))
	for _, path := range []string{"/me", "/admin"} {
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	// Output:
	// GET /me alice allowed
	// GET /admin alice role_missing
}
