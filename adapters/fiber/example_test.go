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
		response, err := app.Test(request, -1)
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

// An access log around the guard knows who was refused, and why. It finds the error in
// the context, since the guard does not return the error.
func Example_accessLog() {
	guard := authgearfiber.New(guardtest.Alice, authgearfiber.Config{Observer: &authgear.Observer{}})
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		err := c.Next()
		who, why := "nobody", "allowed"
		if identity, ok := authgearfiber.Identity(c); ok {
			who = identity.ID
		}
		if refused, ok := authgearfiber.Refused(c); ok {
			why = string(refused.Reason)
		}
		fmt.Println(c.Method(), c.Path(), who, why)
		return err
	})
	handler := func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusNoContent) }
	app.Get("/me", guard.Require(), handler)
	app.Get("/admin", guard.Require(authgear.Role("admin")), handler)
	for _, path := range []string{"/me", "/admin"} {
		if _, err := app.Test(httptest.NewRequest("GET", path, nil), -1); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// GET /me alice allowed
	// GET /admin alice role_missing
}
