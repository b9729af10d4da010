// Package authgearecho is the echo adapter of the Authgear SDK: middleware that
// allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers ask [Identity], [User] or
// [MustUser]. CORS middleware stands in front of the guard: preflights carry no
// credentials.
//
// A refused request is answered at once, and the middleware returns nil, since
// echo's Timeout drops an answer when an error is returned as well.
// [Refused] tells logging middleware why, where ${error} of echo's Logger is empty.
package authgearecho
