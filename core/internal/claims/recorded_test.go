package claims_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// recorded returns the payload of a token that an Authgear server issued.
func recorded(t testing.TB, name string) string {
	t.Helper()
	recording := map[string]string{
		"user":      "token-jwt-alice",
		"anonymous": "token-jwt-anonymous",
		"client":    "token-m2m-jwt",
		"hook":      "token-jwt-alice-hook-added-claims",
	}[name]
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(recordings.Load(t, recording).AccessToken.Raw, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}
