// Package guard is what the adapters are made of: it decides whether a request
// goes on and renders the refusal, once for all frameworks.
//
// It is for those who write an adapter, not for users of one. Changes keep the
// adapters of the last minor version compiling, and promise nothing more.
//
// An adapter shows its request as an [authgear.Request] ([HTTP] does it for
// whatever is built on net/http), runs a [Check], strips identity fields from
// the request, and then either writes the [Refusal] or calls the handler with
// the context that it got. core/guard/guardtest has the suite that every
// adapter passes.
package guard
