package authgearhttp

import (
	"net/http"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Policy makes a policy of a function that gets the request, with path values, and
// with the identity in its context: nil allows, [authgear.Deny] denies,
// [authgear.Unavailable] and any other error say that nobody can tell now. By
// [authgear.SetValue] it gives the handler what it has loaded. In a guard of
// another framework the policy denies.
//
// It names no kind, and may run twice for one request (see
// [authgear.RecentAuth]). It panics for nil.
func Policy(check func(*http.Request, *authgear.Identity) error) authgear.Policy {
	return guard.Policy(check, func(_, r *http.Request) *http.Request { return r })
}

// Self allows the user whose id is the path value of that name, such as
// Self("id") for "/users/{id}". It denies where there is no such value: the guard
// stands inside the [http.ServeMux], which sets it. It panics for "".
func Self(parameter string) authgear.Policy {
	return guard.Self[*http.Request, *http.Request](parameter, (*http.Request).PathValue)
}
