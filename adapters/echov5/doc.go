// Package authgearechov5 is the echo v5 adapter of the Authgear SDK: middleware
// that allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers ask [Identity], [User] or
// [MustUser]. CORS middleware stands in front of the guard: preflights carry no
// credentials.
//
// A refused request is answered at once, and the middleware returns nil. Were the
// error returned as well, the application's error handler might write a second
// answer. [Refused] tells logging middleware why, where the error of
// echo's RequestLogger is empty.
package authgearechov5
