package authgeartest

import "time"

// faults are the faults of the server's PostgreSQL and Redis.
type faults struct {
	outage          bool
	deadConnections int
	failNext        int // how many calls with a good credential fail next
	failEvery       int // one of so many such calls fails, 0: none
	calls           int // counted for failEvery

	redisDown     bool
	redisReadOnly bool
	redisHangs    time.Duration
}

// SetOutage takes the server's PostgreSQL away or gives it back: the resolver,
// userinfo and revocation answer 500 to any credential, while discovery and
// keys go on.
func (s *Server) SetOutage(outage bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = outage
}

// RestartDatabase restarts PostgreSQL. After that, this many pooled connections
// are dead: each of them fails one call, as [Server.SetOutage] does. Then all
// is well. A real Authgear has 3 in its default pool, 20 or 50 in a larger one.
func (s *Server) RestartDatabase(connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadConnections = connections
}

// FailDatabase makes PostgreSQL fail in the middle of the next calls with a
// good credential, for this many calls. Authgear loses that error, and the
// resolver answers 200 as if nothing had been sent, with a canary or without.
// Refusals are as always.
func (s *Server) FailDatabase(calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failNext = calls
}

// SetDatabaseFailing does what [Server.FailDatabase] does, to a share of the
// calls with a good credential: 2 fails every second call, 10 every tenth, 1
// all of them. 0 ends it.
func (s *Server) SetDatabaseFailing(every int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failEvery, s.calls = every, 0
}

// databaseDown takes a connection and reports whether that failed. The caller holds s.mu.
func (s *Server) databaseDown() bool {
	if s.deadConnections > 0 {
		s.deadConnections--
		return true
	}
	return s.outage
}

// databaseFails reports whether the database fails in the middle of a call with a
// good credential. The caller holds s.mu.
func (s *Server) databaseFails() bool {
	if s.failNext > 0 {
		s.failNext--
		return true
	}
	s.calls++
	return s.failEvery > 0 && s.calls%s.failEvery == 0
}

// SetRedisDown takes the server's Redis away or gives it back. The resolver and
// userinfo answer 500 to any credential but a session cookie without a dot,
// which is refused without Redis.
func (s *Server) SetRedisDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redisDown = down
}

// SetRedisReadOnly makes the server's Redis full or read-only, or well again.
// Each good credential is answered 500, since its use cannot be noted; refusals
// are as always.
func (s *Server) SetRedisReadOnly(readOnly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redisReadOnly = readOnly
}

// SetRedisHanging makes the server's Redis hang, so that the calls that
// [Server.SetRedisDown] would fail are answered 500 only after this time. A
// real Authgear takes three seconds. 0 ends it for later requests.
func (s *Server) SetRedisHanging(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redisHangs = wait
}
