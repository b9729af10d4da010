package redisstore

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	firstPause = 50 * time.Millisecond
	longPause  = 800 * time.Millisecond
	batch      = 500           // users whose commands are sent in one round trip
	page       = 1000          // users who are read at once
	maxUsers   = 100_000       // only the newest users are read
	clockSlack = 1 * time.Hour // clocks of processes differ by less
)

// exchange is the goroutine that writes to Redis and reads what others have written,
// until the client is closed.
func (s *Store) exchange() {
	catchUpAt, pause := time.Now().Add(s.interval), firstPause // earlier once connected
	mends := untold
	timer := time.NewTimer(s.interval)
	defer timer.Stop()
	for {
		select {
		case <-s.closed:
			return
		case <-s.wake:
		case <-s.connected:
			catchUpAt, mends = time.Time{}, untold|unheard // both end once the missed messages are read
		case <-timer.C:
		}
		err := s.write()
		if !time.Now().Before(catchUpAt) {
			if missed := s.catchUp(); missed != nil {
				err = errors.Join(err, missed)
			} else {
				catchUpAt = time.Now().Add(jitter(s.interval))
				if err == nil {
					err = s.write() // write what Redis lacked
				}
			}
		}
		if err == nil {
			s.report(mends, nil)
			mends, pause = untold, firstPause
			timer.Reset(time.Until(catchUpAt))
		} else {
			s.report(untold, err)
			timer.Reset(jitter(pause))
			pause = min(2*pause, longPause)
		}
	}
}

// jitter returns a duration between 0.8 and 1.2 times d.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// write tells Redis the pending changes. A change that fails stays pending.
func (s *Store) write() error {
	s.mu.Lock()
	pending, waiting := s.pending, s.waiting
	s.pending, s.waiting = map[string]change{}, nil
	s.mu.Unlock()

	var err error
	for err == nil && len(pending) > 0 {
		err = s.writeSome(pending)
	}
	for _, told := range waiting {
		told <- err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for userID, c := range pending {
		if newer, ok := s.pending[userID]; ok {
			c = change{until: max(c.until, newer.until)}
		}
		if c.until != 0 && len(s.pending) < maxUsers {
			s.pending[userID] = c
		}
	}
	return err
}

// writeSome tells Redis of some users, and removes them from pending. The messages do
// not depend on the other commands: a full Redis refuses to store anything, but still
// delivers messages.
func (s *Store) writeSome(pending map[string]change) error {
	ctx, cancel := timeout()
	defer cancel()
	some := map[string]*redis.IntCmd{} // by user: the command that publishes the message
	oldest := int64(0)
	_, err := s.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for userID, c := range pending {
			if len(some) == batch {
				break
			}
			if c.until != 0 {
				oldest = time.Now().Add(-s.lifetime - clockSlack).UnixMilli()
				pipe.ZAddGT(ctx, s.name, redis.Z{Score: float64(c.until), Member: userID})
			}
			some[userID] = pipe.Publish(ctx, s.name, s.message(userID, c))
		}
		if oldest != 0 {
			pipe.ZRemRangeByScore(ctx, s.name, "-inf", strconv.FormatInt(oldest, 10))
			pipe.PExpire(ctx, s.name, s.lifetime+clockSlack)
		}
		return nil
	})
	if err != nil {
		for userID, message := range some {
			if message.Err() == nil {
				pending[userID] = change{pending[userID].until, true}
			}
		}
		return withoutArguments(err)
	}
	maps.DeleteFunc(pending, func(userID string, _ change) bool { _, done := some[userID]; return done })
	return nil
}

// catchUp reads what Redis knows, notes what is new to this process, and finds what
// Redis does not know. So Redis gets back what any process knows, even if Redis was
// emptied or restored, or has failed over to a replica that lagged.
func (s *Store) catchUp() error {
	known, oldest, err := s.read()
	if err != nil {
		return err
	}
	for userID, until := range known {
		if until > noted(s.memory.Cutoff(userID)) {
			s.note(userID, until)
		}
	}
	oldest = max(oldest, time.Now().Add(-s.lifetime).UnixMilli())
	s.mu.Lock()
	defer s.mu.Unlock()
	for userID, cutoff := range s.memory.All() {
		if until := noted(cutoff); until > oldest && until > known[userID] {
			c, ok := s.pending[userID]
			s.pending[userID] = change{max(c.until, until), c.again || !ok}
		}
	}
	return nil
}

// read returns the newest users, and the time of the oldest of these. The time is 0 if
// read returns all users. It reads them by rank, from the newest on. A user who moves
// up meanwhile was published after this store subscribed. The others only move down, so
// they may be read twice but are not missed.
func (s *Store) read() (known map[string]int64, oldest int64, err error) {
	known = map[string]int64{}
	for first := int64(0); first < maxUsers; first += page {
		ctx, cancel := timeout()
		users, err := s.rdb.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: s.name, Start: first, Stop: first + page - 1, Rev: true}).Result()
		cancel()
		if err != nil {
			return nil, 0, err
		}
		for _, user := range users {
			if isTime(user.Score) {
				oldest = int64(user.Score)
				known[user.Member.(string)] = oldest
			}
		}
		if len(users) < page {
			return known, 0, nil
		}
	}
	return known, oldest, nil
}

// timeout limits a command if the client heeds contexts (ContextTimeoutEnabled).
// Otherwise the client's own time-outs limit it. Nobody waits for this goroutine.
func timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 2*time.Second)
}
