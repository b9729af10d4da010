package guardtest

import (
	"slices"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

const (
	otherCookie = "other=middleware"
	newCookie   = "session=new" // of the handler
)

// testClearing looks at each Set-Cookie line of an answer: browsers take the
// last one of a name (RFC 6265 §5.3).
func testClearing(t *testing.T, mount Mount) {
	routes := func(before ...Step) []Route {
		route := func(path string, steps ...Step) Route {
			return Route{Path: path, Steps: slices.Concat(before, steps), Handler: whoAmI}
		}
		signIn := func(c Context) (int, string) {
			c.SetCookie("session", "new")
			return whoAmI(c)
		}
		return []Route{
			route("/required", Step{Kind: Require}),
			route("/optional", Step{Kind: Optional}),
			route("/fresh", Step{Kind: RequireFresh}),
			route("/inside", Step{Kind: Optional}, Step{Kind: Require}),
			route("/optionals", Step{Kind: Optional}, Step{Kind: Optional}),
			route("/freshCalls", Step{Kind: Optional}, Step{Kind: RequireFresh}),
			{Path: "/sign-in", Steps: slices.Concat(before, []Step{{Kind: Optional}}), Handler: signIn},
		}
	}
	const line = "Cookie: who=clear.session_invalid"
	for _, c := range []struct {
		name    string
		onError OnError
		status  int // of a refusal
	}{
		{"default", Default, 401},
		{"writes", Writes, 418},
		{"redirects", Redirects, 303},
		{"silent", Silent, 401},
		{"returns another error", ReturnsOther, 401},
	} {
		for _, before := range [][]Step{nil, {{Kind: OtherCookie}}} {
			f := newFixture(t, mount, c.onError, routes(before...)...)
			want := clearingCookies
			if before != nil {
				want = append([]string{otherCookie}, want...)
			}
			for path, status := range map[string]int{
				"/required": c.status, "/fresh": c.status, "/inside": c.status, "/freshCalls": c.status,
				"/optional": 200, "/optionals": 200,
			} {
				for _, method := range []string{"GET", "HEAD", "POST"} {
					got := f.raw(t, head(method, path, line))
					if lines := setCookies(got); got.status != status || !sameSet(lines, want) {
						t.Errorf("%s: %s %s: %d, Set-Cookie %q, want %d and %q", c.name, method, path, got.status, lines, status, want)
					}
				}
			}
			// What the handler sets comes later, or replaces it.
			got := setCookies(f.raw(t, head("GET", "/sign-in", line)))
			last := slices.Clone(got)
			last = slices.DeleteFunc(last, func(line string) bool { return !strings.HasPrefix(line, "session=") })
			if len(last) == 0 || last[len(last)-1] != newCookie || !slices.Contains(got, clearingCookies[1]) || slices.Contains(got, otherCookie) != (before != nil) {
				t.Errorf("%s: the handler signs in: Set-Cookie %q", c.name, got)
			}
			// Nobody else gets one.
			for _, line := range []string{"X-Field: a", "Cookie: who=error.session_invalid", "Authorization: Bearer user.alice"} {
				if lines := setCookies(f.raw(t, head("GET", "/inside", line))); !sameSet(lines, want[:len(want)-len(clearingCookies)]) {
					t.Errorf("%s: %s: Set-Cookie %q", c.name, line, lines)
				}
			}
		}
	}
	f := newFixture(t, mount, Default, routes()...)
	refused := refusal(authgear.ReasonSessionInvalid, "")
	refused.header["Set-Cookie"] = clearingCookies
	same(t, "all headers of a refusal", f.raw(t, head("GET", "/required", line)), refused)
}

// setCookies returns the Set-Cookie lines. Of cookies that a framework has set
// only name and value are kept: each writes attributes in its own way.
func setCookies(a answer) []string {
	lines := slices.Clone(a.header["Set-Cookie"])
	for i, line := range lines {
		if pair, _, _ := strings.Cut(line, ";"); pair == otherCookie || pair == newCookie {
			lines[i] = pair
		}
	}
	return lines
}

// sameSet compares lines without their order.
func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
