package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

const (
	pingInterval = time.Second
	deadAfter    = 3 * time.Second // after this silence a connection is dead
)

var errMalformed = errors.New("a message on the channel of revocations has another form, and does not count")

// listen is the goroutine that hears what other processes publish, until the client is
// closed.
func (s *Store) listen() {
	defer close(s.closed)
	pause := firstPause
	for {
		heard, err := s.subscribe()
		if errors.Is(err, redis.ErrClosed) {
			return
		}
		s.report(unheard, err)
		if heard {
			pause = firstPause
		}
		time.Sleep(jitter(pause))
		pause = min(2*pause, longPause)
	}
}

// subscribe hears messages until the connection fails. It never uses that connection
// again. It returns whether it heard anything.
func (s *Store) subscribe() (heard bool, err error) {
	subscription := s.rdb.Subscribe(context.Background()) // it connects when it subscribes to a name
	defer func() { _ = subscription.Close() }()
	connecting, cancel := context.WithTimeout(context.Background(), s.silence)
	defer cancel()
	if err := subscription.Subscribe(connecting, s.name); err != nil {
		return false, err
	}
	listening, stop := context.WithCancel(context.Background())
	defer stop()
	go ping(listening, subscription)
	for {
		received, err := s.receive(subscription)
		if err != nil {
			return heard, err
		}
		switch received := received.(type) {
		case *redis.Subscription: // this comes again each time the client has reconnected
			heard = true
			signal(s.connected)
		case *redis.Message:
			sender, userID, c, ok := parseMessage(received.Payload)
			switch {
			case !ok:
				s.notice(authgear.NoticeRevocations, errMalformed)
			case sender == s.sender:
			case c.again && c.until <= noted(s.memory.Cutoff(userID)):
				// This process knows the change already. To note it again would make
				// the next request ask Authgear again.
			default:
				s.note(userID, c.until)
			}
		}
	}
}

// receive fails when nothing comes for a while.
func (s *Store) receive(subscription *redis.PubSub) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.silence)
	defer cancel()
	return subscription.ReceiveTimeout(ctx, s.silence)
}

// ping makes Redis answer, so that a connection is silent only when it is dead.
func ping(ctx context.Context, subscription *redis.PubSub) {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = subscription.Ping(ctx) // receive notices if it fails
		}
	}
}
