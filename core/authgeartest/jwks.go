package authgeartest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"net/http"
	"slices"
	"time"
)

type signingKey struct {
	id      string
	created time.Time
	private *rsa.PrivateKey
	next    bool // published, but does not sign yet
}

// newKey makes the next key. The caller holds s.mu.
func (s *Server) newKey() *signingKey {
	s.made++
	if s.lasting {
		return &signingKey{id: s.seed.uuid("kid", s.made), created: s.now(), private: s.seed.key(s.made)}
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("authgeartest: generating a key: " + err.Error())
	}
	return &signingKey{id: newUUID(), created: s.now(), private: private}
}

// jwk is a published key. created_at is Authgear's own member.
type jwk struct {
	Alg       string `json:"alg"`
	CreatedAt int64  `json:"created_at"`
	E         string `json:"e"`
	Kid       string `json:"kid"`
	Kty       string `json:"kty"`
	N         string `json:"n"`
	Use       string `json:"use"`
}

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	set := make([]jwk, 0, len(s.keys))
	for _, k := range s.keys {
		set = append(set, jwk{
			Alg:       "RS256",
			CreatedAt: k.created.Unix(),
			E:         base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.private.E)).Bytes()),
			Kid:       k.id,
			Kty:       "RSA",
			N:         base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()),
			Use:       "sig",
		})
	}
	s.mu.Unlock()
	writeJSON(w, map[string][]jwk{"keys": set})
}

// RotateKeys makes another key sign and returns its key ID: the one that
// [Server.PublishNextKey] published, or a new one. Old keys stay published.
func (s *Server) RotateKeys() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.keys, func(k *signingKey) bool { return k.next })
	if i < 0 {
		i = len(s.keys)
		s.keys = append(s.keys, s.newKey())
	}
	k := s.keys[i]
	k.next = false
	s.keys = slices.Insert(slices.Delete(s.keys, i, i+1), 0, k)
	return k.id
}

// PublishNextKey publishes a new key that does not sign before
// [Server.RotateKeys], and returns its key ID.
func (s *Server) PublishNextKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.newKey()
	k.next = true
	s.keys = append(s.keys, k)
	return k.id
}

// RemoveOldKeys removes every key but the one that signs. The resolver refuses
// their tokens from now on.
func (s *Server) RemoveOldKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = slices.Clip(s.keys[:1])
}

// published reports whether a key is published. The caller holds s.mu.
func (s *Server) published(kid any) bool {
	return slices.ContainsFunc(s.keys, func(k *signingKey) bool { return k.id == kid })
}
