// Package authgearfiber is the fiber adapter of the Authgear SDK: middleware
// that allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers call [Identity], [User] or
// [MustUser]. They pass c.UserContext() on: authgear.FromContext finds the identity
// in it, and inside the handler also in c.Context(). Mount CORS middleware in front
// of the guard, since preflights carry no credentials.
//
// The guard answers a refused request at once and returns nil: if it also returned
// an error, fiber's error handler would write a second answer. Logging middleware
// finds the reason by [Refused].
//
// Call [CloseUnread] for the application: fasthttp runs the unread part of a body
// as the next request, which the proxy in front has not seen.
//
// Two settings of fiber matter. ReadBufferSize is 4 KiB by default. This is too
// small for a long token, and fiber answers 431: set it to 32 KiB. With
// StreamRequestBody, the trailers of a chunked body get into the headers when a
// handler reads the body, which is after all middleware. The SDK never takes an
// identity from trailers, but an application with this setting must not read
// X-Authgear-* headers itself.
package authgearfiber
