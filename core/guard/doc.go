// Package guard is what the adapters are made of: it decides whether a request
// is allowed and renders the refusal, once for all frameworks.
//
// It is for those who write an adapter, not for users of one. Changes keep the
// adapters of the last minor version compiling, and promise nothing more.
//
// An adapter shows its request as a [Request] ([HTTP] does it for whatever is
// built on net/http) and gives it to [Run] with the [Check] of the route. It gets
// back the request as the handler may see it, and a [Refusal] to write, or nil
// to call the handler. core/guard/guardtest has the suite that every adapter
// passes.
package guard
