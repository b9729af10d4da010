package keys

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// modulus returns an odd number of that many bits. These tests need no real key.
func modulus(bits uint, seed int64) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return n.Add(n, big.NewInt(2*seed+1))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// key returns a usable JWK with some members replaced. A member that is nil is left out.
func key(kid string, replace map[string]any) string {
	members := map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
		"n": encode(modulus(2048, int64(len(kid))).Bytes()), "e": "AQAB",
	}
	maps.Copy(members, replace)
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	b, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func set(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }

func TestFilter(t *testing.T) {
	t.Parallel()
	type member = map[string]any
	bits := func(n uint) member { return member{"n": encode(modulus(n, 0).Bytes())} }
	for _, c := range []struct {
		name    string
		replace member
		usable  bool
	}{
		{"as Authgear publishes it", nil, true},
		{"use, key_ops and alg absent", member{"use": nil, "alg": nil}, true},
		{"key_ops verify", member{"key_ops": []string{"verify"}}, true},
		{"key_ops verify among others", member{"key_ops": []string{"wrapKey", "verify"}}, true},
		{"unknown members", member{"x5t": "x", "new": member{"a": 1}}, true},

		{"kty absent", member{"kty": nil}, false},
		{"kty rsa", member{"kty": "rsa"}, false},
		{"kty EC", member{"kty": "EC", "crv": "P-256", "x": encode(make([]byte, 32)), "y": encode(make([]byte, 32))}, false},
		{"kty oct", member{"kty": "oct", "k": "c2VjcmV0"}, false},
		{"kty number", member{"kty": 1}, false},
		{"KTY", member{"kty": nil, "KTY": "RSA"}, false},

		{"use enc", member{"use": "enc"}, false},
		{"use empty", member{"use": ""}, false},
		{"use array", member{"use": []string{"sig"}}, false},
		{"key_ops empty", member{"key_ops": []string{}}, false},
		{"key_ops sign", member{"key_ops": []string{"sign"}}, false},
		{"key_ops string", member{"key_ops": "verify"}, false},
		{"alg RS512", member{"alg": "RS512"}, false},
		{"alg PS256", member{"alg": "PS256"}, false},
		{"alg HS256", member{"alg": "HS256"}, false},
		{"alg none", member{"alg": "none"}, false},
		{"alg empty", member{"alg": ""}, false},
		{"alg RSA-OAEP", member{"alg": "RSA-OAEP"}, false},

		{"no kid", member{"kid": nil}, false},
		{"empty kid", member{"kid": ""}, false},
		{"kid number", member{"kid": 1}, false},
		{"kid of 256 bytes", member{"kid": strings.Repeat("k", 256)}, true},
		{"kid of 257 bytes", member{"kid": strings.Repeat("k", 257)}, false},

		{"private exponent", member{"d": "AQAB"}, false},
		{"prime p", member{"p": "AQAB"}, false},
		{"prime q", member{"q": "AQAB"}, false},
		{"dp", member{"dp": "AQAB"}, false},
		{"dq", member{"dq": "AQAB"}, false},
		{"qi", member{"qi": "AQAB"}, false},
		{"other primes", member{"oth": []any{}}, false},

		{"n absent", member{"n": nil}, false},
		{"n empty", member{"n": ""}, false},
		{"n no base64", member{"n": "!"}, false},
		{"n number", member{"n": 5}, false},
		{"2047 bits", bits(2047), false},
		{"2048 bits", bits(2048), true},
		{"8192 bits", bits(8192), true},
		{"8193 bits", bits(8193), false},
		{"2047 bits after a zero byte", member{"n": encode(append([]byte{0, 0}, modulus(2047, 0).Bytes()...))}, false},
		{"even modulus", member{"n": encode(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes())}, false},

		{"e absent", member{"e": nil}, false},
		{"e empty", member{"e": ""}, false},
		{"e number", member{"e": 65537}, false},
		{"e 0", member{"e": "AA"}, false},
		{"e 1", member{"e": "AQ"}, false},
		{"e 2", member{"e": "Ag"}, false},
		{"e 3", member{"e": "Aw"}, true},
		{"e 65536", member{"e": "AQAA"}, false},
		{"e 2^31-1", member{"e": encode([]byte{0x7f, 0xff, 0xff, 0xff})}, true},
		{"e 2^31", member{"e": encode([]byte{0x80, 0, 0, 0})}, false},
		{"e 2^31+1", member{"e": encode([]byte{0x80, 0, 0, 1})}, false},
		{"e 2^32+3", member{"e": encode([]byte{1, 0, 0, 0, 3})}, false},
		{"e of 9 bytes", member{"e": encode([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})}, false},
		{"e with other trailing bits", member{"e": "Ax"}, false},
		{"e padded", member{"e": "Aw=="}, false},
		{"e with a line end", member{"e": "AQ\nAB"}, false},
		{"e in the other alphabet", member{"e": "f////w"}, false},
	} {
		raw := key("kid", c.replace)
		keys, _, err := parseSet(set(raw))
		if (err == nil) != c.usable || len(keys) > 1 {
			t.Errorf("%s alone: %v, %v", c.name, keys, err)
		}
		keys, _, err = parseSet(set(raw, key("good", nil), raw))
		if err != nil || len(keys["good"]) != 1 || (len(keys) == 2) != c.usable {
			t.Errorf("%s beside a good key: %v, %v", c.name, keys, err)
		}
	}
}

func TestFilterKeepsNumbersOnly(t *testing.T) {
	t.Parallel()
	n := modulus(3072, 9)
	keys, _, err := parseSet(set(key("kid", map[string]any{"n": encode(n.Bytes()), "e": "Aw"})))
	if err != nil || len(keys["kid"]) != 1 || keys["kid"][0].N.Cmp(n) != 0 || keys["kid"][0].E != 3 {
		t.Errorf("%v, %v", keys, err)
	}
}

func TestSharedKid(t *testing.T) {
	t.Parallel()
	var raw []string
	for i := range int64(5) {
		raw = append(raw, key("same", map[string]any{"n": encode(modulus(2048, i).Bytes())}))
	}
	raw = slices.Insert(raw, 1, key("same", map[string]any{"use": "enc"}), key("other", nil))
	keys, _, err := parseSet(set(raw...))
	if err != nil || len(keys["same"]) != 4 || len(keys["other"]) != 1 {
		t.Fatalf("%v, %v", keys, err)
	}
	for i, k := range keys["same"] {
		if k.N.Cmp(modulus(2048, int64(i))) != 0 {
			t.Errorf("key %d is another", i)
		}
	}
}

func TestParseSetRefuses(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		"", " ", "null", "[]", `"x"`, "{}", `{"keys":null}`, `{"keys":[]}`, `{"keys":{}}`, `{"keys":"x"}`, `{"KEYS":[` + key("k", nil) + `]}`,
		`{"keys":[null]}`, `{"keys":[1,"x",[],{}]}`,
		`{"keys":[` + key("k", nil), string(set(key("k", nil))) + "x",
		`{"keys":[` + key("k", nil) + `],"keys":[]}`,
		"<!DOCTYPE html><title>keys</title>", "{\"keys\":[\"\xff\"]}",
		string(set(key("k", map[string]any{"use": "enc"}), key("l", map[string]any{"kty": "EC"}))),
	} {
		if keys, _, err := parseSet([]byte(document)); err == nil || keys != nil {
			t.Errorf("%.60q: %v", document, keys)
		}
	}
}

// recordedSets returns the JWK Sets that Authgear servers answered.
func recordedSets(t testing.TB) map[string][]byte {
	t.Helper()
	sets := map[string][]byte{}
	for _, r := range recordings.All(t, "") {
		if strings.HasSuffix(r.Name, "jwks") {
			sets[r.Name] = []byte(r.Response.Body)
		}
	}
	return sets
}

func TestRecordedSets(t *testing.T) {
	t.Parallel()
	sets := recordedSets(t)
	kids := func(name string) []string {
		keys, _, err := parseSet(sets[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for kid, k := range keys {
			if len(k) != 1 || k[0].N.BitLen() != 2048 || k[0].E != 65537 {
				t.Errorf("%s: %s is %v", name, kid, k)
			}
		}
		return slices.Sorted(maps.Keys(keys))
	}
	for name := range sets {
		kids(name)
	}
	one, two, swapped, last := kids("rotation-0-one-key-jwks"), kids("rotation-1-second-key-appended-jwks"), kids("rotation-2-second-key-first-jwks"), kids("rotation-3-old-key-removed-jwks")
	if len(one) != 1 || len(two) != 2 || len(last) != 1 || !slices.Equal(two, swapped) ||
		!slices.Contains(two, one[0]) || !slices.Contains(two, last[0]) || one[0] == last[0] {
		t.Errorf("the rotation: %v, %v, %v, %v", one, two, swapped, last)
	}
}

// filtered returns what is wrong with a set that was accepted, or nil.
func filtered(keys map[string][]*rsa.PublicKey) error {
	if len(keys) == 0 {
		return fmt.Errorf("no keys")
	}
	for kid, same := range keys {
		if kid == "" || len(kid) > 256 || len(same) == 0 || len(same) > 4 {
			return fmt.Errorf("%d keys under %q", len(same), kid)
		}
		for _, k := range same {
			if b := k.N.BitLen(); b < 2048 || b > 8192 || k.N.Bit(0) == 0 || k.N.Sign() < 0 {
				return fmt.Errorf("a modulus of %d bits: %v", b, k.N)
			}
			if int64(k.E) < 3 || int64(k.E) > 1<<31-1 || k.E%2 == 0 {
				return fmt.Errorf("an exponent of %d", k.E)
			}
		}
	}
	return nil
}

func FuzzParseSet(f *testing.F) {
	for _, body := range recordedSets(f) {
		f.Add(body)
	}
	for _, replace := range []map[string]any{
		nil, {"d": "AQAB"}, {"e": "Aw=="}, {"key_ops": []string{"verify"}}, {"kty": "EC"}, {"x5c": []string{"x"}},
		{"e": encode([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})}, {"n": encode(modulus(8193, 0).Bytes())},
	} {
		f.Add(set(key("a", replace), key("b", nil)))
	}
	f.Add([]byte(`{"keys":[null,{},1]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, _, err := parseSet(document)
		if err != nil {
			if keys != nil {
				t.Error("keys beside an error")
			}
			return
		}
		if err := filtered(keys); err != nil {
			t.Error(err)
		}
	})
}

func TestManyKeys(t *testing.T) {
	t.Parallel()
	var raw []string
	for i := range 1000 {
		raw = append(raw, key(fmt.Sprint(i), nil))
	}
	if keys, _, err := parseSet(set(raw...)); err != nil || len(keys) != maxKeys {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// The list of unused keys is bounded. Usable keys after the bound still count.
func TestUnusedKeysAreBounded(t *testing.T) {
	t.Parallel()
	raw := slices.Repeat([]string{key("bad", map[string]any{"kty": "EC"})}, 5*maxKeys)
	keys, all, err := parseSet(set(append(raw, key("good", nil))...))
	if err != nil || len(keys["good"]) != 1 || len(all) != maxKeys+1 || all[maxKeys].ID != "good" {
		t.Errorf("%d keys, %d in all, %v", len(keys), len(all), err)
	}
}
