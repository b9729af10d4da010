package authgear

import "time"

// IDTokenRefused is why the ID token beside the access token does not count.
func IDTokenRefused(i *Identity) *Error { return i.idTokenRefused }

// Clone is what a cache hands out of an identity.
func Clone(i *Identity) *Identity { return i.clone() }

// WithoutClaims is the identity without what Claims decodes.
func WithoutClaims(i *Identity) Identity {
	without := *i
	without.claims = ""
	return without
}

// KeptTokens is how many verified tokens are kept.
func KeptTokens(j *JWT) int {
	if j.verified == nil {
		return 0
	}
	j.verified.table.CleanUp()
	return j.verified.table.EstimatedSize()
}

// VerifiedLater makes it so that a kept token was verified in the future.
func VerifiedLater(j *JWT, token string) {
	later := *j.verified.find(tokenKey(token))
	later.at += int64(time.Hour)
	j.verified.table.Set(tokenKey(token), &later)
}

// IsVerifiedLater reports whether that is still kept.
func IsVerifiedLater(j *JWT, token string) bool {
	return j.verified.find(tokenKey(token)).at > time.Now().UnixNano()
}

// Renewals is how many answers are asked for in the background now.
func Renewals(h *Hybrid) int {
	h.renewals.mu.Lock()
	defer h.renewals.mu.Unlock()
	return h.renewals.all
}
