package authgeartest

import (
	"net/http"
	"time"
)

// SetDown takes the server down, so that all its connections are reset, or
// brings it back on the same port.
func (s *Server) SetDown(down bool) {
	s.switching.Lock()
	defer s.switching.Unlock()
	if down {
		s.stop()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil && !s.closed {
		s.running = s.serve()
	}
}

// SetFailing makes every path answer this status. 0 ends it.
func (s *Server) SetFailing(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = status
}

// SetSlow makes every answer wait this long. 0 ends it for later requests.
func (s *Server) SetSlow(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = wait
}

// Requests tells how many requests have come for a path. It counts for the
// first thousand paths that were asked for, of at most 255 bytes, and returns 0
// for others.
func (s *Server) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

// Handle lets a handler answer a path from now on; nil ends that. By
// [Server.ServeHTTP] the handler can let the server answer. It has to return
// when the request's context ends.
func (s *Server) Handle(path string, handler http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[path] = handler
}
