package authgeargin

import (
	"net/http"

	"github.com/gin-gonic/gin"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Policy makes a policy of a function that gets gin's context, with path
// parameters, and with the identity in it: nil allows, [authgear.Deny] denies,
// [authgear.Unavailable] and any other error say that nobody can tell now. By
// c.Set it gives the handler what it has loaded. In a guard of another framework
// the policy denies.
//
// It names no kind, and may run twice for one request (see
// [authgear.RecentAuth]). It panics for nil.
func Policy(check func(*gin.Context, *authgear.Identity) error) authgear.Policy {
	return guard.Policy(check, func(c *gin.Context, r *http.Request) *gin.Context {
		setRequest(c, r)
		return c
	})
}

// Self allows the user whose id is the value of the route's path parameter, such
// as Self("id") for "/users/:id". It denies where there is no such parameter, and
// panics for "".
func Self(parameter string) authgear.Policy {
	return guard.Self[*gin.Context, *http.Request](parameter, (*gin.Context).Param)
}
