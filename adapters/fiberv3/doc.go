// Package authgearfiberv3 is the fiber v3 adapter of the Authgear SDK: middleware
// that allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers ask [Identity], [User] or
// [MustUser], and pass c.Context() on, in which authgear.FromContext finds the
// identity; inside the handler c itself does as well. CORS middleware stands in front
// of the guard: preflights carry no credentials.
//
// Other handlers behind a guard on a route find it by authgear.FromContext, too:
// net/http's in r.Context(), those that get a [fiber.Req] in req.RequestCtx(). A
// net/http handler asks before it writes or flushes: when the client goes away
// meanwhile, r.Context() is the next request's. Never use a guard of adapters/nethttp
// inside fiber: fasthttp gives it trailers as headers, so a client could state an
// identity.
//
// A refused request is answered at once, and the middleware returns nil, since
// fiber's error handler would write another answer. [Refused] tells logging
// middleware why.
//
// Call [CloseUnread] for the application: what fasthttp leaves unread of a body, it
// runs as the next request, past the proxy in front.
//
// Two settings of fiber matter. ReadBufferSize is 4 KiB by default, too small
// for a long token, which fiber then answers with 431: make it 32 KiB. With
// StreamRequestBody a chunked trailer gets into the header when a handler reads
// the body, after any middleware: no identity is ever taken from there, and such
// an application must not read X-Authgear-* headers itself. With fasthttp 1.69 it must
// not use timeout middleware either: a handler that has run out of time reads on, and
// gets what another connection sends.
package authgearfiberv3
