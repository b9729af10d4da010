package authgearfiberv3_test

import (
	"fmt"
	"io"
	"net/http/httptest"

	"github.com/gofiber/fiber/v3"

	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// A policy looks at the path and gives the handler what it has loaded.
func ExamplePolicy() {
	type note struct{ owner, text string }
	notes := map[string]note{"1": {"alice", "buy milk"}, "2": {"bob", "buy bread"}} // a database in your service

	owner := authgearfiberv3.Policy(func(c fiber.Ctx, identity *authgear.Identity) error {
		n := notes[c.Params("id")]
		if n.owner != identity.ID {
			return authgear.Deny("the note is somebody else's")
		}
		c.Locals("note", n)
		return nil
	})

	guard := authgearfiberv3.New(guardtest.Alice, authgearfiberv3.Config{Observer: &authgear.Observer{}})
	app := fiber.New()
	app.Get("/notes/:id", guard.Require(owner), func(c fiber.Ctx) error {
		return c.SendString(c.Locals("note").(note).text + "\n")
	})
	for _, path := range []string{"/notes/1", "/notes/2"} {
		response, err := app.Test(httptest.NewRequest("GET", path, nil), fiber.TestConfig{})
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(response.Body)
		fmt.Print(response.StatusCode, " ", string(body))
	}
	// Output:
	// 200 buy milk
	// 403 {"error":"policy_denied","error_description":"This request is not allowed."}
}

// A user may see only what belongs to the user's own id.
func ExampleSelf() {
	guard := authgearfiberv3.New(guardtest.Alice, authgearfiberv3.Config{Observer: &authgear.Observer{}})
	app := fiber.New()
	app.Get("/users/:id/notes", guard.Require(authgear.Any(authgearfiberv3.Self("id"), authgear.Role("admin"))), func(fiber.Ctx) error {
		return nil
	})
	for _, path := range []string{"/users/alice/notes", "/users/bob/notes"} {
		response, err := app.Test(httptest.NewRequest("GET", path, nil), fiber.TestConfig{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(response.StatusCode)
	}
	// Output:
	// 200
	// 403
}
