package session

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	maxUserID = 255  // bytes, as for a token's sub
	maxDate   = 1e11 // seconds: the year 5138; a greater number is a mistake
)

// reader reads headers until it finds one that is not well-formed.
type reader struct {
	values func(name string) []string
	err    error
}

func (r *reader) fail(name, what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s %s", ErrMalformed, name, what)
	}
}

// one returns the only value of a header, "" when there is none.
func (r *reader) one(name string) string {
	switch values := r.values(name); len(values) {
	case 0:
		return ""
	case 1:
		return values[0]
	default:
		r.fail(name, fmt.Sprintf("stands there %d times", len(values)))
		return ""
	}
}

// flag leaves a wrong value out of its error: if a proxy is configured wrongly, the value
// may be a user's id or a credential.
func (r *reader) flag(name string) bool {
	switch r.one(name) {
	case "true":
		return true
	case "false":
		return false
	default:
		r.fail(name, "is neither true nor false")
		return false
	}
}

// userID refuses a comma: a proxy may have joined two header lines (RFC 9110 §5.3).
func (r *reader) userID() string {
	id := r.one(headerUserID)
	switch {
	case id == "":
		r.fail(headerUserID, "is missing or empty")
	case len(id) > maxUserID || !isWord(id):
		r.fail(headerUserID, "is not one user id")
	}
	return id
}

// roles reads a list separated by commas without spaces. An empty header counts as
// absent, since some proxies send one instead of leaving it out.
func (r *reader) roles() []string {
	value := r.one(headerRoles)
	if value == "" {
		return nil
	}
	roles := strings.Split(value, ",")
	for _, role := range roles {
		if !isWord(role) {
			r.fail(headerRoles, "is not a list of roles separated by commas")
			return nil
		}
	}
	return roles
}

// amr reads a list separated by commas, as the specification says, or by spaces, as the
// server sends it.
func (r *reader) amr() []string {
	methods := strings.FieldsFunc(r.one(headerAMR), func(c rune) bool { return c == ',' || c == ' ' })
	for _, method := range methods {
		if !isWord(method) {
			r.fail(headerAMR, "is not a list of authentication methods")
			return nil
		}
	}
	if len(methods) == 0 {
		return nil
	}
	return methods
}

func (r *reader) authenticatedAt() time.Time {
	value := r.one(headerAuthenticatedAt)
	if value == "" {
		return time.Time{}
	}
	seconds, err := strconv.ParseUint(value, 10, 63)
	if err != nil || seconds == 0 || seconds >= maxDate {
		r.fail(headerAuthenticatedAt, "is not a number of seconds between 0 and 1e11")
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// isWord reports whether s is visible ASCII without a comma, as user ids, roles
// and methods are.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ',' {
			return false
		}
	}
	return s != ""
}
