package authgearfasthttp_test

import (
	"context"
	"testing"

	"github.com/valyala/fasthttp"

	authgearfasthttp "github.com/authgear/authgear-sdk-go/adapters/fasthttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

type key string

// A context that has lost what a guard has found out gets it back. In all else it stays
// as it is, since the context that the guard has handed on may have ended.
func TestContext(t *testing.T) {
	t.Parallel()
	with := func(ctx context.Context, own string) context.Context {
		return context.WithValue(context.WithValue(ctx, key("both"), own), key(own), own)
	}
	var c fasthttp.RequestCtx
	outside := with(context.Background(), "outside")
	if authgearfasthttp.Context(&c, outside) != outside {
		t.Error("there was no guard, and the context is another one")
	}

	inside, cancel := context.WithCancel(with(t.Context(), "inside"))
	r := view(&c)
	g := newGuard(guardtest.Alice, authgear.Observer{})
	if _, refusal := guard.Run(inside, g.Require(authgear.Role("admin")), r, r.ResponseHeader(), &c); refusal == nil {
		t.Fatal("not refused")
	}
	cancel()
	handedOn := with(c.UserValue(guard.ContextKey).(context.Context), "handler")
	if authgearfasthttp.Context(&c, handedOn) != handedOn {
		t.Error("nothing was lost, and the context is another one")
	}

	ctx := authgearfasthttp.Context(&c, outside)
	if user, _ := authgear.UserFromContext(ctx); user != guardtest.Alice.Identity {
		t.Errorf("the user is %v", user)
	}
	if refused, _ := guard.Refused(ctx); refused == nil || refused.Reason != authgear.ReasonRoleMissing {
		t.Errorf("refused: %v", refused)
	}
	for k, want := range map[key]any{"both": "outside", "outside": "outside", "inside": "inside", "neither": nil} {
		if got := ctx.Value(k); got != want {
			t.Errorf("%s: %v, want %v", k, got, want)
		}
	}
	if ctx.Err() != nil || context.Cause(ctx) != nil {
		t.Errorf("it has ended: %v, %v", ctx.Err(), context.Cause(ctx))
	}
	child, end := context.WithCancel(ctx)
	if end(); child.Err() == nil || ctx.Err() != nil {
		t.Errorf("%v, %v", child.Err(), ctx.Err())
	}
}
