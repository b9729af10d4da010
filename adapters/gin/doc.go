// Package authgeargin is the gin adapter of the Authgear SDK: middleware that
// allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers call [Identity], [User] or
// [MustUser]. Mount CORS middleware in front of the guard, since preflights carry
// no credentials.
//
// A *gin.Context can be passed on as a context.Context: authgear.FromContext
// finds the identity in it, and in what c.Copy returns.
package authgeargin
