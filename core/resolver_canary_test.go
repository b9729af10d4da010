package authgear_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// faulty is a project whose database fails in the middle of calls: it answers
// as if nothing had been sent, whoever it is asked about.
func faulty(p *project, fails func(credential string) bool) {
	p.change(func() {
		p.odd = func(credential string) *http.Response {
			if fails(credential) {
				return answered(nil, 200, nil, "")
			}
			return nil
		}
	})
}

// A good credential that is answered as if nothing had been sent is not
// refused: it gets 200 by another call, else 503. What Authgear refuses stays
// refused.
func TestDatabaseThatFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		silent int // answers about clients' credentials, of each
		want   authgear.Reason
	}{
		"once": {1, ""}, "twice": {2, ""}, "for long": {100, authgear.ReasonResolverSilent},
	} {
		for _, kind := range kinds {
			inBubble(t, func(t *testing.T) {
				p := newProject(map[string]string{kind.credential: "alice"})
				auth := newResolver(t, p, authgear.ResolverConfig{TokenCookie: "token"})
				n := 0
				faulty(p, func(credential string) bool {
					n++
					return !isCheck(credential) && n <= c.silent
				})
				identity, err := auth.Authenticate(t.Context(), kind.request)
				if c.want == "" {
					wantUser(t, identity, err, "alice")
				} else {
					wantUnavailable(t, identity, err, c.want)
				}
				p.change(func() { delete(p.users, kind.credential); n = 0 })
				_, err = auth.Authenticate(t.Context(), kind.request)
				if c.want == "" {
					wantReason(t, err, kind.refused)
				} else {
					wantReason(t, err, c.want)
				}
				if t.Failed() {
					t.Log(name)
				}
			})
		}
	}
}

// If a database fails in the middle of every tenth call, no request is refused: a request
// makes up to three calls.
func TestEveryTenthCallFails(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		p, auth := newCrowd(t, func(p *project) http.RoundTripper { return p }, authgear.ResolverConfig{})
		calls := 0
		faulty(p, func(credential string) bool {
			if !isCheck(credential) {
				calls++
			}
			return !isCheck(credential) && calls%10 == 0
		})
		if refused, _, _ := crowd(t, auth, 10*time.Second); refused > 0 || calls < 1000 {
			t.Errorf("%d requests are refused in %d calls", refused, calls)
		}
	})
}

// A project whose cookies have a prefix ignores the canary. Three checks in a
// row show that. Then an empty answer is a refusal, and the operator is told.
func TestCookiesOfAnotherName(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		var notices []string
		silent := func(string) bool { return false } // beside those that are
		auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
			switch credential := r.Header.Get("Authorization"); {
			case silent(credential) || credential != "Bearer good":
				return answered(r, 200, nil, ""), nil
			default:
				return answered(r, 200, sessionOf("alice"), ""), nil
			}
		}), authgear.ResolverConfig{Cookies: []string{"session", "app_session"}, Observer: &authgear.Observer{Notice: func(_ context.Context, n authgear.Notice) {
			if n.Kind != authgear.NoticeCanary || !strings.Contains(n.Err.Error(), "session or app_session") {
				t.Errorf("%+v", n)
			}
			notices = append(notices, string(n.Kind))
		}}})
		for range 3 {
			_, err := auth.Authenticate(t.Context(), bearer("bad"))
			wantReason(t, err, authgear.ReasonTokenRejected)
			_, err = auth.Authenticate(t.Context(), browser("session=bad"))
			wantReason(t, err, authgear.ReasonSessionInvalid)
			identity, err := auth.Authenticate(t.Context(), bearer("good"))
			wantUser(t, identity, err, "alice")
			time.Sleep(time.Second)
		}
		if len(notices) != 1 {
			t.Errorf("notices: %v", notices)
		}
	})
}

// It takes three checks in a row, of one round, to learn that the canary is
// useless. One refusal of a check settles for good that it is not. A refusal of
// a client's own credential says nothing.
func TestLearningTheName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		checks    string // s: silence, f: a 500, e: another failure, r: refused; the last one again and again
		ever, now bool   // an empty answer is a refusal
	}{
		"three":                        {"sss", true, true},
		"with a failure between":       {"ssfsse", false, false},
		"two, then a failure":          {"sse", false, false},
		"in two rounds":                {"essfsssfe", false, false},
		"refused first":                {"rsss", false, false},
		"refused between":              {"ssrsss", false, false},
		"a refusal after three counts": {"sssrsss", true, false},
	} {
		inBubble(t, func(t *testing.T) {
			checks := 0
			auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
				credential := r.Header.Get("Authorization")
				switch {
				case credential == "Bearer refused":
					return answered(r, 200, refusedSession(), ""), nil // by a cookie that this client has
				case credential == "Bearer failing":
					return answered(r, 500, nil, ""), nil
				case !isCheck(credential):
					return answered(r, 200, nil, ""), nil
				}
				checks++
				switch c.checks[min(checks, len(c.checks))-1] {
				case 's':
					return answered(r, 200, nil, ""), nil
				case 'f':
					return answered(r, 500, nil, ""), nil
				case 'e':
					return answered(r, 502, nil, ""), nil
				default:
					return answered(r, 200, refusedSession(), ""), nil
				}
			}), authgear.ResolverConfig{})
			_, err := auth.Authenticate(t.Context(), bearer("refused"))
			wantReason(t, err, authgear.ReasonTokenRejected)
			ever, now := false, false
			for range len(c.checks) + 2 { // rounds, at least one check each
				_, err = auth.Authenticate(t.Context(), bearer("unknown"))
				_, _ = auth.Authenticate(t.Context(), bearer("failing")) // needs a check
				now = err.(*authgear.Error).Reason == authgear.ReasonTokenRejected
				ever = ever || now
				time.Sleep(2 * time.Second)
			}
			if ever != c.ever || now != c.now {
				t.Errorf("%s: an empty answer is a refusal: ever %t, now %t", name, ever, now)
			}
		})
	}
}

// A server that answers everybody with nothing right after the start is taken
// for a project with another cookie name, but not for ever.
func TestSilenceThatEnds(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		p := newProject(map[string]string{"Bearer a": "alice"})
		auth := newResolver(t, p, authgear.ResolverConfig{})
		faulty(p, func(string) bool { return true })
		_, err := auth.Authenticate(t.Context(), bearer("a"))
		wantReason(t, err, authgear.ReasonTokenRejected)
		faulty(p, func(credential string) bool { return !isCheck(credential) })
		time.Sleep(time.Minute)
		_, _ = auth.Authenticate(t.Context(), bearer("a"))
		time.Sleep(time.Second)
		identity, err := auth.Authenticate(t.Context(), bearer("a"))
		wantUnavailable(t, identity, err, authgear.ReasonResolverSilent)
	})
}
