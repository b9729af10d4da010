package authgearfasthttp

import (
	"context"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Context returns the context by which a guard judges a request. This is ctx, the
// framework's own; if it has lost what [Request.HandOn] put there, it is ctx with
// that restored. Two things lose it: timeout middleware restores the context from
// before the guard, and a handler may pass the request to another application,
// which has no context yet. c is the framework's context as a context.Context.
func Context(c, ctx context.Context) context.Context {
	kept, ok := c.Value(guard.ContextKey).(context.Context)
	if !ok || ctx.Value(guard.ContextKey) != nil {
		return ctx
	}
	return &regained{ctx, kept}
}

type regained struct {
	context.Context
	kept context.Context // only its values are used, since it may have ended
}

// Value implements [context.Context].
func (r *regained) Value(key any) any {
	if value := r.Context.Value(key); value != nil {
		return value
	}
	return r.kept.Value(key)
}
