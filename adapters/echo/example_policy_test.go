package authgearecho_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// A policy looks at the path and gives the handler what it has loaded.
func ExamplePolicy() {
	type note struct{ owner, text string }
	notes := map[string]note{"1": {"alice", "buy milk"}, "2": {"bob", "buy bread"}} // a database in your service

	owner := authgearecho.Policy(func(c echo.Context, identity *authgear.Identity) error {
		n := notes[c.Param("id")]
		if n.owner != identity.ID {
			return authgear.Deny("the note is somebody else's")
		}
		c.Set("note", n)
		return nil
	})

	guard := authgearecho.New(guardtest.Alice, authgearecho.Config{Observer: &authgear.Observer{}})
	e := echo.New()
	e.GET("/notes/:id", func(c echo.Context) error {
		return c.String(http.StatusOK, c.Get("note").(note).text+"\n")
	}, guard.Require(owner))
	for _, path := range []string{"/notes/1", "/notes/2"} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 buy milk
	// 403 {"error":"policy_denied","error_description":"This request is not allowed."}
}

// A user may see only what belongs to the user's own id.
func ExampleSelf() {
	guard := authgearecho.New(guardtest.Alice, authgearecho.Config{Observer: &authgear.Observer{}})
	e := echo.New()
	e.GET("/users/:id/notes", func(c echo.Context) error {
		return c.NoContent(http.StatusOK)
	}, guard.Require(authgear.Any(authgearecho.Self("id"), authgear.Role("admin"))))
	for _, path := range []string{"/users/alice/notes", "/users/bob/notes"} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 403
}
