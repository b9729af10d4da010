package authgear_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// An *Error stays as it is. What wraps it is for the operator only.
func TestAsError(t *testing.T) {
	t.Parallel()
	cause := errors.New("the database is down")
	ours := &authgear.Error{
		Reason: authgear.ReasonPolicyUnavailable, Err: cause, RetryAfter: 7 * time.Second, MaxAge: time.Minute,
		Scopes: []string{"phone"}, Evidence: authgear.Evidence{Ambient: true, Cached: true},
	}
	if got := authgear.AsError(ours); got != ours {
		t.Errorf("one of ours is %+v", got)
	}
	wrapping := fmt.Errorf("project 42: %w", ours)
	got := authgear.AsError(wrapping)
	if got.Reason != ours.Reason || got.RetryAfter != ours.RetryAfter || got.MaxAge != ours.MaxAge || len(got.Scopes) != 1 ||
		!got.Evidence.Ambient || !got.Evidence.Cached || got.Error() != ours.Error() || !errors.Is(got, cause) || !errors.Is(got, wrapping) {
		t.Errorf("a wrapped one is %+v", got)
	}
	if text := fmt.Sprintf("%v (the database is down)", wrapping); got.Err.Error() != text {
		t.Errorf("the operator reads %q, want %q", got.Err, text)
	}
	if ours.Err != cause {
		t.Errorf("its own cause is %v", ours.Err)
	}
	if got := authgear.AsError(fmt.Errorf("project 42: %w", &authgear.Error{Reason: authgear.ReasonPolicyDenied})); got.Err.Error() != "project 42: policy_denied: This request is not allowed." {
		t.Errorf("the operator reads %q", got.Err)
	}

	var none *authgear.Error
	for name, err := range map[string]error{
		"nil": nil, "a nil pointer": none, "a wrapped nil pointer": fmt.Errorf("project 42: %w", none), "another": cause,
	} {
		if got := authgear.AsError(err); got == nil || got.Reason != authgear.ReasonInternal || got.Err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := authgear.AsError(cause); !errors.Is(got, cause) {
		t.Errorf("the operator reads %v", got.Err)
	}
}
