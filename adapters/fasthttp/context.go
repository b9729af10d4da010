package authgearfasthttp

import (
	"context"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Context returns the context by which a guard judges a request: ctx, the framework's
// own, or, when that has lost what [Request.HandOn] put there, ctx with it given back.
// Timeout middleware puts back the context of before the guard; another application
// that a handler serves the request to has none yet. c is the framework's context as a
// context.Context.
func Context(c, ctx context.Context) context.Context {
	kept, ok := c.Value(guard.ContextKey).(context.Context)
	if !ok || ctx.Value(guard.ContextKey) != nil {
		return ctx
	}
	return &regained{ctx, kept}
}

type regained struct {
	context.Context
	kept context.Context // for its values: it may have ended
}

// Value implements [context.Context].
func (r *regained) Value(key any) any {
	if value := r.Context.Value(key); value != nil {
		return value
	}
	return r.kept.Value(key)
}
