package session_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/session"
)

const (
	valid          = "X-Authgear-Session-Valid"
	userID         = "X-Authgear-User-Id"
	anonymous      = "X-Authgear-User-Anonymous"
	verified       = "X-Authgear-User-Verified"
	reauthenticate = "X-Authgear-User-Can-Reauthenticate"
	roles          = "X-Authgear-User-Roles"
	amr            = "X-Authgear-Session-Amr"
	authenticated  = "X-Authgear-Session-Authenticated-At"
)

// alice is a valid session with each field that Authgear sends, changed by with, which
// has names and values in turn. The value "-" removes the field, "" makes it empty, and
// a line feed separates two header lines.
func alice(with ...string) http.Header {
	h := http.Header{
		valid:          {"true"},
		userID:         {"66a95b0e-8068-40d1-8b5c-a15f18254225"},
		anonymous:      {"false"},
		verified:       {"true"},
		reauthenticate: {"true"},
		roles:          {"editor"},
		amr:            {""},
		authenticated:  {"1795468361"},
	}
	for i := 0; i < len(with); i += 2 {
		if h.Del(with[i]); with[i+1] != "-" {
			h[with[i]] = strings.Split(with[i+1], "\n")
		}
	}
	return h
}

// only returns these fields and no others.
func only(fields ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Add(fields[i], fields[i+1])
	}
	return h
}

func TestParseStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fields http.Header
		want   session.State
	}{
		{"valid", alice(), session.Valid},
		{"refused", only(valid, "false"), session.Refused},
		{"refused, with fields of a user", alice(valid, "false"), session.Refused},
		{"no field", only(), session.None},
		{"other fields only", only("Content-Type", "text/html", "X-Auth", "true"), session.None},
		// Such a field may come from a client, and says nothing about a session.
		{"an unknown field", only("X-Authgear-Something-New", "x"), session.None},
		{"valid, with an unknown field", alice("X-Authgear-Something-New", "x"), session.Valid},
	} {
		s, err := session.Parse(c.fields.Values)
		if err != nil || s.State != c.want {
			t.Errorf("%s: %v, %v, want %v", c.name, s.State, err, c.want)
		}
		if s.State != session.Valid && !reflect.DeepEqual(s, session.Session{State: c.want}) {
			t.Errorf("%s: says of the user %+v", c.name, s)
		}
	}
}

func TestParseValid(t *testing.T) {
	t.Parallel()
	// want changes what the session of alice says.
	for _, c := range []struct {
		name   string
		fields http.Header
		want   func(*session.Session)
	}{
		{"all fields", alice(), func(*session.Session) {}},
		{"an anonymous user", alice(anonymous, "true", verified, "false", reauthenticate, "false"), func(s *session.Session) {
			s.Anonymous, s.Verified, s.CanReauthenticate = true, false, false
		}},
		{"no optional field", alice(roles, "-", amr, "-", authenticated, "-"), func(s *session.Session) {
			s.Roles, s.AuthenticatedAt = nil, time.Time{}
		}},
		{"empty optional fields", alice(roles, "", amr, "", authenticated, ""), func(s *session.Session) {
			s.Roles, s.AuthenticatedAt = nil, time.Time{}
		}},
		// The caller sorts the roles and removes duplicates.
		{"roles in the order sent", alice(roles, "reporter,auditor,store:manager,auditor"), func(s *session.Session) {
			s.Roles = []string{"reporter", "auditor", "store:manager", "auditor"}
		}},
		{"methods separated by commas", alice(amr, "pwd,otp,mfa"), func(s *session.Session) { s.AMR = []string{"pwd", "otp", "mfa"} }},
		{"methods separated by spaces", alice(amr, "pwd otp mfa"), func(s *session.Session) { s.AMR = []string{"pwd", "otp", "mfa"} }},
		{"methods separated by both", alice(amr, "pwd, otp"), func(s *session.Session) { s.AMR = []string{"pwd", "otp"} }},
		{"one method", alice(amr, "pwd"), func(s *session.Session) { s.AMR = []string{"pwd"} }},
		{"separators without methods", alice(amr, " , "), func(*session.Session) {}},
		{"the first second", alice(authenticated, "1"), func(s *session.Session) { s.AuthenticatedAt = time.Unix(1, 0).UTC() }},
		{"the last second", alice(authenticated, "99999999999"), func(s *session.Session) { s.AuthenticatedAt = time.Unix(99999999999, 0).UTC() }},
		{"the longest user id", alice(userID, strings.Repeat("x", 255)), func(s *session.Session) { s.UserID = strings.Repeat("x", 255) }},
	} {
		want := session.Session{
			State: session.Valid, UserID: "66a95b0e-8068-40d1-8b5c-a15f18254225", Verified: true, CanReauthenticate: true,
			Roles: []string{"editor"}, AuthenticatedAt: time.Date(2026, 11, 23, 21, 12, 41, 0, time.UTC),
		}
		c.want(&want)
		got, err := session.Parse(c.fields.Values)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", c.name, got, err, want)
		}
	}
}

// Only headers that are complete and not repeated count. The error names the field.
func TestParseMalformed(t *testing.T) {
	t.Parallel()
	type fault struct {
		name   string
		fields http.Header
		field  string
	}
	faults := []fault{
		{"a user, but no X-Authgear-Session-Valid", only(userID, "alice"), userID},
		{"a role only, as a client can send through some proxies", only(roles, "admin"), roles},
		{"valid, without user fields", only(valid, "true"), userID},
		{"both true and false", alice(valid, "true\nfalse"), valid},
		{"false twice", only(valid, "false", valid, "false"), valid},
		{"joined lines of valid", alice(valid, "true, true"), valid},

		{"a user id of spaces", alice(userID, " "), userID},
		{"a user id too long", alice(userID, strings.Repeat("x", 256)), userID},
		{"two user ids in one line", alice(userID, "alice,bob"), userID},
		{"joined lines of the user id", alice(userID, "alice, bob"), userID},
		{"a space in the user id", alice(userID, "al ice"), userID},
		{"a control byte in the user id", alice(userID, "al\x00ice"), userID},
		{"DEL in the user id", alice(userID, "alice\x7f"), userID},
		{"a user id that is not ASCII", alice(userID, "älice"), userID},

		{"an empty role", alice(roles, "editor,"), roles},
		{"a comma only", alice(roles, ","), roles},
		{"joined lines of roles", alice(roles, "editor, admin"), roles},
		{"roles separated by spaces", alice(roles, "editor admin"), roles},
		{"a role that is not ASCII", alice(roles, "rédacteur"), roles},
		{"a control byte in a method", alice(amr, "pwd\tmfa"), amr},
		{"a method that is not ASCII", alice(amr, "pwd é"), amr},
	}
	for _, flag := range []string{valid, anonymous, verified, reauthenticate} {
		for _, value := range []string{"True", "TRUE", "1", "yes", "true ", " true", "true,true", "true;", "null", "truefalse"} {
			faults = append(faults, fault{flag + ": " + value, alice(flag, value), flag})
		}
	}
	for _, field := range []string{valid, userID, anonymous, verified, reauthenticate} {
		faults = append(faults, fault{field + " empty", alice(field, ""), field})
		if field != valid {
			faults = append(faults, fault{"no " + field, alice(field, "-"), field})
		}
	}
	for field, lines := range alice() {
		faults = append(faults,
			fault{field + " twice", alice(field, lines[0]+"\n"+lines[0]), field},
			fault{field + " twice, once empty", alice(field, "\n"+lines[0]), field})
	}
	for _, value := range []string{
		"0", "-1", "+1", "1.5", "1e9", "0x10", "1_000", "100000000000", "99999999999999999999", "1795468361 ", "1795468361,1795468361", "2026-11-23T21:12:41Z", "٣",
	} {
		faults = append(faults, fault{authenticated + ": " + value, alice(authenticated, value), authenticated})
	}

	for _, c := range faults {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := session.Parse(c.fields.Values)
			if !errors.Is(err, session.ErrMalformed) {
				t.Fatalf("%+v, %v", s, err)
			}
			if !strings.Contains(err.Error(), ": "+c.field) {
				t.Errorf("%v; the fault is in %s", err, c.field)
			}
			if !reflect.DeepEqual(s, session.Session{}) {
				t.Errorf("a session beside the error: %+v", s)
			}
		})
	}
}

// The error quotes and cuts a value that an attacker chose. It never has a user id.
func TestParseErrorTexts(t *testing.T) {
	t.Parallel()
	_, err := session.Parse(alice(userID, "alice,bob").Values)
	if err == nil || strings.Contains(err.Error(), "alice") {
		t.Errorf("err = %v", err)
	}
	_, err = session.Parse(alice(verified, "\x1b[31m\n"+strings.Repeat("x", 1000)).Values)
	if err == nil || len(err.Error()) > 250 {
		t.Errorf("err = %v", err)
	}
	_, err = session.Parse(alice(verified, "\x1b[31m"+strings.Repeat("x", 1000)).Values)
	if err == nil || len(err.Error()) > 250 || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("err = %v", err)
	}
}

func TestIsHeader(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"X-Authgear-User-Id":         true,
		"x-authgear-user-id":         true,
		"X_Authgear_User_Id":         true,
		"x.AUTHGEAR.user.id":         true,
		"X-Authgear_User.Roles":      true,
		"X-Authgear-Anything":        true,
		"X-Authgear-Proxy-Secret":    true,
		"X-Authgear-":                true,
		"X-Authgear":                 false,
		"X-Authgear-Body-Signature":  false,
		"x-authgear-body-signature":  false,
		"X_Authgear_Body_Signature":  true, // Authgear's webhooks do not send this spelling
		"X-Authgear-Body-Signature2": true,
		"X-Authgea-User-Id":          false,
		"My-X-Authgear-User-Id":      false,
		"X-Authgears-User-Id":        false,
		"X Authgear User Id":         false,
		"Authorization":              false,
		"":                           false,
	} {
		if got := session.IsHeader(name); got != want {
			t.Errorf("IsHeader(%q) = %v", name, got)
		}
	}
}
