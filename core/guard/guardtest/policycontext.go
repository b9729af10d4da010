package guardtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// loadedKey is of what a policy hands on by the context numbered so.
type loadedKey int

// testPolicyContext has a policy that loads something, and one behind it, or in a
// guard behind its own, that needs it, as the handler does.
func testPolicyContext(t *testing.T, adapter Adapter) {
	load := adapter.Policy(func(c Context, identity *authgear.Identity) error {
		found, ok := c.Identity()
		user, isUser := c.User()
		if found != identity || !ok || user != identity || !isUser || c.MustUser() != identity {
			return fmt.Errorf("the accessors find %v and %v", found, user)
		}
		for i, ctx := range c.PassedOn() {
			if passed, _ := authgear.FromContext(ctx); passed != identity {
				return fmt.Errorf("context %d has the identity %v", i, passed)
			}
			authgear.SetValue(ctx, loadedKey(i), "loaded")
		}
		for name := range c.Headers() {
			if strings.Contains(strings.ToLower(name), "authgear") {
				return fmt.Errorf("the policy sees %s", name)
			}
		}
		c.Set("note", c.Param("id")+" of "+identity.ID)
		return nil
	})
	loaded := func(c Context) error {
		for i, ctx := range c.PassedOn() {
			if value := c.PassedOn()[0].Value(loadedKey(i)); value != "loaded" {
				return fmt.Errorf("what was set by context %d, a %T, is %v", i, ctx, value)
			}
		}
		return nil
	}
	need := adapter.Policy(func(c Context, _ *authgear.Identity) error {
		if c.Get("note") != "42 of alice" {
			return authgear.Deny(fmt.Sprint("the note is ", c.Get("note")))
		}
		return loaded(c)
	})
	handler := func(c Context) (int, string) {
		if err := loaded(c); err != nil {
			return 500, err.Error()
		}
		return 200, fmt.Sprint(c.Get("note"))
	}
	other := &fake{}
	f := &fixture{auth: &fake{}, record: &record{}}
	f.addr = adapter.Mount(t, App{
		Guards: []Guard{{Authenticator: f.auth, Config: f.config()}, {Authenticator: other, Config: f.config()}},
		Routes: []Route{
			{Path: "/list/{id}", Steps: []Step{{Policies: []authgear.Policy{load, need}}}, Handler: handler},
			{Path: "/all/{id}", Steps: []Step{{Policies: []authgear.Policy{authgear.All(load, authgear.Any(authgear.Role("admin"), need))}}}, Handler: handler},
			{Path: "/nested/{id}", Steps: []Step{{Policies: []authgear.Policy{load}}, {Kind: Optional}, {Policies: []authgear.Policy{need}}}, Handler: handler},
			{Path: "/fresh/{id}", Steps: []Step{{Policies: []authgear.Policy{load}}, {Kind: RequireFresh, Policies: []authgear.Policy{need}}}, Handler: handler},
			{Path: "/other/{id}", Steps: []Step{{Policies: []authgear.Policy{load}}, {Guard: 1, Policies: []authgear.Policy{need}}}, Handler: handler},
			{Path: "/nothing/{id}", Steps: []Step{{Policies: []authgear.Policy{need}}}, Handler: handler},
		},
	})
	lines := []string{"Authorization: Bearer user.alice", "X-Authgear-User-Id: mallory", "x_authgear_user_roles: admin"}
	for _, path := range []string{"/list/42", "/all/42", "/nested/42", "/fresh/42", "/other/42"} {
		calls := f.auth.called()
		wantBody(t, path, f.raw(t, head("GET", path, lines...)), 200, "42 of alice")
		if calls = f.auth.called() - calls; calls != 1 && path != "/fresh/42" {
			t.Errorf("%s: %d calls", path, calls)
		}
		// Nothing of a request is there in the next one.
		same(t, "without what is loaded", f.raw(t, head("GET", "/nothing/42", lines...)), refusal(authgear.ReasonPolicyDenied, ""))
	}
	same(t, "another note", f.raw(t, head("GET", "/nested/43", lines...)), refusal(authgear.ReasonPolicyDenied, ""))
}

// testKept: what a policy keeps, or leaves behind, is of no use once the policies
// have been asked. Frameworks use their contexts again.
func testKept(t *testing.T, adapter Adapter) {
	var mu sync.Mutex
	var kept []context.Context
	keep := func(ctx context.Context) {
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, ctx)
	}
	ran := false
	inside := adapter.Policy(func(Context, *authgear.Identity) error { ran = true; return nil })
	var ended atomic.Bool
	var left sync.WaitGroup
	stop := sync.OnceFunc(func() { ended.Store(true); left.Wait() })
	t.Cleanup(stop)
	policy := authgear.All(
		authgear.PolicyFunc(func(ctx context.Context, identity *authgear.Identity) error {
			keep(ctx)
			left.Go(func() { // as a driver's that waits for the end of ctx
				for !ended.Load() {
					_, _ = ctx.Value(loadedKey(0)), ctx.Done()
				}
			})
			authgear.SetValue(ctx, loadedKey(0), "loaded")
			within, cancel := context.WithCancel(ctx)
			defer cancel()
			return adapter.Self("id").Check(within, identity) // as long as it runs, it can ask another
		}),
		adapter.Policy(func(c Context, identity *authgear.Identity) error {
			keep(c.PassedOn()[0])
			if c.Param("panics") != "" {
				panic(http.ErrAbortHandler)
			}
			return nil
		}),
	)
	wantEnded := func(what string, ctx context.Context) error {
		identity, _ := authgear.FromContext(ctx)
		if identity == nil || identity.ID != "alice" {
			return fmt.Errorf("%s: the identity is %v", what, identity)
		}
		for name, p := range map[string]authgear.Policy{"Policy": inside, "Self": adapter.Self("id")} {
			var denied *authgear.Error
			if err := p.Check(ctx, identity); !errors.As(err, &denied) || denied.Reason != authgear.ReasonPolicyDenied {
				return fmt.Errorf("%s: %s comes to %v", what, name, err)
			}
		}
		authgear.SetValue(ctx, loadedKey(1), "late")
		return nil
	}
	f := &fixture{auth: &fake{}, record: &record{}}
	steps := []Step{{Policies: []authgear.Policy{policy}}}
	f.addr = adapter.Mount(t, App{
		Guards: []Guard{{Authenticator: f.auth, Config: f.config()}},
		Routes: []Route{
			{Path: "/panic/{id}/{panics}", Steps: steps, Handler: whoAmI},
			{Path: "/{id}", Steps: steps, Handler: func(c Context) (int, string) {
				mu.Lock()
				defer mu.Unlock()
				ctx := c.PassedOn()[0]
				err := wantEnded("the handler's context", ctx)
				for _, k := range kept {
					err = errors.Join(err, wantEnded("a context of a policy", k))
				}
				if ctx.Value(loadedKey(0)) != "loaded" || ctx.Value(loadedKey(1)) != nil {
					err = errors.Join(err, errors.New("the values are others"))
				}
				if err != nil {
					return 500, err.Error()
				}
				return whoAmI(c)
			}},
		},
	})
	panicking := request(t, f, "Bearer user.alice")
	panicking.URL.Path = "/panic/alice/1"
	if response, err := http.DefaultClient.Do(panicking); err == nil { // net/http drops the connection
		_ = response.Body.Close()
	}
	for range 3 {
		wantBody(t, "a policy that keeps its context", f.get(t, "GET", "/alice", "Bearer user.alice"), 200, "alice")
	}
	stop()
	if mu.Lock(); len(kept) != 8 {
		t.Errorf("%d contexts are kept", len(kept))
	}
	for _, ctx := range kept {
		if err := wantEnded("after the request", ctx); err != nil {
			t.Error(err)
		}
	}
	mu.Unlock()
	if ran {
		t.Error("a policy got a framework's context that was none of its request")
	}
}
