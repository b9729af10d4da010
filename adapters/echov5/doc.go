// Package authgearechov5 is the echo v5 adapter of the Authgear SDK: middleware
// that allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers call [Identity], [User] or
// [MustUser]. Mount CORS middleware in front of the guard, since preflights carry
// no credentials.
//
// The guard answers a refused request at once and returns nil: if it also returned
// an error, the application's error handler might write a second answer. So the
// error of echo's RequestLogger is empty for a refusal. Logging middleware finds
// the reason by [Refused].
package authgearechov5
