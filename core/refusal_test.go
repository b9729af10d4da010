package authgear_test

import (
	"fmt"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Each outcome has one status and one code, or the code of each reason.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for reason, want := range map[authgear.Reason]struct {
		status                int
		code, retry, sentence string
	}{
		"no_credentials":                   {401, "authentication_required", "", "This request needs an access token."},
		"token_malformed":                  {401, "invalid_token", "", "The access token is malformed."},
		"session_invalid":                  {401, "invalid_token", "", "The session is not, or no longer, valid."},
		"request_malformed":                {400, "invalid_request", "", "The request has malformed or repeated headers."},
		"policy_unavailable":               {503, "temporarily_unavailable", "3", "This request cannot be decided now. Try again later."},
		"internal":                         {503, "temporarily_unavailable", "3", "The request cannot be checked now. Try again later."},
		"made_up":                          {503, "temporarily_unavailable", "3", "The request cannot be checked now. Try again later."},
		"role_missing":                     {403, "role_missing", "", "This request needs a role that the user does not have."},
		"not_verified":                     {403, "not_verified", "", "This request needs a verified user."},
		"anonymous_user":                   {403, "anonymous_user", "", "This request needs a user who is not anonymous."},
		"kind_not_allowed":                 {403, "kind_not_allowed", "", "This request is not allowed for this kind of sender."},
		"insufficient_scope":               {403, "insufficient_scope", "", "This request needs a scope that the access token does not have."},
		"cannot_reauthenticate":            {403, "cannot_reauthenticate", "", "This request needs a recent login, and the user cannot sign in again."},
		"policy_denied":                    {403, "policy_denied", "", "This request is not allowed."},
		"insufficient_user_authentication": {401, "insufficient_user_authentication", "", "This request needs a more recent login."},
	} {
		r := (&authgear.Error{Reason: reason, RetryAfter: 2*time.Second + 1}).Refusal()
		body := fmt.Sprintf("{\"error\":%q,\"error_description\":%q}\n", want.code, want.sentence)
		if r.Status != want.status || r.Code != want.code || string(r.Body) != body {
			t.Errorf("%s: %d %s %s, want %d %s", reason, r.Status, r.Code, r.Body, want.status, body)
		}
		for name, value := range map[string]string{
			"Retry-After": want.retry, "Cache-Control": "no-store", "Content-Type": "application/json", "Content-Length": fmt.Sprint(len(body)),
		} {
			if got := r.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", reason, name, got, value)
			}
		}
	}
}
