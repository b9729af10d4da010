package authgear

import (
	"context"

	"github.com/authgear/authgear-sdk-go/core/internal/decision"
)

// NewContext returns a context that holds the identity, for [FromContext] and
// for the adapters' accessors: for tests, and for work that goes on in the name
// of an identity. It satisfies no guard, which always looks at the request.
func NewContext(ctx context.Context, identity *Identity) context.Context {
	return &decision.Context{Context: ctx, Outer: decision.From(ctx), Identity: identity}
}

// FromContext returns the identity of the request that ctx belongs to: nil and
// false on a route without a guard, or when an optional route found none.
// *gin.Context, and fiber's UserContext and Context, can be passed as they are.
func FromContext(ctx context.Context) (*Identity, bool) {
	d := decision.From(ctx)
	if d == nil {
		return nil, false
	}
	identity, _ := d.Identity.(*Identity)
	return identity, identity != nil
}
