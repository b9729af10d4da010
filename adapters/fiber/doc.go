// Package authgearfiber is the fiber adapter of the Authgear SDK: middleware
// that allows requests whose sender is known, and accessors for handlers.
//
//	import (
//		authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and use [Guard.Require] or
// [Guard.Optional] for a group or a route. Handlers ask [Identity], [User] or
// [MustUser], and pass c.UserContext() on, in which authgear.FromContext finds
// the identity; inside the handler c.Context() does as well. CORS middleware
// stands in front of the guard: preflights carry no credentials.
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
// an application must not read X-Authgear-* headers itself.
package authgearfiber
