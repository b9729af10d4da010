// Package authgearhttp is the net/http adapter of the Authgear SDK: middleware
// that allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and wrap handlers with
// [Guard.Require] or [Guard.Optional]. Handlers call [Identity], [User] or
// [MustUser]. Mount CORS middleware in front of the guard, since preflights carry
// no credentials.
//
// An access log around the guard uses [Watch] to learn who sent a request, and why
// it was refused. Do not mount this package inside fiber, neither by fiber's
// adaptor nor as the handler of a route of fiber v3: trailers become headers there,
// so a client could forge an identity. Use the fiber adapters.
package authgearhttp
