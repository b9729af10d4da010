package authgear

import (
	"context"

	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
)

// NewContext returns a context that holds the identity, for [FromContext] and for the
// adapters' accessors. Use it in tests, and for work that goes on in the name of an
// identity. It satisfies no guard: guards always look at the request.
func NewContext(ctx context.Context, identity *Identity) context.Context {
	return &identityContext{ctx, identity}
}

type identityContext struct {
	context.Context
	identity *Identity
}

func (c *identityContext) Identity() *Identity { return c.identity }

// Value implements [context.Context].
func (c *identityContext) Value(key any) any {
	if key == any(contextkey.Identity) {
		return c
	}
	return c.Context.Value(key)
}

// FromContext returns the identity of the request that ctx belongs to. It returns nil and
// false on a route without a guard, and when an optional route found no identity. These
// contexts can be passed as they are: *gin.Context, fiber v3's Ctx and its Context, and
// fiber v2's UserContext and Context.
func FromContext(ctx context.Context) (*Identity, bool) {
	holder, ok := ctx.Value(contextkey.Identity).(interface{ Identity() *Identity })
	if !ok {
		return nil, false
	}
	identity := holder.Identity()
	return identity, identity != nil
}

// UserFromContext is [FromContext] for users: nil and false for a client too.
func UserFromContext(ctx context.Context) (*Identity, bool) {
	identity, ok := FromContext(ctx)
	if !ok || identity.Kind != KindUser {
		return nil, false
	}
	return identity, true
}

// MustUserFromContext is [UserFromContext] for routes that only users reach: routes
// behind a guard's Require whose policies do not name clients. It panics without a user.
func MustUserFromContext(ctx context.Context) *Identity {
	user, ok := UserFromContext(ctx)
	if !ok {
		panic("authgear: MustUser: no user sent this request; put the guard's Require before this handler, and where a policy of it names clients use User or Identity")
	}
	return user
}
