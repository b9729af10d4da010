package jws_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/jws"
)

func TestVerify(t *testing.T) {
	key := recordedKey(t)
	for _, name := range []string{"user", "client", "hook"} {
		token, err := new(jws.Parser).Parse(recorded(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := token.Verify(key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	key := recordedKey(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := recorded(t, "user")
	parts := strings.Split(good, ".")
	client := strings.Split(recorded(t, "client"), ".")
	encode := base64.RawURLEncoding.EncodeToString
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	larger := new(big.Int).Add(new(big.Int).SetBytes(signature), key.N).Bytes()

	for _, c := range []struct {
		name, token string
		key         *rsa.PublicKey
	}{
		{"another key", good, &other.PublicKey},
		{"no key", good, nil},
		{"another payload", join(parts[0], client[1], parts[2]), key},
		{"another token's signature", join(parts[0], parts[1], client[2]), key},
		{"the same header with a space", join(encode([]byte(`{ "alg":"RS256","kid":"573ed57d-b8b1-46fb-b339-6188839e558e","typ":"at+jwt"}`)), parts[1], parts[2]), key},
		{"signature cut", join(parts[0], parts[1], encode(signature[:len(signature)-1])), key},
		{"signature after a zero byte", join(parts[0], parts[1], encode(append([]byte{0}, signature...))), key},
		{"signature before a zero byte", join(parts[0], parts[1], encode(append(signature[:len(signature):len(signature)], 0))), key},
		{"signature plus modulus", join(parts[0], parts[1], encode(larger)), key},
		{"signature of one byte", join(parts[0], parts[1], "AA"), key},
		{"signature of zeros", join(parts[0], parts[1], encode(make([]byte, 256))), key},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := new(jws.Parser).Parse(c.token)
			if err != nil {
				t.Fatal(err)
			}
			if err := token.Verify(c.key); !errors.Is(err, jws.ErrSignature) {
				t.Errorf("err = %v, want ErrSignature", err)
			}
		})
	}
	t.Run("zero token", func(t *testing.T) {
		if err := new(jws.Token).Verify(key); !errors.Is(err, jws.ErrSignature) {
			t.Errorf("err = %v, want ErrSignature", err)
		}
	})
}
