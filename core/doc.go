// Package authgear tells a Go backend who sent a request, for projects that
// sign their users in with [Authgear].
//
// # Getting an identity
//
// An [Authenticator] finds out who sent a request. There are four:
//
//   - [NewHybrid] validates JWT access tokens in the process, and asks Authgear's
//     resolver about their sessions every ten seconds, in the background. It is
//     as fast as NewJWT and nearly as fresh as NewResolver. It is the one to
//     begin with.
//   - [NewJWT] validates JWT access tokens in the process: fast, and as fresh as
//     the token.
//   - [NewResolver] asks Authgear's resolver about access tokens and session
//     cookies: as fresh as the answer.
//   - [NewForwarded] reads the identity that a reverse proxy forwards after
//     asking the resolver.
//
// Use [InOrder] to put an authenticator of your own, such as one for API keys,
// in front of these.
//
// NewForwarded needs proof that the proxy has set the headers, see
// [ForwardedConfig]. The others need only the project's endpoint:
//
//	auth, err := authgear.NewHybrid(authgear.HybridConfig{Endpoint: "https://myapp.authgear.cloud"})
//
// With [Revocations] and the webhook receiver of core/webhook, NewHybrid
// refuses a disabled user at once.
//
// The adapter of your framework turns an authenticator into middleware and
// accessors. Each adapter is a module of its own, so that a service gets only
// the framework that it uses:
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
// decides the [Outcome], and the outcome decides the HTTP answer. So "no
// credentials" and "invalid" are never confused with "cannot tell now". The
// text of the error is safe to show. Its cause is for the operator, who gets it
// by errors.Unwrap, by log/slog and by the [Observer].
//
// # What is not here
//
// Middleware: see the adapters. What adapters are made of: core/guard, and
// adapters/fasthttp. A development Authgear for trying and testing:
// core/authgeartest.
//
// [Authgear]: https://docs.authgear.com
package authgear
