// Package authgearhttp is the net/http adapter of the Authgear SDK: middleware
// that lets requests go on whose sender is known, and accessors for handlers.
//
//	import (
//		authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
//		authgear "github.com/authgear/authgear-sdk-go/core"
//	)
//
// Make one [Guard] for each authenticator with [New], and wrap handlers with
// [Guard.Require] or [Guard.Optional]. Handlers ask [Identity], [User] or
// [MustUser]. CORS middleware stands in front of the guard: preflights carry no
// credentials.
package authgearhttp
