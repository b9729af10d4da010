package authgear

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/authgear/authgear-sdk-go/core/internal/oldflight"
)

// credentialKeys name credentials by hashes, so that none is kept.
type credentialKeys struct {
	// sent is of all that goes to Authgear. Only equal ones share an answer.
	sent oldflight.Key
	// parts are of each single credential that may count there: the token, or of
	// the cookies of each name the first. A refusal is about all that have one of
	// them in common.
	parts []oldflight.Key
}

func (c credentials) keys() credentialKeys {
	name, value := c.field()
	k := credentialKeys{sent: hash(name, value)}
	if !strings.Contains(c.cookie, ";") { // as usual
		k.parts = []oldflight.Key{k.sent}
		return k
	}
	var names []string
	for cookie, value := range splitCookies([]string{c.cookie}) {
		if !slices.Contains(names, cookie) {
			names = append(names, cookie)
			k.parts = append(k.parts, hash(name, cookie+"="+value))
		}
	}
	return k
}

// hash is of a field with its name, so that no cookie is taken for a token.
func hash(name, value string) oldflight.Key {
	return sha256.Sum256([]byte(name + ": " + value))
}
