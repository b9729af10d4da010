package authgear

import (
	"errors"
	"fmt"
	"time"
)

// RecentAuth allows users who have proven who they are at most maxAge ago, for
// a sensitive operation. Other users get the step-up challenge of RFC 9470,
// which tells the client to let them sign in again. A user whose account has no
// means to reauthenticate is denied with [ReasonCannotReauthenticate].
//
// How the service learns of the new login: Authgear tells [Resolver]. When the
// policy refuses because of a cached answer, the guard asks Authgear once more
// and checks again. So use RecentAuth as a policy of the route, or within one:
// when a handler calls Check, nobody asks again. For [JWT] the client sends its
// new ID token, see [JWTConfig].IDTokenClients.
//
// A login that lies more than a minute in the future is not recent either.
//
// RecentAuth panics for less than a second. A fraction of a second is not told to
// the client.
func RecentAuth(maxAge time.Duration) Policy { return recentAuth("RecentAuth", maxAge, false) }

// RecentAuthIfPossible is [RecentAuth], but allows a user who cannot
// reauthenticate, however old the login is. These are users who sign in by
// Google only, and all anonymous users (see [NotAnonymous]). Authgear leaves it
// to the backend whether such users may go on.
func RecentAuthIfPossible(maxAge time.Duration) Policy {
	return recentAuth("RecentAuthIfPossible", maxAge, true)
}

func recentAuth(name string, maxAge time.Duration, ifPossible bool) Policy {
	if maxAge < time.Second {
		panic(fmt.Sprintf("authgear: %s: %v is less than a second", name, maxAge))
	}
	return forUsers(func(i *Identity) error {
		var cause error = errors.New("nobody knows when the user signed in")
		if !i.AuthenticatedAt.IsZero() {
			age := time.Since(i.AuthenticatedAt)
			switch {
			case age < -maxLeeway:
				cause = fmt.Errorf("the login is %v in the future; is the clock of this machine right?", -age.Round(time.Second))
			case age <= maxAge:
				return nil
			default:
				cause = fmt.Errorf("the login is %v old, at most %v are allowed", age.Round(time.Second), maxAge)
			}
		}
		if ifPossible && !i.CanReauthenticate && !i.reauthUnstated {
			return nil
		}
		if refused := i.idTokenRefused; refused != nil {
			if refused.Outcome() == OutcomeUnavailable { // it could be as recent as it has to be
				return refused
			}
			cause = fmt.Errorf("%w; %w", cause, refused.Err)
		}
		if !i.CanReauthenticate {
			return &Error{Reason: ReasonCannotReauthenticate, Err: fmt.Errorf("%w; RecentAuthIfPossible allows users who cannot reauthenticate", cause)}
		}
		return &Error{Reason: ReasonInsufficientUserAuthentication, MaxAge: maxAge, Err: cause}
	})
}
