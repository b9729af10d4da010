package redisstore

import (
	"strconv"
	"strings"
)

// message returns what the store publishes: a time, the sender and the user id. Tokens
// issued until this time, in ms, do not count. The time has a minus if it was published
// before. The user id is the rest of the message, and may have any form.
func (s *Store) message(userID string, c change) string {
	if c.again {
		c.until = -c.until
	}
	return strconv.FormatInt(c.until, 10) + " " + s.sender + " " + userID
}

func parseMessage(text string) (sender, userID string, c change, ok bool) {
	at, rest, _ := strings.Cut(text, " ")
	sender, userID, ok = strings.Cut(rest, " ")
	until, err := strconv.ParseInt(at, 10, 64)
	if until < 0 {
		c.again, until = true, -until
	}
	c.until = until
	return sender, userID, c, ok && err == nil && (until == 0 || isTime(float64(until)))
}
