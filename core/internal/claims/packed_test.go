package claims_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
)

// checkPacked fails when claims that were packed are not what they were.
func checkPacked(t *testing.T, payload string) {
	t.Helper()
	want, err := claims.Parse(payload)
	if err != nil {
		return
	}
	packed, ok := claims.Pack(&want, payload)
	if !ok {
		if strings.Count(payload, ",")+strings.Count(payload, " ") < 900 && len(payload) < 20_000 {
			t.Errorf("%.100q is not packed", payload)
		}
		return
	}
	if packed.Payload() != payload {
		t.Errorf("the payload is %q, was %q", packed.Payload(), payload)
	}
	got := packed.Claims()
	for _, date := range []*time.Time{&want.ExpiresAt, &want.NotBefore, &want.IssuedAt, &want.AuthTime} {
		*date = time.UnixMicro(date.UnixMicro()).UTC() // never later than it was
	}
	for _, list := range []*[]string{&want.Audience, &want.Scopes, &want.AMR, &want.Roles} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%.300q\nhas %+v\nwas %+v", payload, got, want)
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"user", "client", "hook", "anonymous"} {
		checkPacked(t, recorded(t, name))
	}
	for _, payload := range []string{
		exp("1800000000.123456789"), exp("99999999999.5"),
		sub(`"\u0061\ud83d\ude00"`), // not in the payload as it is
		with(`"aud":["\u0061","b","a"],"scope":"a  b a","amr":["b"],"nbf":1,"iat":2,"auth_time":3,"client_id":"","jti":"j"`),
		with(`"aud":[],"amr":[],"` + user + `roles":["r","\u0072","r"],"` + user + `is_verified":true`),
		with(`"` + user + `is_anonymous":false,"` + user + `can_reauthenticate":true`),
		with(`"` + user + `can_reauthenticate":false`),
		with(`"` + user + `roles":["` + strings.Repeat("role\",\"", 800) + `"]`),
	} {
		checkPacked(t, payload)
	}
}

// Who gets claims may change their lists.
func TestPackedLists(t *testing.T) {
	t.Parallel()
	payload := with(`"aud":["a","b"],"` + user + `roles":["c","d"]`)
	c, err := claims.Parse(payload)
	if err != nil {
		t.Fatal(err)
	}
	packed, _ := claims.Pack(&c, payload)
	first := packed.Claims()
	first.Audience[0], first.Roles[1] = "x", "y"
	if _ = append(first.Audience, "z"); !slices.Equal(first.Roles, []string{"c", "y"}) {
		t.Error("one list grows into the next")
	}
	if again := packed.Claims(); again.Audience[0] != "a" || again.Roles[1] != "d" {
		t.Errorf("somebody's change is in %+v", again)
	}
}

func TestPackBounds(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		with(`"` + user + `roles":["` + strings.Repeat(`r","`, 1024) + `r"]`),
		with(`"x":"` + strings.Repeat("x", 1<<16) + `"`),
		with(`"x":"` + strings.Repeat("x", 40_000) + `","client_id":"` + strings.Repeat(`\u0079`, 3000) + strings.Repeat("y", 30_000) + `"`),
	} {
		c, err := claims.Parse(payload)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := claims.Pack(&c, payload); ok {
			t.Errorf("%d bytes, %d roles are packed", len(payload), len(c.Roles))
		}
	}
}
