package guard_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// authenticate is an authenticator that is a function.
type authenticate func(authgear.Request) (*authgear.Identity, error)

func (f authenticate) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	return f(r)
}

func failing(err error) authenticate {
	return func(authgear.Request) (*authgear.Identity, error) { return nil, err }
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		math.MinInt64:          "1",
		-time.Nanosecond:       "1",
		0:                      "1",
		time.Nanosecond:        "1",
		time.Second:            "1",
		time.Second + 1:        "2",
		29*time.Second + 1:     "30",
		30 * time.Second:       "30",
		30*time.Second + 1:     "30",
		math.MaxInt64 - 100000: "30",
		math.MaxInt64:          "30",
	} {
		header := http.Header{}
		g := guard.New(failing(&authgear.Error{Reason: authgear.ReasonKeysUnavailable, RetryAfter: wait}), silent())
		run(g.Require(), context.Background(), newRequest("", ""), header)
		if got := header.Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After = %q, want %q", wait, got, want)
		}
	}
}

// A time to wait is for those who are told to come back.
func TestRetryAfterOnlyWhenUnavailable(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	g := guard.New(failing(&authgear.Error{Reason: authgear.ReasonTokenExpired, RetryAfter: time.Second}), silent())
	if _, refusal := run(g.Require(), context.Background(), newRequest("", ""), header); refusal.Status != 401 {
		t.Errorf("status %d", refusal.Status)
	}
	if got, ok := header["Retry-After"]; ok {
		t.Errorf("Retry-After = %q", got)
	}
}

// A refusal replaces what other middleware has set, and a request that goes on
// gets nothing set.
func TestFields(t *testing.T) {
	t.Parallel()
	g := guard.New(none{}, silent())
	w := httptest.NewRecorder()
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Www-Authenticate", "Basic")
	w.Header().Set("Content-Type", "text/html")
	_, refusal := run(g.Require(), context.Background(), newRequest("", ""), w.Header())
	refusal.Write(w)
	const body = `{"error":"authentication_required","error_description":"This request needs an access token."}` + "\n"
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Www-Authenticate": "Bearer", "Content-Type": "application/json", "Content-Length": strconv.Itoa(len(body)),
	} {
		if got := w.Header()[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if w.Code != 401 || w.Body.String() != body {
		t.Errorf("%d %q, want %q", w.Code, w.Body, body)
	}

	header := http.Header{}
	if _, refusal := run(g.Optional(), context.Background(), newRequest("", ""), header); refusal != nil || len(header) != 0 {
		t.Errorf("refusal %+v, header %v", refusal, header)
	}
}

// Only a preflight that is refused tells about the order of middleware.
func TestPreflightNotice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, field string
		auth                authgear.Authenticator
		want                int
	}{
		{"refused", "OPTIONS", "Access-Control-Request-Method", none{}, 1},
		{"allowed", "OPTIONS", "Access-Control-Request-Method", &constant{identity: authgear.Identity{Kind: authgear.KindUser}}, 0},
		{"another method", "GET", "Access-Control-Request-Method", none{}, 0},
		{"no preflight", "OPTIONS", "Origin", none{}, 0},
	} {
		var notices []authgear.Notice
		g := guard.New(c.auth, guard.Config{Observer: &authgear.Observer{
			Notice: func(_ context.Context, n authgear.Notice) { notices = append(notices, n) },
		}})
		r := httptest.NewRequest(c.method, "/", nil)
		r.Header.Set(c.field, "GET")
		run(g.Require(), context.Background(), r, http.Header{})
		if len(notices) != c.want || c.want == 1 && notices[0].Kind != authgear.NoticePreflight {
			t.Errorf("%s: notices = %+v", c.name, notices)
		}
	}
}

// list is an error like those of validators, whose values cannot be compared.
type list []error

func (l list) Error() string { return errors.Join(l...).Error() }

// What an authenticator or a policy of a user's own returns never lets anybody
// in, nor tells the client more than a reason's sentence.
func TestForeignErrors(t *testing.T) {
	t.Parallel()
	var typedNil *authgear.Error
	own := &authgear.Error{Reason: authgear.ReasonInternal, Err: errors.New("the database is down")}
	for _, c := range []struct {
		name   string
		policy error
		status int
		reason authgear.Reason
	}{
		{"a denial", authgear.Deny("no"), 403, authgear.ReasonPolicyDenied},
		{"an error that is not ours", errors.New("no"), 503, authgear.ReasonInternal},
		{"an error that cannot be compared", list{errors.New("no")}, 503, authgear.ReasonInternal},
		{"a denial, wrapped", fmt.Errorf("project 42: %w", &authgear.Error{Reason: authgear.ReasonNotVerified}), 403, authgear.ReasonNotVerified},
		{"an error of ours", own, 503, authgear.ReasonInternal},
		{"an error of ours, joined", errors.Join(errors.New("no"), own), 503, authgear.ReasonInternal},
		{"a nil pointer", typedNil, 503, authgear.ReasonInternal},
		{"a nil pointer of another type", (*url.Error)(nil), 503, authgear.ReasonInternal},
		{"a reason that nobody knows", &authgear.Error{Reason: "x\"\r\n"}, 503, "x\"\r\n"},
		{"no reason", &authgear.Error{}, 503, ""},
	} {
		g := guard.New(&constant{identity: authgear.Identity{Kind: authgear.KindUser}}, silent())
		header := http.Header{}
		policy := authgear.PolicyFunc(func(context.Context, *authgear.Identity) error { return c.policy })
		_, refusal := run(g.Require(policy), context.Background(), newRequest("", ""), header)
		if refusal == nil || refusal.Status != c.status || refusal.Err.Reason != c.reason {
			t.Errorf("%s: refusal = %+v", c.name, refusal)
			continue
		}
		if c.status == 503 && string(refusal.Body) != `{"error":"temporarily_unavailable","error_description":"The request cannot be checked now. Try again later."}`+"\n" {
			t.Errorf("%s: body %q", c.name, refusal.Body)
		}
		_ = refusal.Err.LogValue() // does not panic
	}
}
