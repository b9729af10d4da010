package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// fault is the set of things that do not work.
type fault uint8

const (
	untold  fault = 1 << iota // others may not hear of what this process knows
	unheard                   // this process may not hear of what others know
)

var errWell = errors.New("redis is well again: all processes hear of revocations, and of those that were missed")

// report notes that the fault has begun, or has ended if err is nil. It gives a notice
// when the first of the two faults begins, and when both have ended.
func (s *Store) report(what fault, err error) {
	if errors.Is(err, redis.ErrClosed) || errors.Is(err, net.ErrClosed) {
		return // the client is closed, and so are its connections
	}
	s.mu.Lock()
	before := s.failing
	if err != nil {
		s.failing |= what
	} else {
		s.failing &^= what
	}
	after := s.failing
	s.mu.Unlock()
	switch {
	case before == 0 && after != 0:
		s.notice(authgear.NoticeRevocations, fmt.Errorf("redis does not work, so each process acts by itself on what it hears of revocations: %w", err))
	case before != 0 && after == 0:
		s.notice(authgear.NoticeRevocationsRecovered, errWell)
	}
}

func (s *Store) notice(kind authgear.NoticeKind, err error) {
	s.observer.ReportNotice(context.Background(), kind, err)
}

// withoutArguments removes the arguments from the error. Redis repeats them if it does
// not know a command, and they include a user id.
func withoutArguments(err error) error {
	if text, _, found := strings.Cut(err.Error(), ", with args"); found {
		return errors.New(text)
	}
	return err
}
