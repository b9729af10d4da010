package authgearfasthttp

import (
	"context"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Context returns ctx, which the framework has for a request, with what [Request.HandOn]
// has kept where c finds it, if ctx has lost that: timeout middleware puts the context
// of before a guard back, and a handler may serve the same request to another
// application of the framework, where it has none yet.
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
