package claims_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
)

// checkPacked fails when a payload does not say the same after it was packed.
func checkPacked(t *testing.T, payload string) {
	t.Helper()
	want, packed, err := claims.ParseAndPack(payload, nil)
	if err != nil {
		return
	}
	if packed == "" {
		if strings.Count(payload, ",")+strings.Count(payload, " ") < 900 && len(payload) < 10_000 {
			t.Errorf("%.100q is not packed", payload)
		}
		return
	}
	if got := packed.Claims(nil); !reflect.DeepEqual(got, want) {
		t.Errorf("%.300q\nhas %+v\nwas %+v", payload, got, want)
	}
	// Numbers keep all of their digits, and strings mean the same.
	decode := func(text string) (all map[string]any) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&all); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return all
	}
	if got := claims.Payload(string(packed)); !reflect.DeepEqual(decode(got), decode(payload)) {
		t.Errorf("the payload is %q, was %q", got, payload)
	}
	if got := claims.Payload(payload); got != payload {
		t.Errorf("the payload is %q, was %q, and not packed", got, payload)
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"user", "client", "hook", "anonymous"} {
		checkPacked(t, recorded(t, name))
	}
	for _, payload := range []string{
		exp("1800000000.123456789"), exp("99999999999.5"), exp("1.8e9"), exp(" 1800000000 "),
		with(`"a":999999999999,"b":1000000000000,"c":-1,"d":0,"e":1.0,"f":null,"g":true,"h":{"i":[ false ]},"":"","\ud83d\ude00\n":[]`),
		with(`"x":"` + strings.Repeat("x", 127) + `","y":"` + strings.Repeat("y", 126) + `","` + strings.Repeat("z", 200) + `":0`),
		with(`"aud" : [ "a" , "\"b\\" ] , "scope" : "c" `),
		sub(`"\u0061\ud83d\ude00"`), // escaped, so not a part of the payload's text
		with(`"aud":["\u0061","b","a"],"scope":"a  b a","amr":["b"],"nbf":1,"iat":2,"auth_time":3,"client_id":"","jti":"j"`),
		with(`"aud":[],"amr":[],"` + user + `roles":["r","\u0072","r"],"` + user + `is_verified":true`),
		with(`"` + user + `is_anonymous":false,"` + user + `can_reauthenticate":true`),
		with(`"` + user + `can_reauthenticate":false`),
		with(`"` + user + `roles":["` + strings.Repeat("role\",\"", 800) + `"]`),
	} {
		checkPacked(t, payload)
	}
}

// TestPackedSize checks how many bytes a cache keeps of one of Authgear's tokens.
func TestPackedSize(t *testing.T) {
	t.Parallel()
	payload := recorded(t, "user")
	if _, packed, err := claims.ParseAndPack(payload, nil); err != nil || len(packed) > 300 {
		t.Errorf("%d bytes of %d, %v", len(packed), len(payload), err)
	}
}

// A caller may change the lists of the claims that it gets.
func TestPackedLists(t *testing.T) {
	t.Parallel()
	payload := with(`"aud":["a","b"],"` + user + `roles":["c","d"]`)
	_, packed, err := claims.ParseAndPack(payload, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := packed.Claims(nil)
	first.Audience[0], first.Roles[1] = "x", "y"
	if _ = append(first.Audience, "z"); !slices.Equal(first.Roles, []string{"c", "y"}) {
		t.Error("one list grows into the next")
	}
	if again := packed.Claims(nil); again.Audience[0] != "a" || again.Roles[1] != "d" {
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
		c, packed, err := claims.ParseAndPack(payload, nil)
		if err != nil {
			t.Fatal(err)
		}
		if packed != "" {
			t.Errorf("%d bytes, %d roles are packed", len(payload), len(c.Roles))
		}
	}
}
