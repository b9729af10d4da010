package keys

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

const (
	maxSharedKid = 4 // keys of one kid that are tried
	maxKid       = 256
	maxKeys      = 100  // of a set; a project has a few, and each is parsed at our cost
	minBits      = 2048 // RFC 7518 §3.3
	maxBits      = 8192 // more makes a signature too dear to check
)

// keyMap holds the usable keys by kid.
type keyMap map[string][]*rsa.PublicKey

// reuse takes over each key that was known before, so that what has been verified
// by it stays bound to it.
func (m keyMap) reuse(before keyMap) {
	for kid, keys := range m {
		for i, key := range keys {
			if same := slices.IndexFunc(before[kid], func(k *rsa.PublicKey) bool { return k.Equal(key) }); same >= 0 {
				keys[i] = before[kid][same]
			}
		}
	}
}

// parseSet returns the usable keys of a JWK Set (RFC 7517 §5). Others are
// skipped, as that section recommends; none at all is an error.
func parseSet(document []byte) (keyMap, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, errors.New("the answer is not a JWK Set")
	}
	keys := keyMap{}
	kept := 0
	for _, raw := range set.Keys {
		if kid, key := parseKey(raw); key != nil && len(keys[kid]) < maxSharedKid {
			keys[kid] = append(keys[kid], key)
			if kept++; kept == maxKeys {
				break
			}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the JWK Set has no usable RSA signing key")
	}
	return keys, nil
}

// members are those of a JWK (RFC 7517 §4, RFC 7518 §6.3) that decide whether it
// is used. jwx ignores some of them and accepts others that we do not.
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

func (m *members) usable() bool {
	private := m.D != nil || m.P != nil || m.Q != nil || m.DP != nil || m.DQ != nil || m.QI != nil || m.Other != nil
	return m.Type == "RSA" && !private &&
		(m.Use == nil || *m.Use == "sig") &&
		(m.Operations == nil || slices.Contains(m.Operations, "verify")) &&
		(m.Algorithm == nil || *m.Algorithm == "RS256") &&
		m.ID != "" && len(m.ID) <= maxKid &&
		usableExponent(m.Exponent)
}

// usableExponent accepts odd exponents from 3 to 2³¹−1. It looks at the text,
// since jwx cuts what is longer than 64 bits.
func usableExponent(text string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 || len(b) > 4 || strings.ContainsAny(text, "\r\n") { // base64 skips line ends
		return false
	}
	e := 0
	for _, digit := range b {
		e = e<<8 | int(digit)
	}
	return e >= 3 && e <= 1<<31-1 && e%2 == 1
}

// parseKey returns nil for a key that is not to be used.
func parseKey(raw jsontext.Value) (kid string, _ *rsa.PublicKey) {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil || !m.usable() {
		return "", nil
	}
	parsed, err := jwk.ParseKey(raw)
	if err != nil {
		return "", nil
	}
	var key rsa.PublicKey
	if err := parsed.Raw(&key); err != nil || key.N == nil {
		return "", nil
	}
	if bits := key.N.BitLen(); bits < minBits || bits > maxBits || key.N.Bit(0) == 0 {
		return "", nil
	}
	return m.ID, &rsa.PublicKey{N: key.N, E: key.E}
}
