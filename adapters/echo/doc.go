// Package authgearecho is the echo adapter of the Authgear SDK: middleware that
// allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers call [Identity], [User] or
// [MustUser]. Mount CORS middleware in front of the guard, since preflights carry
// no credentials.
//
// The guard answers a refused request at once and returns nil: if it also returned
// an error, echo's Timeout would drop the answer. So ${error} of echo's Logger is
// empty for a refusal. Logging middleware finds the reason by [Refused].
package authgearecho
