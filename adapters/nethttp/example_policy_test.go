package authgearhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// A policy looks at the path and gives the handler what it has loaded.
func ExamplePolicy() {
	type noteKey struct{}
	type note struct{ owner, text string }
	notes := map[string]note{"1": {"alice", "buy milk"}, "2": {"bob", "buy bread"}} // a database in your service

	owner := authgearhttp.Policy(func(r *http.Request, identity *authgear.Identity) error {
		n := notes[r.PathValue("id")]
		if n.owner != identity.ID {
			return authgear.Deny("the note is somebody else's")
		}
		authgear.SetValue(r.Context(), noteKey{}, n)
		return nil
	})

	guard := authgearhttp.New(guardtest.Alice, authgearhttp.Config{Observer: &authgear.Observer{}})
	mux := http.NewServeMux()
	mux.Handle("GET /notes/{id}", guard.Require(owner)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, r.Context().Value(noteKey{}).(note).text)
	})))
	for _, path := range []string{"/notes/1", "/notes/2"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 buy milk
	// 403 {"error":"policy_denied","error_description":"This request is not allowed."}
}

// A user may see only what belongs to the user's own id.
func ExampleSelf() {
	guard := authgearhttp.New(guardtest.Alice, authgearhttp.Config{Observer: &authgear.Observer{}})
	own := guard.Require(authgear.Any(authgearhttp.Self("id"), authgear.Role("admin")))
	mux := http.NewServeMux()
	mux.Handle("GET /users/{id}/notes", own(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	for _, path := range []string{"/users/alice/notes", "/users/bob/notes"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 403
}
