// Package contextkey names what a context of a request holds for the packages of
// this module.
package contextkey

import "context"

// Identity is the key under which a context holds who sent its request. It is a
// string, since gin and fiber can hold values for a request under string keys
// only. What stands there counts by its type, so nobody satisfies a guard by using
// the same key.
const Identity = "github.com/authgear/authgear-sdk-go"

type freshKey struct{}

// WithFresh returns a context in which an authenticator takes no answer that is
// older than the call, however it is wrapped.
func WithFresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshKey{}, true)
}

// IsFresh reports whether ctx was made by [WithFresh].
func IsFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }
