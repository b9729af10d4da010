package guard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// constant is an authenticator that knows everybody, and counts.
type constant struct {
	identity authgear.Identity
	calls    int
}

func (c *constant) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	c.calls++
	_, _ = r.Values("Authorization"), r.Values("Cookie")
	return &c.identity, nil
}

func silent() guard.Config { return guard.Config{Observer: &authgear.Observer{}} }

// run is one check of a request, as an adapter makes it.
func run(check *guard.Check, ctx context.Context, r *http.Request, response http.Header) (context.Context, *guard.Refusal) {
	handed, refusal := guard.Run(ctx, check, guard.HTTP(r), response, nil)
	return handed.Context(), refusal
}

func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

func TestNewPanics(t *testing.T) {
	t.Parallel()
	if !panics(func() { guard.New(nil, guard.Config{}) }) {
		t.Error("nil is taken for an authenticator")
	}
	if !panics(func() { guard.New((*authgear.JWT)(nil), silent()) }) {
		t.Error("a nil *JWT is taken for an authenticator")
	}
	g := guard.New(&constant{}, silent())
	if !panics(func() { g.Require(authgear.Role("admin"), authgear.Policy{}) }) {
		t.Error("the zero Policy is taken for a policy")
	}
}

func newRequest(authorization, cookie string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Authorization"], r.Header["Cookie"] = []string{authorization}, []string{cookie}
	return r
}

// A decision belongs to the guard that made it and to the request whose
// credentials it was made from.
func TestReuse(t *testing.T) {
	t.Parallel()
	auth := &constant{identity: authgear.Identity{Kind: authgear.KindUser, ID: "alice"}}
	g := guard.New(auth, silent())
	require := func(g *guard.Guard, ctx context.Context, r *http.Request) context.Context {
		t.Helper()
		ctx, refusal := run(g.Require(), ctx, r, http.Header{})
		if refusal != nil {
			t.Fatal(refusal.Err)
		}
		return ctx
	}
	want := func(what string, calls int) {
		t.Helper()
		if auth.calls != calls {
			t.Errorf("%s: %d calls, want %d", what, auth.calls, calls)
		}
	}

	ctx := require(g, context.Background(), newRequest("Bearer a", "session=b"))
	want("first", 1)
	require(g, ctx, newRequest("Bearer a", "session=b"))
	want("the same again", 1)
	require(g, ctx, newRequest("Bearer x", "session=b"))
	want("a sub-request with another token", 2)
	require(g, ctx, newRequest("Bearer a", "session=x"))
	want("a sub-request with another cookie", 3)
	require(g, ctx, httptest.NewRequest("GET", "/", nil))
	want("a sub-request without credentials", 4)

	other := guard.New(auth, silent())
	within := require(other, ctx, newRequest("Bearer a", "session=b"))
	want("another guard of the same authenticator", 5)
	within = require(g, within, newRequest("Bearer a", "session=b"))
	want("the first guard inside the other", 5)
	require(other, within, newRequest("Bearer a", "session=b"))
	want("the other inside the first inside the other", 5)

	byHand := authgear.NewContext(context.Background(), &authgear.Identity{Kind: authgear.KindUser, ID: "mallory"})
	got, _ := authgear.FromContext(require(g, byHand, newRequest("Bearer a", "session=b")))
	want("an identity that was put in by hand", 6)
	if got.ID != "alice" {
		t.Errorf("the handler sees %s", got.ID)
	}
}

// A request without credentials hides an identity that came with the context.
func TestOptionalHidesOuterIdentity(t *testing.T) {
	t.Parallel()
	g := guard.New(none{}, silent())
	outer := authgear.NewContext(context.Background(), &authgear.Identity{Kind: authgear.KindUser, ID: "outer"})
	ctx, refusal := run(g.Optional(), outer, newRequest("", ""), http.Header{})
	if identity, ok := authgear.FromContext(ctx); ok || refusal != nil {
		t.Errorf("identity = %v, refusal = %v", identity, refusal)
	}
}

type none struct{}

func (none) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
}

// raw is a request as a server shows it that refuses nothing by itself.
type raw struct {
	guard.Request[*http.Request]
	lines []guard.Line
}

func (r raw) Lines() []guard.Line { return r.lines }

func TestMalformedLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []guard.Line
		ok    bool
	}{
		{"as usual", []guard.Line{{"Host", "a"}, {"Cookie", "a=b\tc"}, {"X-Text", "caf\xc3\xa9 \xff"}}, true},
		{"two hosts", []guard.Line{{"Host", "a"}, {"host", "a"}}, false},
		{"NUL", []guard.Line{{"X", "a\x00"}}, false},
		{"a line feed", []guard.Line{{"X", "a\nb"}}, false},
		{"DEL", []guard.Line{{"X", "\x7f"}}, false},
		{"a control byte in a name", []guard.Line{{"X\x1b", "a"}}, false},
		{"a tab before the colon", []guard.Line{{"X\t", "a"}}, false},
		{"a space before the colon", []guard.Line{{"Authorization ", "a"}}, false},
	} {
		auth := &constant{identity: authgear.Identity{Kind: authgear.KindUser}}
		g := guard.New(auth, silent())
		_, refusal := guard.Run(context.Background(), g.Optional(), raw{guard.HTTP(newRequest("", "")), c.lines}, http.Header{}, nil)
		if c.ok != (refusal == nil) || !c.ok && (refusal.Err.Reason != authgear.ReasonRequestMalformed || auth.calls != 0) {
			t.Errorf("%s: refusal = %+v, %d calls", c.name, refusal, auth.calls)
		}
	}
}

// The view matches names in any spelling and shows every line.
func TestHTTPView(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("PUT", "http://api.example.com/", nil)
	spare := func(values ...string) []string { return append(make([]string, 0, 4), values...) }
	r.Header = http.Header{"Authorization": spare(" a\t", "b"), "authorization": spare("c"), "Cookie": {"d "}}
	view := guard.HTTP(r)
	got := view.Values("AUTHORIZATION")
	slices.Sort(got)
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("Values = %q", got)
	}
	if cookies := view.Values("cookie"); !slices.Equal(cookies, []string{"d"}) {
		t.Errorf("Values = %q", cookies)
	}
	if h := map[string][]string(r.Header); h["Authorization"][0] != " a\t" || h["Cookie"][0] != "d " || h["Authorization"][:4][2] != "" || h["authorization"][:4][1] != "" {
		t.Error("the view changed the request")
	}
	names := slices.Sorted(view.Names())
	if !slices.Equal(names, []string{"Authorization", "Cookie", "authorization"}) {
		t.Errorf("Names = %q", names)
	}
	if view.Method() != "PUT" || view.Host() != "api.example.com" || view.RemoteAddr() == "" || view.Values("X") != nil {
		t.Error("the view is wrong")
	}
}

func TestIsIdentityHeader(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"X-Authgear-User-Id":        true,
		"x-authgear-user-id":        true,
		"X_AUTHGEAR_USER_ID":        true,
		"x.authgear.user.id":        true,
		"X-Authgear_User-Roles":     true,
		"X-Authgear-":               true,
		"X-Authgear-Anything":       true,
		"X-Authgear-Body-Signature": false,
		"x-authgear-body-signature": false,
		"X_Authgear_Body_Signature": true, // nobody but an attacker spells it so
		"X-Authgear":                false,
		"XX-Authgear-User-Id":       false,
		"X-Authgeary-User-Id":       false,
		"Authorization":             false,
		"":                          false,
	} {
		if got := guard.IsIdentityHeader(name); got != want {
			t.Errorf("IsIdentityHeader(%q) = %v", name, got)
		}
	}
}

func TestReportHandlerError(t *testing.T) {
	t.Parallel()
	var notices []authgear.Notice
	g := guard.New(none{}, guard.Config{Observer: &authgear.Observer{
		Notice: func(_ context.Context, n authgear.Notice) { notices = append(notices, n) },
	}})
	_, refusal := run(g.Require(), context.Background(), newRequest("", ""), http.Header{})
	other := errors.New("other")
	for _, err := range []error{nil, refusal.Err, other} {
		refusal.ReportHandlerError(context.Background(), err)
	}
	if len(notices) != 1 || notices[0].Kind != authgear.NoticeErrorHandler || notices[0].Err != other {
		t.Errorf("notices = %+v", notices)
	}
}
