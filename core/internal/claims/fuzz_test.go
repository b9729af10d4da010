package claims_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
)

// FuzzParse: nothing panics, and another JSON reader reads the same from a payload that
// is accepted. The other reader fills a map: encoding/json would fill a field of a struct
// from "SUB" as well.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"user", "client", "hook", "anonymous"} {
		f.Add(recorded(f, name))
	}
	for _, c := range rejected {
		if len(c.payload) < 1000 {
			f.Add(c.payload)
		}
	}
	f.Add(exp("1.5e9"))
	f.Add(sub(`"\ud83d\ude00\u0061"`))
	f.Fuzz(func(t *testing.T, payload string) {
		got, err := claims.Parse(payload)
		if err != nil {
			return
		}
		if !utf8.ValidString(payload) {
			t.Fatal("accepted invalid UTF-8")
		}
		checkPacked(t, payload)
		var other map[string]json.RawMessage
		if err := json.Unmarshal([]byte(payload), &other); err != nil {
			t.Fatal(err)
		}
		var issuer, subject string
		var expires float64
		for name, value := range map[string]any{"iss": &issuer, "sub": &subject, "exp": &expires} {
			if err := json.Unmarshal(other[name], value); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got.Issuer != issuer || got.Subject != subject {
			t.Errorf("got %q %q, encoding/json has %q %q", got.Issuer, got.Subject, issuer, subject)
		}
		seconds := float64(got.ExpiresAt.Unix()) + float64(got.ExpiresAt.Nanosecond())/1e9
		if diff := expires - seconds; diff < -1e-4 || diff > 1e-4 {
			t.Errorf("exp = %v, encoding/json has %v", got.ExpiresAt, expires)
		}
	})
}
