package guard

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
)

// ContextKey is the key of the finding in the context that [Run] hands on. Where a
// framework's own context is passed around as a context.Context, the adapter puts the
// same value there under this key.
const ContextKey = contextkey.Identity

// finding is what a guard has found out about one request. It is the request's
// context, and not a value inside one, to cost one allocation. It does not change
// once the request was handed on.
type finding struct {
	context.Context
	// outer is an earlier finding, about this request or about the one in whose name this
	// one is sent; nil when there is none. It is looked up once, since a framework's context
	// that derives from itself would lead in a circle.
	outer *finding

	guard    *Guard // nil: the authenticator was not asked, so nobody reuses this
	read     record // what it has read
	identity *authgear.Identity
	failure  *authgear.Error // why there is no identity
	refused  *authgear.Error // why the request was refused, if it was
	handedOn bool
	store    unsafe.Pointer // of the request as it was handed on
}

type findingKey struct{}

// Value implements [context.Context].
func (f *finding) Value(key any) any {
	if key == any(ContextKey) || key == any(findingKey{}) {
		return f
	}
	return f.Context.Value(key)
}

// Identity is what authgear.FromContext returns.
func (f *finding) Identity() *authgear.Identity { return f.identity }

func findingIn(ctx context.Context) *finding {
	f, ok := ctx.Value(findingKey{}).(*finding)
	if !ok { // a framework's context, or one that derives from that
		f, _ = ctx.Value(ContextKey).(*finding)
	}
	return f
}

// earlier returns what this very guard has found out about this request before. The
// request must have all values that the authenticator has read then, since a context can
// be handed to another request within the process.
func (g *Guard) earlier(f *finding, r view) *finding {
	for ; f != nil; f = f.outer {
		if f.guard == g && !f.expired() && f.read.holds(r, f.store == r.Store()) {
			return f
		}
	}
	return nil
}

func (f *finding) expired() bool {
	return f.identity != nil && !f.identity.ExpiresAt.IsZero() && !time.Now().Before(f.identity.ExpiresAt)
}

// Refused returns why a guard has refused the request that ctx belongs to: for
// middleware around the guard, such as an access log.
func Refused(ctx context.Context) (*authgear.Error, bool) {
	f := findingIn(ctx)
	if f == nil || f.refused == nil {
		return nil, false
	}
	return f.refused, true
}

// HandedOn returns ctx, or kept if ctx has lost what a guard has found out. kept is the
// context that [Run] has handed on and the adapter has kept, nil when there is none. ctx
// can lose the finding since middleware around the guard, such as for tracing, may put
// back the request that it got.
func HandedOn(ctx context.Context, kept any) context.Context {
	if handedOn, ok := kept.(context.Context); ok && ctx.Value(ContextKey) == nil {
		return handedOn
	}
	return ctx
}

// Found is what the outermost guard finds out about a request, for middleware
// around it in a framework that copies requests. It is safe for concurrent use.
type Found struct{ finding atomic.Pointer[finding] }

type foundKey struct{}

// Watch returns a context for a request, and where the outermost guard notes
// what it finds out about it.
func Watch(ctx context.Context) (context.Context, *Found) {
	found := &Found{}
	return context.WithValue(ctx, foundKey{}, found), found
}

// note tells a [Found] in ctx. A guard further inside may decide about the same request
// again and refuse it: then that is noted instead. A decision about another request, sent
// in the name of this one, is not noted.
func note(ctx context.Context, earlier, found *finding) {
	if f, ok := ctx.Value(foundKey{}).(*Found); ok && !f.finding.CompareAndSwap(nil, found) {
		f.finding.CompareAndSwap(earlier, found)
	}
}

// Identity returns who sent the request, also when it was denied: nil and false
// when no guard has run, or none has found an identity.
func (f *Found) Identity() (*authgear.Identity, bool) {
	if found := f.finding.Load(); found != nil && found.identity != nil {
		return found.identity, true
	}
	return nil, false
}

// Error returns why the request was refused, if it was.
func (f *Found) Error() (*authgear.Error, bool) {
	if found := f.finding.Load(); found != nil && found.refused != nil {
		return found.refused, true
	}
	return nil, false
}
