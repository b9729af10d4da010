package authgeargin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// A policy looks at the path and gives the handler what it has loaded.
func ExamplePolicy() {
	type note struct{ owner, text string }
	notes := map[string]note{"1": {"alice", "buy milk"}, "2": {"bob", "buy bread"}} // a database in your service

	owner := authgeargin.Policy(func(c *gin.Context, identity *authgear.Identity) error {
		n := notes[c.Param("id")]
		if n.owner != identity.ID {
			return authgear.Deny("the note is somebody else's")
		}
		c.Set("note", n)
		return nil
	})

	guard := authgeargin.New(guardtest.Alice, authgeargin.Config{Observer: &authgear.Observer{}})
	r := gin.New()
	r.GET("/notes/:id", guard.Require(owner), func(c *gin.Context) {
		c.String(http.StatusOK, "%s\n", c.MustGet("note").(note).text)
	})
	for _, path := range []string{"/notes/1", "/notes/2"} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 buy milk
	// 403 {"error":"policy_denied","error_description":"This request is not allowed."}
}

// A user may see only what belongs to the user's own id.
func ExampleSelf() {
	guard := authgeargin.New(guardtest.Alice, authgeargin.Config{Observer: &authgear.Observer{}})
	r := gin.New()
	r.GET("/users/:id/notes", guard.Require(authgear.Any(authgeargin.Self("id"), authgear.Role("admin"))))
	for _, path := range []string{"/users/alice/notes", "/users/bob/notes"} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 403
}
