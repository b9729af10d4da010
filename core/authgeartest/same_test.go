package authgeartest_test

import (
	"reflect"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// same compares a token with a recorded one.
func same(t *testing.T, want recordings.Token, token string, equal ...string) {
	t.Helper()
	got := read(t, token)
	if want.Raw == "" {
		t.Fatal("no recorded token")
	}
	if !reflect.DeepEqual(shape(got.Claims), shape(want.Claims)) {
		t.Errorf("claims\n%v, recorded\n%v", shape(got.Claims), shape(want.Claims))
	}
	if !reflect.DeepEqual(shape(got.Header), shape(want.Header)) || got.Header["alg"] != want.Header["alg"] || got.Header["typ"] != want.Header["typ"] {
		t.Errorf("header %v, recorded %v", got.Header, want.Header)
	}
	for _, name := range append(equal, "iss", "aud", "auth_time", "amr", "client_id", "scope",
		"https://authgear.com/claims/user/can_reauthenticate", "https://authgear.com/claims/user/is_anonymous",
		"https://authgear.com/claims/user/is_verified", "https://authgear.com/claims/user/roles") {
		if !reflect.DeepEqual(got.Claims[name], want.Claims[name]) {
			t.Errorf("%s: %v, recorded %v", name, got.Claims[name], want.Claims[name])
		}
	}
	if lifetime := func(c map[string]any) float64 { return c["exp"].(float64) - c["iat"].(float64) }; lifetime(got.Claims) != lifetime(want.Claims) {
		t.Errorf("lifetime %v, recorded %v", lifetime(got.Claims), lifetime(want.Claims))
	}
	for _, name := range []string{"jti", "sid", "sub"} {
		if id, ok := want.Claims[name].(string); ok && len(got.Claims[name].(string)) != len(id) {
			t.Errorf("%s: %v, recorded %v", name, got.Claims[name], id)
		}
	}
}
