// Package contextkey names the key under which a context holds who sent its
// request.
package contextkey

// Identity is the key. It is a string, since gin and fiber can hold values for a
// request under string keys only. What stands there counts by its type, so
// nobody satisfies a guard by using the same key.
const Identity = "github.com/authgear/authgear-sdk-go"
