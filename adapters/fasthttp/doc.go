// Package authgearfasthttp is what the adapters of frameworks on fasthttp are made
// of: the view of a request by which it is judged, the context in which what was found
// out is kept, the removal of headers, the answer to a request that is refused, and
// what to do about bodies that nobody has read.
//
// It is for those who write an adapter, not for users of one: users of fiber take
// adapters/fiberv3 or adapters/fiber. Changes keep the adapters of the last minor
// version compiling, and promise nothing more.
//
// An adapter makes a [Request] of each request, gives it to [guard.Run], and lets
// [Request.Refuse] write a refusal. It is tested with fasthttp 1.69, which it needs at
// least, and 1.78.
package authgearfasthttp
