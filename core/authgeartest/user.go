package authgeartest

import (
	"slices"
	"time"
)

// User describes a user for [Server.AddUser]. The zero value is a signed-up
// user with an unverified identity and no roles. The JSON names are those of the
// file that authgear-dev reads.
type User struct {
	// ID is the user ID. Empty: a new UUID.
	ID string `json:"id"`
	// Anonymous users have no AMR and cannot reauthenticate.
	Anonymous bool `json:"anonymous"`
	// Verified says that the user's identity (an e-mail address, say) is verified.
	Verified bool `json:"verified"`
	// Roles are the keys of the user's roles.
	Roles []string `json:"roles"`
	// AMR are the methods of the user's logins. nil: "pwd" and
	// "x_primary_password".
	AMR []string `json:"amr"`
	// CannotReauthenticate is for users without any authenticator, such as
	// those who sign in by Google only.
	CannotReauthenticate bool `json:"cannot_reauthenticate"`
	// Email, when not empty, is told by the userinfo endpoint.
	Email string `json:"email"`
}

type user struct {
	User
	updated    time.Time
	disabled   bool
	deleteAt   time.Time // zero: deletion is not scheduled
	validUntil time.Time // zero: no end
	guestUntil time.Time // when an anonymous sign-up may be forgotten; zero: by AddUser, never
}

func (u *user) canReauthenticate() bool { return !u.Anonymous && !u.CannotReauthenticate }

// maySignIn reports whether the account's status allows sessions.
func (u *user) maySignIn(now time.Time) bool {
	return !u.disabled && (u.validUntil.IsZero() || now.Before(u.validUntil))
}

// maySignIn reports whether the user exists and may sign in. The caller holds s.mu.
func (s *Server) maySignIn(userID string) bool {
	u := s.users[userID]
	return u != nil && u.maySignIn(s.now())
}

// amr returns the amr of a new login's tokens, nil for none.
func (u *user) amr() []string {
	switch {
	case u.Anonymous:
		return nil
	case u.AMR == nil:
		return []string{"pwd", "x_primary_password"}
	}
	return slices.Clone(u.AMR)
}

// AddUser adds a user, or replaces the one with the same ID, and returns the ID.
func (s *Server) AddUser(u User) string {
	u.Roles, u.AMR = slices.Clone(u.Roles), slices.Clone(u.AMR)
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == "" {
		s.added++
		u.ID = s.seed.uuid("user", s.added)
	}
	s.users[u.ID] = &user{User: u, updated: s.now()}
	return u.ID
}

// user finds a user or panics. The caller holds s.mu.
func (s *Server) user(id string) *user {
	u := s.users[id]
	if u == nil {
		panic("authgeartest: no user with the ID " + id)
	}
	return u
}

// SetRoles gives a user other roles. The resolver tells them at once, tokens
// that are already minted keep the old ones.
func (s *Server) SetRoles(userID string, roles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(userID).Roles = slices.Clone(roles)
}

// SetVerified changes whether a user's identity is verified. The resolver tells
// it at once.
func (s *Server) SetVerified(userID string, verified bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(userID)
	u.Verified = verified
	eventType := "identity.email.unverified"
	if verified {
		eventType = "identity.email.verified"
	}
	s.emit(eventType, u, u.identity(), s.byAdmin())
}

// DisableUser disables a user and ends all their sessions.
func (s *Server) DisableUser(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disable("user.disabled", s.user(userID))
}

// ScheduleDeletion disables a user and ends all their sessions. A real Authgear deletes
// the user after 30 days; this server does not.
func (s *Server) ScheduleDeletion(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(userID)
	u.deleteAt = s.now().Add(deletionGrace)
	s.disable("user.deletion_scheduled", u)
}

// disable disables a user and sends an event of this type. The caller holds s.mu.
func (s *Server) disable(eventType string, u *user) {
	u.disabled = true
	s.endSessions(u.ID)
	s.emit(eventType, u, nil, s.byAdmin())
}

// EnableUser lets a user who was disabled or scheduled for deletion sign in again.
// Sessions from before stay dead.
func (s *Server) EnableUser(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enable(s.user(userID))
}

// enable does what [Server.EnableUser] does. The caller holds s.mu.
func (s *Server) enable(u *user) {
	eventType := "user.reenabled"
	if !u.deleteAt.IsZero() {
		eventType = "user.deletion_unscheduled"
	}
	u.disabled, u.deleteAt = false, time.Time{}
	s.emit(eventType, u, nil, s.byAdmin())
}

// DeleteUser deletes a user and ends all their sessions.
func (s *Server) DeleteUser(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove("user.deleted", s.user(userID))
}

// AnonymizeUser removes what is known of a user and ends all their sessions. Here it
// differs from DeleteUser by its event only.
func (s *Server) AnonymizeUser(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove("user.anonymized", s.user(userID))
}

// remove deletes a user and sends an event of this type. The caller holds s.mu.
func (s *Server) remove(eventType string, u *user) {
	delete(s.users, u.ID)
	s.endSessions(u.ID)
	s.emit(eventType, u, nil, s.byAdmin())
}

// ValidUntil sets the end of a user's account; the zero time means no end. When the end
// passes later, the resolver answers "X-Authgear-Session-Valid: false" to a token too. An
// end that has passed already ends all sessions instead.
func (s *Server) ValidUntil(userID string, end time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(userID)
	u.validUntil = end
	if !u.maySignIn(s.now()) {
		s.endSessions(userID)
	}
}

// RevokeSessions ends all sessions of a user, as an administrator can. JWTs are
// refused by the resolver, their signatures stay good.
func (s *Server) RevokeSessions(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(userID)
	s.endSessions(userID)
}

// endSessions ends all sessions of a user. The caller holds s.mu.
func (s *Server) endSessions(userID string) {
	s.signedOut[userID] = s.now()
	for credential, session := range s.sessions {
		if session.userID == userID {
			delete(s.sessions, credential)
		}
	}
}
