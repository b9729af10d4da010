// Package authgear tells a Go backend who sent a request, for projects that
// sign their users in with [Authgear].
//
// # Getting an identity
//
// An [Authenticator] finds out who sent a request. There are four:
//
//   - [NewHybrid] validates JWT access tokens in the process, and asks Authgear's
//     resolver about their sessions, once in ten seconds and in the background: as
//     fast as the first of the next two, and nearly as fresh as the second. It is
//     the one to begin with.
//   - [NewJWT] validates JWT access tokens in the process: fast, and as fresh as
//     the token.
//   - [NewResolver] asks Authgear's resolver about access tokens and session
//     cookies: as fresh as the answer.
//   - [NewForwarded] reads what a reverse proxy forwards that has asked the
//     resolver.
//
// One of your own, for API keys say, goes in front of these by [InOrder].
//
// The last needs proof of the proxy, see [ForwardedConfig]. The others need the
// project's endpoint alone:
//
//	auth, err := authgear.NewHybrid(authgear.HybridConfig{Endpoint: "https://myapp.authgear.cloud"})
//
// With [Revocations] core/webhook makes NewHybrid refuse a disabled user at once.
//
// The adapter of your framework turns it into middleware and accessors. They
// are modules of their own, so that a service gets the framework that it uses
// and no other:
//
//	github.com/authgear/authgear-sdk-go/adapters/gin      package authgeargin
//	github.com/authgear/authgear-sdk-go/adapters/echov5   package authgearechov5
//	github.com/authgear/authgear-sdk-go/adapters/fiberv3  package authgearfiberv3
//	github.com/authgear/authgear-sdk-go/adapters/nethttp  package authgearhttp
//	github.com/authgear/authgear-sdk-go/adapters/echo     package authgearecho, for echo v4
//	github.com/authgear/authgear-sdk-go/adapters/fiber    package authgearfiber, for fiber v2
//
// Where there is no HTTP request (a queue consumer, the first message of a
// socket) use [Hybrid.Verify], [JWT.Verify] or [Resolver.Verify].
//
// # Identities and policies
//
// An [Identity] is a user or a client (a machine). A [Policy] allows or denies:
// by roles ([Role], [AnyRole], [AllRoles]), by what is known of the user
// ([Verified], [NotAnonymous]), by when the user signed in ([RecentAuth]), by
// scopes ([Scope]), by the kind of the sender ([Kinds]), or by a function of your
// own ([PolicyFunc], and Policy of each adapter). [All] and [Any] combine them. A
// route admits users only, unless a policy names clients.
//
// # Errors
//
// Every failure is an [*Error] with one [Reason] of a closed list. The reason
// decides the [Outcome], the outcome decides the HTTP answer: "no credentials"
// and "invalid" are never confused with "cannot tell now". Its text is safe to
// show; the cause, for the operator, is reached by errors.Unwrap, by
// log/slog and by the [Observer].
//
// # What is not here
//
// Middleware: see the adapters. What adapters are made of: core/guard, and
// adapters/fasthttp. A development Authgear for trying and testing:
// core/authgeartest.
//
// [Authgear]: https://docs.authgear.com
package authgear
