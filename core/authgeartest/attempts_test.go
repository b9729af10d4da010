package authgeartest

import (
	"net/http"
	"strings"
	"testing"
)

// However many events somebody causes, few connections are open and few attempts wait.
func TestAttemptsAreBounded(t *testing.T) {
	s := New(t)
	if most := s.sender.Transport.(*http.Transport).MaxConnsPerHost; most != maxConns {
		t.Errorf("%d connections to one host", most)
	}
	for range maxAttempts {
		s.attempts <- struct{}{}
	}
	if err := s.send(receiver{"http://127.0.0.1:1", "whsec"}, nil); err == nil || !strings.Contains(err.Error(), "already wait") {
		t.Errorf("one more: %v", err)
	}
}
