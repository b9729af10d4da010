package session_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

// The same header lines mean the same in a resolver's answer and in a request that a
// proxy forwards. A session that is valid is well-formed.
func FuzzParse(f *testing.F) {
	f.Add("true", "alice", "false", "true", "true", "editor,admin", "pwd mfa", "1795468361", "")
	f.Add("false", "", "", "", "", "", "", "", "")
	f.Add("", "", "", "", "", "", "", "", "")
	f.Add("true", "alice,bob", "false", "true", "true", "", "", "", "X-Authgear-User-Id")
	f.Add("true", "alice", "false", "true", "true", "", "", "0", "X-Authgear-Session-Valid")
	names := []string{valid, userID, anonymous, verified, reauthenticate, roles, amr, authenticated}
	f.Fuzz(func(t *testing.T, v, id, an, ve, re, ro, am, au, twice string) {
		answer, request := http.Header{}, http.Header{}
		for i, line := range []string{v, id, an, ve, re, ro, am, au} {
			if line == "" {
				continue
			}
			// Both readers get lines without surrounding spaces and tabs.
			lines := []string{strings.Trim(line, " \t")}
			if names[i] == twice {
				lines = append(lines, lines[0])
			}
			answer[names[i]] = lines
			request[[]string{strings.ToLower(names[i]), strings.ToUpper(names[i])}[i%2]] = lines
		}
		got, err := session.Parse(answer.Values)
		again, errAgain := session.Parse(guard.HTTP(&http.Request{Header: request}).Values)
		if !reflect.DeepEqual(got, again) || (err == nil) != (errAgain == nil) {
			t.Errorf("answer: %+v, %v\nrequest: %+v, %v", got, err, again, errAgain)
		}
		if err != nil {
			if !errors.Is(err, session.ErrMalformed) || !reflect.DeepEqual(got, session.Session{}) {
				t.Errorf("%+v, %v", got, err)
			}
			return
		}
		if got.State != session.Valid {
			if !reflect.DeepEqual(got, session.Session{State: got.State}) {
				t.Errorf("not valid, and says %+v", got)
			}
			return
		}
		for _, name := range []string{valid, userID, anonymous, verified, reauthenticate} {
			if len(answer[name]) != 1 {
				t.Errorf("valid with %d lines of %s", len(answer[name]), name)
			}
		}
		words := append([]string{got.UserID}, got.Roles...)
		for _, word := range append(words, got.AMR...) {
			if word == "" || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ',' }) {
				t.Errorf("%q is handed out", word)
			}
		}
		if len(got.UserID) > 255 {
			t.Errorf("a user id of %d bytes", len(got.UserID))
		}
		if at := got.AuthenticatedAt; !at.IsZero() && (at.Unix() <= 0 || at.Unix() >= 1e11 || at.Location().String() != "UTC") {
			t.Errorf("authenticated at %v", at)
		}
	})
}
