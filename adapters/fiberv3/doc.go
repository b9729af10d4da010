// Package authgearfiberv3 is the fiber v3 adapter of the Authgear SDK: middleware
// that allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers call [Identity], [User] or
// [MustUser]. They pass c.Context() on: authgear.FromContext finds the identity in
// it, and inside the handler also in c itself. Mount CORS middleware in front of
// the guard, since preflights carry no credentials.
//
// Other handlers behind a guard on a route find the identity by
// authgear.FromContext too: a net/http handler in r.Context(), a handler that gets
// a [fiber.Req] in req.RequestCtx(). A net/http handler must ask before it writes
// or flushes: if the client goes away meanwhile, r.Context() belongs to the next
// request. Never use a guard of adapters/nethttp inside fiber: fasthttp passes
// trailers to it as headers, so a client could forge an identity.
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
// X-Authgear-* headers itself. With fasthttp 1.69 it must not use timeout
// middleware either: a handler that has run out of time reads on, and gets what
// another connection sends.
package authgearfiberv3
