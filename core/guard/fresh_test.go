package guard_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// numbered is an authenticator whose identities and errors have numbers.
type numbered struct {
	calls int
	clear func(call int) []string // not nil: there are errors only
}

func (n *numbered) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	return n.answer(r, "kept")
}

func (n *numbered) AuthenticateFresh(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	return n.answer(r, "fresh")
}

func (n *numbered) answer(r authgear.Request, kind string) (*authgear.Identity, error) {
	n.calls++
	_ = r.Values("Cookie")
	if n.clear != nil {
		return nil, &authgear.Error{Reason: authgear.ReasonSessionInvalid, Evidence: authgear.Evidence{Ambient: true, ClearCookies: n.clear(n.calls)}}
	}
	return &authgear.Identity{Kind: authgear.KindUser, ID: fmt.Sprint(kind, n.calls)}, nil
}

func TestRequireFreshPanics(t *testing.T) {
	t.Parallel()
	forwarded, err := authgear.NewForwarded(authgear.ForwardedConfig{Secrets: []string{strings.Repeat("s", 32)}})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(){
		"*authgear.Forwarded": func() { guard.New(forwarded, silent()).RequireFresh() },
		"guard_test.none":     func() { guard.New(none{}, silent()).RequireFresh() },
		"zero Policy":         func() { guard.New(&numbered{}, silent()).RequireFresh(authgear.Verified(), authgear.Policy{}) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "authgear: ") || !strings.Contains(text, name) {
					t.Errorf("%s: the panic is %q", name, text)
				}
			}()
			f()
		}()
	}
	guard.New((&authgear.Resolver{}), silent()).RequireFresh() // can do it
}

// A fresh check takes no finding from before, and what it finds is taken by the
// checks after it.
func TestFresh(t *testing.T) {
	t.Parallel()
	for order, want := range map[string]string{
		"l":     "fresh1",
		"rl":    "kept1 fresh2",
		"ol":    "kept1 fresh2",
		"lr":    "fresh1 fresh1",
		"lo":    "fresh1 fresh1",
		"rlr":   "kept1 fresh2 fresh2",
		"ll":    "fresh1 fresh2",
		"rlolr": "kept1 fresh2 fresh2 fresh3 fresh3",
	} {
		g := guard.New(&numbered{}, silent())
		checks := map[rune]*guard.Check{'r': g.Require(), 'o': g.Optional(), 'l': g.RequireFresh()}
		ctx, r := context.Background(), newRequest("", "session=a")
		var got []string
		for _, kind := range order {
			var refusal *guard.Refusal
			if ctx, refusal = run(checks[kind], ctx, r, http.Header{}); refusal != nil {
				t.Fatal(refusal.Err)
			}
			identity, _ := authgear.FromContext(ctx)
			got = append(got, identity.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", order, got, want)
		}
	}
}

// Each cookie is taken away once for a request, whatever looks at it.
func TestClearCookiesOnce(t *testing.T) {
	t.Parallel()
	same := func(int) []string { return []string{"session=; Max-Age=0", "a=; Max-Age=0"} }
	more := func(call int) []string { return same(call)[:call] }
	for name, c := range map[string]struct {
		clear func(int) []string
		order string
		want  []string
	}{
		"Require inside Optional":            {same, "or", same(0)},
		"RequireFresh inside Optional":       {same, "ol", same(0)},
		"Optional inside Optional":           {same, "ooo", same(0)},
		"one more that RequireFresh is told": {more, "ol", same(0)},
		"another request, the same guard":    {same, "o|r", slices.Concat(same(0), same(0))},
	} {
		g := guard.New(&numbered{clear: c.clear}, silent())
		checks := map[rune]*guard.Check{'r': g.Require(), 'o': g.Optional(), 'l': g.RequireFresh()}
		ctx, header, cookie := context.Background(), http.Header{}, "session=a"
		for _, kind := range c.order {
			if kind == '|' {
				cookie += "b"
				continue
			}
			next, refusal := run(checks[kind], ctx, newRequest("", cookie), header)
			if (refusal == nil) != (kind == 'o') || refusal != nil && refusal.Err.Reason != authgear.ReasonSessionInvalid {
				t.Errorf("%s: refusal = %+v", name, refusal)
			}
			ctx = next
		}
		if got := header["Set-Cookie"]; !slices.Equal(got, c.want) {
			t.Errorf("%s: Set-Cookie %q, want %q", name, got, c.want)
		}
	}
}
