package authgeartest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

const (
	crockford    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func randomString(n int, alphabet string) string {
	random := make([]byte, n)
	_, _ = rand.Read(random)
	for i, b := range random {
		random[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(random)
}

func randomHex(n int) string {
	random := make([]byte, n)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

func newUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:])
	return formatUUID(u)
}

// formatUUID formats 16 random bytes as a UUID of version 4.
func formatUUID(u [16]byte) string {
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
