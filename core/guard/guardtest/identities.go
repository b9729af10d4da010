package guardtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

func testAuthenticated(t *testing.T, mount Mount) {
	var after []context.Context
	var mu sync.Mutex
	handler := func(c Context) (int, string) {
		identity, ok := c.Identity()
		user, isUser := c.User()
		for i, ctx := range c.PassedOn() {
			if passed, found := authgear.FromContext(ctx); !found || passed != identity {
				return 500, fmt.Sprintf("context %d has the identity %v", i, passed)
			}
		}
		mu.Lock()
		after = append(after, c.PassedOn()[0])
		mu.Unlock()
		return 200, fmt.Sprint(identity.ID, ok, isUser, user == identity)
	}
	require := Step{Kind: Require, Policies: everyKind}
	f := newFixture(t, mount, Default,
		Route{Path: "/", Steps: []Step{require}, Handler: handler},
		Route{Path: "/stripped", Steps: []Step{require, {Kind: Tracing}, {Kind: Strip}}, Handler: handler},
	)
	wantBody(t, "a user", f.get(t, "GET", "/", "Bearer user.alice"), 200, "alicetrue true true")
	wantBody(t, "a client", f.get(t, "GET", "/", "Bearer client.m2m"), 200, "m2mtrue false false")
	wantBody(t, "a user, and Strip inside", f.get(t, "GET", "/stripped", "Bearer user.alice"), 200, "alicetrue true true")
	for i, want := range []string{"alice", "m2m", "alice"} {
		if identity, ok := authgear.FromContext(after[i]); !ok || identity.ID != want {
			t.Errorf("after the request the context has %v, want %s", identity, want)
		}
	}
}

// mustUser answers with the user's id, or with what MustUser panics with.
func mustUser(c Context) (status int, body string) {
	defer func() {
		if p := recover(); p != nil {
			status, body = 500, fmt.Sprint(p)
		}
	}()
	return 200, c.MustUser().ID
}

func testNoMiddleware(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default,
		Route{Path: "/", Handler: func(c Context) (int, string) {
			if _, ok := c.User(); ok {
				return 500, "a user"
			}
			return whoAmI(c)
		}},
		Route{Path: "/must", Handler: mustUser},
		Route{Path: "/guarded", Steps: []Step{{Kind: Require}}, Handler: mustUser},
	)
	wantBody(t, "no middleware", f.get(t, "GET", "/", "Bearer user.alice"), 200, "nobody")
	wantBody(t, "MustUser with a user", f.get(t, "GET", "/guarded", "Bearer user.alice"), 200, "alice")
	same(t, "a client does not get to MustUser", f.get(t, "GET", "/guarded", "Bearer client.m2m"), refusal(authgear.ReasonKindNotAllowed, ""))
	if got := f.get(t, "GET", "/must", "Bearer user.alice"); got.status != 500 || !strings.Contains(got.body, "Require") || !strings.Contains(got.body, "Identity") {
		t.Errorf("MustUser without a guard: %d %q", got.status, got.body)
	}
}

func testPolicies(t *testing.T, mount Mount) {
	var mu sync.Mutex
	var ran []string
	policy := func(name string, err error) authgear.Policy {
		return authgear.PolicyFunc(func(ctx context.Context, identity *authgear.Identity) error {
			mu.Lock()
			defer mu.Unlock()
			ran = append(ran, name)
			if passed, _ := authgear.FromContext(ctx); passed != identity || identity == nil {
				return errors.New("the context does not hold the identity")
			}
			return err
		})
	}
	own := &authgear.Error{Reason: authgear.ReasonInternal, Err: errors.New("the database is down")}
	route := func(path string, policies ...authgear.Policy) Route {
		return Route{Path: path, Steps: []Step{{Kind: Require, Policies: policies}}, Handler: whoAmI}
	}
	f := newFixture(t, mount, Default,
		route("/all", policy("1", nil), policy("2", nil)),
		route("/first", policy("1", authgear.Deny("no")), policy("2", nil)),
		route("/second", policy("1", nil), policy("2", fmt.Errorf("wrapped: %w", own)), policy("3", nil)),
		route("/wrapped", authgear.PolicyFunc(func(context.Context, *authgear.Identity) error {
			return fmt.Errorf("project 42: %w", authgear.Deny("it is archived"))
		})),
		route("/bare", authgear.PolicyFunc(func(context.Context, *authgear.Identity) error {
			return fmt.Errorf("project 42: %w", &authgear.Error{Reason: authgear.ReasonNotVerified})
		})),
		route("/role", authgear.Role("admin")),
	)
	wantBody(t, "all allow", f.get(t, "GET", "/all", "Bearer user.alice"), 200, "alice")
	same(t, "denied", f.get(t, "GET", "/first", "Bearer user.alice"), refusal(authgear.ReasonPolicyDenied, ""))
	same(t, "an error of ours", f.get(t, "GET", "/second", "Bearer user.alice"), refusal(authgear.ReasonInternal, "1"))
	for path, reason := range map[string]authgear.Reason{"/wrapped": authgear.ReasonPolicyDenied, "/bare": authgear.ReasonNotVerified} {
		f.record.take()
		same(t, "a wrapped error of ours", f.get(t, "GET", path, "Bearer user.alice"), refusal(reason, ""))
		if decisions, _ := f.record.take(); len(decisions) != 1 || !strings.Contains(fmt.Sprint(errors.Unwrap(decisions[0].Err)), "project 42") {
			t.Errorf("%s: the operator is told %+v", path, decisions)
		}
	}
	if got := strings.Join(ran, ""); got != "12112" {
		t.Errorf("policies ran in the order %s, want 12112", got)
	}
	same(t, "no identity, no policy", f.get(t, "GET", "/all", ""), refusal(authgear.ReasonNoCredentials, ""))
	if got := strings.Join(ran, ""); got != "12112" {
		t.Errorf("a policy ran for a request without identity: %s", got)
	}
	f.record.take()
	f.get(t, "GET", "/role", "Bearer user.alice")
	if decisions, _ := f.record.take(); len(decisions) != 1 || decisions[0].Outcome != authgear.OutcomeDenied || decisions[0].Source != authgear.SourceJWT {
		t.Errorf("decisions = %+v", decisions)
	}
}

func testReuse(t *testing.T, mount Mount) {
	first, second := &fake{}, &fake{}
	config := guard.Config{Observer: &authgear.Observer{}}
	route := func(path string, steps ...Step) Route { return Route{Path: path, Steps: steps, Handler: whoAmI} }
	f := &fixture{addr: mount(t, App{
		Guards: []Guard{{Authenticator: first, Config: config}, {Authenticator: second, Config: config}},
		Routes: []Route{
			route("/same", Step{Kind: Optional}, Step{Kind: Require}, Step{Kind: Require}),
			route("/other", Step{Kind: Optional}, Step{Kind: Require, Guard: 1}, Step{Kind: Require}),
		},
	})}
	check := func(what string, firstCalls, secondCalls int) {
		t.Helper()
		if first.called() != firstCalls || second.called() != secondCalls {
			t.Errorf("%s: %d and %d calls, want %d and %d", what, first.called(), second.called(), firstCalls, secondCalls)
		}
	}
	wantBody(t, "identity", f.get(t, "GET", "/same", "Bearer user.alice"), 200, "alice")
	check("identity", 1, 0)
	same(t, "error", f.get(t, "GET", "/same", ""), refusal(authgear.ReasonNoCredentials, ""))
	check("error", 2, 0)
	wantBody(t, "another guard", f.get(t, "GET", "/other", "Bearer user.alice"), 200, "alice")
	check("another guard", 3, 1)
}

func testConcurrency(t *testing.T, mount Mount) {
	const requests = 200
	var arrived sync.WaitGroup
	arrived.Add(requests)
	f := newFixture(t, mount, Default, Route{Path: "/", Steps: []Step{{Kind: Require}}, Handler: func(c Context) (int, string) {
		before, _ := c.Identity()
		arrived.Done()
		arrived.Wait() // all handlers run at once
		after, _ := authgear.FromContext(c.PassedOn()[0])
		return 200, before.ID + " " + after.ID
	}})
	var wg sync.WaitGroup
	for i := range requests {
		wg.Go(func() {
			name := fmt.Sprintf("user%d", i)
			request, err := http.NewRequest("GET", "http://"+f.addr+"/", nil)
			if err != nil {
				t.Error(err)
				return
			}
			request.Close = true
			request.Header.Set("Authorization", "Bearer user."+name)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if want := name + " " + name; err != nil || string(body) != want {
				t.Errorf("%q, %v, want %q", body, err, want)
			}
		})
	}
	wg.Wait()
}
