package authgeargin

import (
	"net/http"

	"github.com/gin-gonic/gin"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Policy makes a policy from a function that gets gin's context, with the path
// parameters and the identity in it. When the function returns nil, the policy
// allows the request; [authgear.Deny] denies it; [authgear.Unavailable] and any
// other error mean that nobody can decide now. The function can pass what it has
// loaded to the handler by c.Set. In a guard of another framework the policy
// denies.
//
// The policy names no kind of identity. The function may run twice for one request
// (see [authgear.RecentAuth]). Policy panics if the function is nil.
func Policy(check func(*gin.Context, *authgear.Identity) error) authgear.Policy {
	return guard.Policy(check, func(c *gin.Context, r *http.Request) *gin.Context {
		setRequest(c, r)
		return c
	})
}

// Self allows the user whose id is the value of this path parameter of the route,
// such as Self("id") for "/users/:id". It denies if there is no such parameter.
// Self panics for the name "".
func Self(parameter string) authgear.Policy {
	return guard.Self[*gin.Context, *http.Request](parameter, (*gin.Context).Param)
}
