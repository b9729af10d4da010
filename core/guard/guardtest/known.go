package guardtest

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// testAccessLog: whoever was refused, the access log and a custom error handler
// know who it was, and why.
func testAccessLog(t *testing.T, mount Mount) {
	var mu sync.Mutex
	var logged []string
	log := func(identity *authgear.Identity, refused *authgear.Error) {
		mu.Lock()
		defer mu.Unlock()
		logged = append(logged, Told(identity, refused))
	}
	admin := []authgear.Policy{authgear.Role("admin")}
	route := func(path string, steps ...Step) Route {
		return Route{Path: path, Steps: append([]Step{{Kind: AccessLog}}, steps...), Handler: whoAmI}
	}
	f := &fixture{record: &record{}, auth: &fake{}}
	f.addr = mount(t, App{
		Guards: []Guard{{Authenticator: f.auth, Config: f.config(), OnError: Tells}},
		Routes: []Route{
			route("/open"),
			route("/required", Step{Kind: Require}),
			route("/optional", Step{Kind: Optional}),
			route("/denied", Step{Kind: Require, Policies: admin}),
			route("/inside", Step{Kind: Optional}, Step{Kind: Require, Policies: admin}),
			route("/fresh", Step{Kind: Require}, Step{Kind: RequireFresh}),
			route("/traced", Step{Kind: Tracing}, Step{Kind: Require, Policies: admin}),
		},
		Log: log,
	})
	for _, c := range []struct {
		method, path, line string
		status             int
		want               string // in the log, and of the error handler
	}{
		{"GET", "/open", "Authorization: Bearer user.alice", 200, "nobody allowed"},
		{"GET", "/required", "Authorization: Bearer user.alice", 200, "alice allowed"},
		{"GET", "/optional", "X-Other: a", 200, "nobody allowed"},
		{"GET", "/optional", "Cookie: who=error.session_invalid", 200, "nobody allowed"},
		{"GET", "/required", "X-Other: a", 418, "nobody no_credentials"},
		{"GET", "/required", "Authorization: Bearer error.token_expired", 418, "nobody token_expired"},
		{"GET", "/required", "Authorization: Bearer client.m2m", 418, "m2m kind_not_allowed"},
		{"GET", "/denied", "Authorization: Bearer user.alice", 418, "alice role_missing"},
		{"GET", "/inside", "Authorization: Bearer user.alice", 418, "alice role_missing"},
		{"GET", "/inside", "X-Other: a", 418, "nobody no_credentials"},
		{"GET", "/traced", "Authorization: Bearer user.alice", 418, "alice role_missing"},
		{"GET", "/traced", "X-Other: a", 418, "nobody no_credentials"},
		{"POST", "/required", "Cookie: who=user.alice\r\nOrigin: https://evil.example", 418, "alice cross_origin"},
		{"GET", "/fresh", "Authorization: Bearer ended.alice", 418, "nobody token_rejected"},
	} {
		what := c.method + " " + c.path + " " + c.line
		got := f.raw(t, head(c.method, c.path, c.line))
		if got.status != c.status || c.status == 418 && got.body != c.want {
			t.Errorf("%s: %d %q, want %d %q", what, got.status, got.body, c.status, c.want)
		}
		if mu.Lock(); len(logged) != 1 || logged[0] != c.want {
			t.Errorf("%s: the access log has %q, want %q", what, logged, c.want)
		}
		logged = nil
		mu.Unlock()
	}
}

// testRefuse: a handler can refuse as its guard does.
func testRefuse(t *testing.T, mount Mount) {
	errs := map[string]error{
		"denied":  authgear.Deny("the project is archived"),
		"wrapped": fmt.Errorf("project 42: %w", &authgear.Error{Reason: authgear.ReasonNotVerified}),
		"foreign": errors.New("the database is down"),
	}
	handler := func(c Context) (int, string) {
		identity, _ := c.Identity()
		c.Refuse(0, errs[identity.ID])
		return 0, ""
	}
	for _, onError := range []OnError{Default, Tells} {
		f := newFixture(t, mount, onError, Route{Path: "/", Steps: []Step{{Kind: Require}}, Handler: handler})
		for id, reason := range map[string]authgear.Reason{"denied": authgear.ReasonPolicyDenied, "wrapped": authgear.ReasonNotVerified, "foreign": authgear.ReasonInternal} {
			f.record.take()
			got := f.get(t, "GET", "/", "Bearer user."+id)
			if onError == Default {
				same(t, id, got, refusal(reason, "1"))
			} else {
				wantBody(t, id, got, http.StatusTeapot, id+" "+string(reason))
				sameBesideBody(t, id, got, refusal(reason, "1"))
			}
			decisions, _ := f.record.take()
			if len(decisions) != 2 || decisions[0].Reason != "" || decisions[1].Reason != reason || !decisions[1].Repeated || decisions[1].Source != authgear.SourceJWT {
				t.Errorf("%s: decisions = %+v", id, decisions)
			}
		}
	}
}
