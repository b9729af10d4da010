// Package session reads the X-Authgear-* headers: the answer of Authgear's
// resolver and the request that a reverse proxy forwards have the same ones.
package session

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Dead is the value of a session cookie that Authgear always refuses, and takes away: it
// can never be a session, since it has no dot.
const Dead = "~"

// State is what the headers say about the session.
type State uint8

const (
	// None: there is no header that this package knows.
	None State = iota
	// Refused: the session is not, or no longer, good.
	Refused
	// Valid: the session is good, and the other headers describe its user.
	Valid
)

// Session is what the headers say. All but State is for Valid.
type Session struct {
	State State
	// UserID is never empty.
	UserID                                 string
	Anonymous, Verified, CanReauthenticate bool
	// Roles and AMR keep the order of the headers.
	Roles, AMR []string
	// AuthenticatedAt is in UTC, zero when absent.
	AuthenticatedAt time.Time
}

// ErrMalformed means that headers are missing, repeated or not well-formed. Parse
// wraps it with which and why, for operators.
var ErrMalformed = errors.New("the X-Authgear-* headers cannot be understood")

// Parse reads the headers. values returns all values of a header, whose name it
// matches case-insensitively, without surrounding spaces and tabs.
func Parse(values func(name string) []string) (Session, error) {
	valid := values(headerValid)
	switch {
	case len(valid) == 1 && valid[0] == "false":
		return Session{State: Refused}, nil
	case len(valid) == 0:
		for _, name := range userFields {
			if len(values(name)) > 0 {
				return Session{}, fmt.Errorf("%w: %s without %s", ErrMalformed, name, headerValid)
			}
		}
		return Session{}, nil
	}
	r := reader{values: values}
	if !r.flag(headerValid) { // neither "true" nor, as above, "false"
		return Session{}, r.err
	}
	s := Session{
		State:             Valid,
		UserID:            r.userID(),
		Anonymous:         r.flag(headerAnonymous),
		Verified:          r.flag(headerVerified),
		CanReauthenticate: r.flag(headerCanReauthenticate),
		Roles:             r.roles(),
		AMR:               r.amr(),
		AuthenticatedAt:   r.authenticatedAt(),
	}
	if r.err != nil {
		return Session{}, r.err
	}
	return s, nil
}

// Write states a valid session by the headers that Parse reads.
func (s Session) Write(set func(name, value string)) {
	set(headerValid, "true")
	set(headerUserID, s.UserID)
	set(headerAnonymous, strconv.FormatBool(s.Anonymous))
	set(headerVerified, strconv.FormatBool(s.Verified))
	set(headerCanReauthenticate, strconv.FormatBool(s.CanReauthenticate))
	if len(s.Roles) > 0 {
		set(headerRoles, strings.Join(s.Roles, ","))
	}
	if len(s.AMR) > 0 {
		set(headerAMR, strings.Join(s.AMR, " "))
	}
	if !s.AuthenticatedAt.IsZero() {
		set(headerAuthenticatedAt, strconv.FormatInt(s.AuthenticatedAt.Unix(), 10))
	}
}
