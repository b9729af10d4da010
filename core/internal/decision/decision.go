// Package decision is how a guard's finding about a request travels: as one
// context, which the guard makes and the public accessors read.
package decision

import "context"

// Key is the context key. It is a string, since gin and fiber can hold values
// for a request under string keys only; a value counts by its type, so nobody
// gets in by using the same key.
const Key = "github.com/authgear/authgear-sdk-go"

// Context is a context and what was found out about its request. It is a
// context itself, and not a value inside one, to cost one allocation.
type Context struct {
	context.Context

	// Outer is what was found before, nil when nothing was. It is looked up
	// once, and not in the context above: where that derives from a framework's
	// own, it shows the newest finding, which is this one.
	Outer *Context
	// Identity is an *authgear.Identity, nil when there is none. (This package
	// cannot name the type: authgear imports it.)
	Identity any
	// Guard is who decided, nil for an identity that was put in by hand.
	Guard any
	// Failure is why there is no identity.
	Failure error
	// Authorization and Cookie are the lines that the decision was made from.
	Authorization, Cookie []string
}

// Value implements [context.Context].
func (c *Context) Value(key any) any {
	if key == any(Key) {
		return c
	}
	return c.Context.Value(key)
}

// From returns the innermost decision in ctx, nil when there is none.
func From(ctx context.Context) *Context {
	c, _ := ctx.Value(Key).(*Context)
	return c
}
