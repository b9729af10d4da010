// Package session reads the X-Authgear-* headers. The answer of Authgear's resolver and
// the request that a reverse proxy forwards have the same headers.
package session

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Dead is the value of a session cookie that Authgear always refuses and then deletes. It
// can never be a session, since it has no dot.
const Dead = "~"

// State is what the headers say about the session.
type State uint8

const (
	// None: there is none of the headers that this package knows.
	None State = iota
	// Refused: the session is not, or no longer, good.
	Refused
	// Valid: the session is good, and the other headers describe its user.
	Valid
)

// Session is what the headers say. All fields but State are set only when State is Valid.
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

// ErrMalformed means that headers are missing, repeated or not well-formed. The error of
// Parse wraps it and says, for operators, which header and why.
var ErrMalformed = errors.New("the X-Authgear-* headers cannot be understood")

// Parse reads the headers. values returns all values of a header, without surrounding
// spaces and tabs. It has to match the header's name case-insensitively.
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
	if !r.flag(headerValid) { // not "true" either; the switch above has handled "false"
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

// Write sets the headers of a valid session, as Parse reads them.
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
