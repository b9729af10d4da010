// Package contextkey has the keys under which the packages of this module keep values
// in the context of a request.
package contextkey

import "context"

// Identity is the key under which a context holds who sent the request. It is a
// string, since gin and fiber can hold values for a request under string keys
// only. The value must have the right type, so nobody satisfies a guard by using
// the same key.
const Identity = "github.com/authgear/authgear-sdk-go"

type freshKey struct{}

// WithFresh returns a context in which an authenticator uses no answer that is older
// than the call. This holds however the authenticator is wrapped.
func WithFresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshKey{}, true)
}

// IsFresh reports whether ctx was made by [WithFresh].
func IsFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }
