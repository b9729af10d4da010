package authgear

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/authgear/authgear-sdk-go/core/internal/flight"
)

// credentialKeys name credentials by hashes, so that none is kept.
type credentialKeys struct {
	// sent is of all that goes to Authgear. Only equal ones share an answer.
	sent flight.Key
	// session is of what counts there: of several cookies of one name the first.
	// A refusal is about all that have it in common.
	session flight.Key
}

func (c credentials) keys() credentialKeys {
	name, value := c.field()
	k := credentialKeys{sent: hash(name, value)}
	k.session = k.sent
	if first := firstCookies(c.cookie); first != c.cookie {
		k.session = hash(name, first)
	}
	return k
}

// hash is of a field with its name, so that no cookie is taken for a token.
func hash(name, value string) flight.Key {
	return sha256.Sum256([]byte(name + ": " + value))
}

// firstCookies returns a line of cookies without those whose name came before.
func firstCookies(line string) string {
	if !strings.Contains(line, ";") {
		return line
	}
	var names, pairs []string
	for name, value := range splitCookies([]string{line}) {
		if !slices.Contains(names, name) {
			names, pairs = append(names, name), append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, "; ")
}
