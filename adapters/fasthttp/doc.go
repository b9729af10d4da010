// Package authgearfasthttp is what the adapters of frameworks on fasthttp are made
// of: the view of a request that a guard checks, the context that keeps what the
// guard has found out, the removal of headers, the answer to a refused request, and
// the handling of bodies that nobody has read.
//
// It is for those who write an adapter, not for users of one: users of fiber take
// adapters/fiberv3 or adapters/fiber. Changes keep the adapters of the last minor
// version compiling, and promise nothing more.
//
// An adapter makes a [Request] for each request, gives it to [guard.Run], and lets
// [Request.Refuse] write a refusal. It needs fasthttp 1.69 or newer, and is tested
// with 1.69 and 1.78.
package authgearfasthttp
