package guard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// An adapter runs a check, and carries out the answer.
func Example() {
	g := guard.New(anybody{}, guard.Config{})
	check := g.Require(authgear.Role("admin"))

	middleware := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, refusal := guard.Run(r.Context(), check, guard.HTTP(r), w.Header(), r)
			if refusal != nil {
				refusal.Write(w)
				return
			}
			next.ServeHTTP(w, r)
		})
	}

	w := httptest.NewRecorder()
	middleware(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// 403 {"error":"role_missing","error_description":"This request needs a role that the user does not have."}
}

type anybody struct{}

func (anybody) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return &authgear.Identity{Kind: authgear.KindUser, ID: "alice"}, nil
}
