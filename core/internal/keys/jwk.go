package keys

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const (
	maxSharedKid = 4 // how many keys with the same kid are tried
	maxKid       = 256
	maxKeys      = 100  // of a set; a project has a few, and parsing costs time
	minBits      = 2048 // RFC 7518 §3.3
	maxBits      = 8192 // larger keys make a signature too expensive to check
)

// keyMap holds the usable keys by kid.
type keyMap map[string][]*rsa.PublicKey

// reuse keeps the pointer of each key that was known before. Results of verifications
// are bound to the pointer and so remain good.
func (m keyMap) reuse(before keyMap) {
	for kid, keys := range m {
		for i, key := range keys {
			if same := slices.IndexFunc(before[kid], func(k *rsa.PublicKey) bool { return k.Equal(key) }); same >= 0 {
				keys[i] = before[kid][same]
			}
		}
	}
}

// Key is a key of a JWK Set.
type Key struct {
	ID     string         // its kid, as the set has it
	Public *rsa.PublicKey // nil when the key is not used
	Err    error          // why it is not used
}

// parseSet returns the usable keys of a JWK Set (RFC 7517 §5), and the first of all the
// keys that it has looked at. It skips keys that are not usable, as RFC 7517 §5
// recommends. A set without usable keys is an error.
func parseSet(document []byte) (keyMap, []Key, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, nil, errors.New("the answer is not a JWK Set")
	}
	usable, kept := keyMap{}, 0
	all := make([]Key, 0, min(len(set.Keys), maxKeys))
	for _, raw := range set.Keys {
		key := parseKey(raw)
		if key.Err == nil && len(usable[key.ID]) == maxSharedKid {
			key = Key{ID: key.ID, Err: fmt.Errorf("more than %d keys have its kid", maxSharedKid)}
		}
		if key.Err == nil || len(all)-kept < maxKeys {
			all = append(all, key)
		}
		if key.Err != nil {
			continue
		}
		usable[key.ID] = append(usable[key.ID], key.Public)
		if kept++; kept == maxKeys {
			break
		}
	}
	if kept == 0 {
		return nil, all, errors.New("the JWK Set has no usable RSA signing key")
	}
	return usable, all, nil
}

// members are the members of a JWK (RFC 7517 §4, RFC 7518 §6.3) that decide whether it
// is used. jwx ignores some of them, and accepts values of others that we refuse.
type members struct {
	Type       string   `json:"kty"`
	Use        *string  `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  *string  `json:"alg"`
	ID         string   `json:"kid"`
	Exponent   string   `json:"e"`

	D     jsontext.Value `json:"d"`
	P     jsontext.Value `json:"p"`
	Q     jsontext.Value `json:"q"`
	DP    jsontext.Value `json:"dp"`
	DQ    jsontext.Value `json:"dq"`
	QI    jsontext.Value `json:"qi"`
	Other jsontext.Value `json:"oth"`
}

// check returns why the key is not used, or nil.
func (m *members) check() error {
	switch {
	case m.Type != "RSA":
		return fmt.Errorf("its kty is %s, not RSA", quote.Quote(m.Type))
	case m.D != nil || m.P != nil || m.Q != nil || m.DP != nil || m.DQ != nil || m.QI != nil || m.Other != nil:
		return errors.New("it is a private key")
	case m.Use != nil && *m.Use != "sig":
		return fmt.Errorf("its use is %s, not sig", quote.Quote(*m.Use))
	case m.Operations != nil && !slices.Contains(m.Operations, "verify"):
		return errors.New("its key_ops do not have verify")
	case m.Algorithm != nil && *m.Algorithm != "RS256":
		return fmt.Errorf("its alg is %s, not RS256", quote.Quote(*m.Algorithm))
	case m.ID == "":
		return errors.New("it has no kid")
	case len(m.ID) > maxKid:
		return fmt.Errorf("its kid has more than %d bytes", maxKid)
	case !usableExponent(m.Exponent):
		return errors.New("its exponent is not an odd number from 3 to 2147483647")
	}
	return nil
}

// usableExponent accepts odd exponents from 3 to 2³¹−1. It looks at the text, since jwx
// cuts exponents to 64 bits.
func usableExponent(text string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 || len(b) > 4 || strings.ContainsAny(text, "\r\n") { // Go's base64 decoder skips line ends
		return false
	}
	e := 0
	for _, digit := range b {
		e = e<<8 | int(digit)
	}
	return e >= 3 && e <= 1<<31-1 && e%2 == 1
}

// parseKey reads one key.
func parseKey(raw jsontext.Value) Key {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil {
		return Key{Err: errors.New("a member of it has a wrong type or stands there twice")}
	}
	unused := func(err error) Key { return Key{ID: m.ID, Err: err} }
	if err := m.check(); err != nil {
		return unused(err)
	}
	var key rsa.PublicKey
	parsed, err := jwk.ParseKey(raw)
	if err == nil {
		err = parsed.Raw(&key)
	}
	if err != nil || key.N == nil {
		return unused(errors.New("its modulus cannot be read"))
	}
	if bits := key.N.BitLen(); bits < minBits || bits > maxBits || key.N.Bit(0) == 0 {
		return unused(fmt.Errorf("its modulus of %d bits is not an odd number of %d to %d bits", bits, minBits, maxBits))
	}
	return Key{ID: m.ID, Public: &rsa.PublicKey{N: key.N, E: key.E}}
}
