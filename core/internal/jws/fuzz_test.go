package jws_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/jws"
)

// FuzzParse: nothing panics, and a token that is accepted has only one spelling.
func FuzzParse(f *testing.F) {
	f.Add(recorded(f, "user"))
	f.Add(recorded(f, "id"))
	f.Add(compact(goodHeader))
	f.Add(compact(`{"alg":"RS256","kid":"k","typ":"application/at+jwt","x":[{"y":null}]}`))
	f.Add("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345")
	f.Add("e30.e31.AA==")
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := new(jws.Parser).Parse(compact)
		if shared, sharedErr := parser.Parse(compact); shared.KeyID != token.KeyID || (sharedErr == nil) != (err == nil) {
			t.Fatalf("a parser that read others says %q, %v; a new one %q, %v", shared.KeyID, sharedErr, token.KeyID, err)
		}
		if err != nil {
			return
		}
		parts := strings.Split(compact, ".")
		if len(parts) != 3 {
			t.Fatalf("accepted %d parts", len(parts))
		}
		for i, part := range parts {
			b, err := base64.RawURLEncoding.DecodeString(part)
			if err != nil {
				t.Fatal(err)
			}
			parts[i] = base64.RawURLEncoding.EncodeToString(b)
			if i == 1 && string(token.Payload) != string(b) {
				t.Errorf("Payload = %q, want %q", token.Payload, b)
			}
		}
		if again := strings.Join(parts, "."); again != compact {
			t.Errorf("%q is accepted, but its canonical form is %q", compact, again)
		}
		if n := len(token.KeyID); n < 1 || n > 256 {
			t.Errorf("KeyID has %d bytes", n)
		}
	})
}
