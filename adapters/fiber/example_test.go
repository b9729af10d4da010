package authgearfiber_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/gofiber/fiber/v2"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
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
	guard := authgearfiber.New(auth)
	app := fiber.New(fiber.Config{ReadBufferSize: 32 << 10})
	api := app.Group("/api", guard.Require())
	api.Get("/me", func(c *fiber.Ctx) error {
		return c.SendString("hello " + authgearfiber.MustUser(c).ID + "\n")
	})
	api.Delete("/posts/:id", guard.Require(authgear.Role("admin")), func(c *fiber.Ctx) error {
		return c.SendStatus(fiber.StatusNoContent)
	})

	token := server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	for _, request := range []*http.Request{
		httptest.NewRequest("GET", "/api/me", nil),
		httptest.NewRequest("DELETE", "/api/posts/1", nil),
	} {
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := app.Test(request)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(response.Body)
		fmt.Print(response.StatusCode, " ", string(body))
	}
	// Output:
	// 200 hello alice
	// 403 {"error":"role_missing","error_description":"This request needs a role that the user does not have."}
}
