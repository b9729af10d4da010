package authgearhttp

import (
	"net/http"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Policy makes a policy from a function that gets the request, with the path
// values, and with the identity in its context. When the function returns nil, the
// policy allows the request; [authgear.Deny] denies it; [authgear.Unavailable] and
// any other error mean that nobody can decide now. The function can pass what it
// has loaded to the handler by [authgear.SetValue]. In a guard of another framework
// the policy denies.
//
// The policy names no kind of identity. The function may run twice for one request
// (see [authgear.RecentAuth]). Policy panics if the function is nil.
func Policy(check func(*http.Request, *authgear.Identity) error) authgear.Policy {
	return guard.Policy(check, func(_, r *http.Request) *http.Request { return r })
}

// Self allows the user whose id is the path value of that name, such as Self("id")
// for "/users/{id}". It denies if there is no such value. The [http.ServeMux] sets
// the value, so the guard must be inside the mux. Self panics for the name "".
func Self(parameter string) authgear.Policy {
	return guard.Self[*http.Request, *http.Request](parameter, (*http.Request).PathValue)
}
