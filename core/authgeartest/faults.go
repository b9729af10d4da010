package authgeartest

import "time"

// SetOutage takes the server's PostgreSQL away or gives it back: the resolver,
// userinfo and revocation answer 500 to any credential, while discovery and
// keys go on.
func (s *Server) SetOutage(outage bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = outage
}

// SetRedisDown takes the server's Redis away or gives it back. The resolver and
// userinfo answer 500 to any credential but a session cookie without a dot,
// which is refused without Redis.
func (s *Server) SetRedisDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redisDown = down
}

// SetRedisHanging makes the server's Redis hang, so that what [Server.SetRedisDown]
// fails is answered 500 only after this long: three seconds with a real
// Authgear. 0 ends it for requests to come.
func (s *Server) SetRedisHanging(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redisHangs = wait
}
